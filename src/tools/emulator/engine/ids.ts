/**
 * Ids that look like Google's and come from a counter in the engine's own state, so that a log of the calls replays to the
 * same state. They are no secrets: knowing one gives nothing in an emulator.
 */
import { createHash } from "node:crypto";

export interface Ids {
  /** How many ids were invented so far. */
  count: number;
}

/** 44 characters, as a Drive file's. */
export function spreadsheetId(ids: Ids): string {
  ids.count += 1;
  return `1${createHash("sha256").update(`spreadsheet ${ids.count}`).digest("base64url")}`;
}

/** A positive int32 that `taken` doesn't know: sheets, developer metadata. */
export function smallId(ids: Ids, taken: (id: number) => boolean): number {
  for (;;) {
    ids.count += 1;
    const id = createHash("sha256").update(`id ${ids.count}`).digest().readUInt32BE() & 0x7fff_ffff;
    if (id !== 0 && !taken(id)) return id;
  }
}
