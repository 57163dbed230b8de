/** What the flusher needs of Google, and what it offers to the broker. */
import type { Timestamp } from "../../base/units.ts";
import type { WritesReport } from "../../sheets/writes.ts";
import type { Entry, Settlement } from "../journal/journal.ts";
import type { Outcome } from "../upstream.ts";

/** A request that may have done its work without telling: only then is the difference worth anything. */
export type WriteOutcome<T> =
  | Outcome<T>
  /** A 400: Google has read the request and does nothing of it. */
  | { readonly is: "refused"; readonly message: string };

export interface WriteUpstream {
  /** `spreadsheets.batchUpdate` with this body as it is. @returns the answer's JSON. @throws nothing. */
  batchUpdate(body: Uint8Array): Promise<WriteOutcome<unknown>>;
  /** `values.batchUpdateByDataFilter`. */
  updateByFilter(body: Uint8Array): Promise<WriteOutcome<unknown>>;
  /** `developerMetadata.get`. @returns its value, or undefined when there is none with this id. */
  metadata(id: number): Promise<WriteOutcome<string | undefined>>;
  /** Titles and ids of the tabs. */
  sheetIds(): Promise<WriteOutcome<ReadonlyMap<string, number>>>;
}

export type { Layout } from "../../sheets/layout.ts";

export interface FlusherEvents {
  /** These are in the sheet, or never will be. */
  settled(how: Settlement): void;
  /** These have been handed to Google. */
  sent(lsns: readonly number[], at: Timestamp): void;
}

export interface Flusher {
  /** More is waiting. */
  accepted(entries: readonly Entry[]): void;
  report(): WritesReport;
  /** Begins no further request; resolves when the one under way has ended, or after a second. */
  close(): Promise<void>;
}
