/** The calls of the Sheets API that the broker makes. */
import type { sheets_v4 } from "@googleapis/sheets";
import { messageIn, RANGE, type Reply } from "./answers.ts";
import { sameTab } from "../sheets/a1.ts";
import { Connection, type CallOptions, type GoogleOptions } from "./connection.ts";
import type { FoundMetadata, WriteOutcome, WriteUpstream } from "./flusher/port.ts";
import { Titles } from "./titles.ts";
import type { Outcome, Upstream } from "./upstream.ts";

export type { GoogleOptions };

const VALUES = "valueRanges(range,values)";
const TABS = "sheets.properties(title,sheetType)";
const IDS = "sheets.properties(title,sheetId)";
const FOUND = "matchedDeveloperMetadata.developerMetadata(metadataId,metadataValue,location)";
const UPDATED = "spreadsheetId,responses(dataFilter,updatedData)";

/** A 400 alone says that nothing was done: what else is not 200 may come from something before Google's own code. */
const refused = (reply: Reply): { is: "refused"; message: string } | undefined =>
  reply.status === 400 ? { is: "refused", message: messageIn(reply) } : undefined;

/** An answer that does not name its spreadsheet is not the answer of a write. */
const named = (data: unknown): unknown => (typeof Object(data).spreadsheetId === "string" ? data : undefined);

/** A reading that is refused without the range at fault: of several, halves tell which. */
function unnamed(reply: Reply): { is: "noRange"; message: string; range: string } | undefined {
  const message = messageIn(reply);
  return reply.status === 400 && !RANGE.test(message)
    ? { is: "noRange", message: `Google answered 400: ${message}`, range: "" }
    : undefined;
}

function sheetIdsOf(data: unknown): ReadonlyMap<string, number> | undefined {
  const found = (data as sheets_v4.Schema$Spreadsheet | null)?.sheets;
  if (!Array.isArray(found) || found.length === 0) return undefined;
  const entries = found.map((sheet) => [sheet?.properties?.title, sheet?.properties?.sheetId ?? 0] as const);
  const sound = entries.every(([title, id]) => typeof title === "string" && Number.isInteger(id));
  return sound ? new Map(entries as [string, number][]) : undefined;
}

function foundMetadata(data: unknown): readonly FoundMetadata[] | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const matched = (data as sheets_v4.Schema$SearchDeveloperMetadataResponse).matchedDeveloperMetadata ?? [];
  if (!Array.isArray(matched)) return undefined;
  const found = matched.map((match): FoundMetadata => {
    const { metadataId, metadataValue, location } = match?.developerMetadata ?? {};
    return { id: Number(metadataId), value: metadataValue ?? "", onRow: location?.dimensionRange !== undefined };
  });
  return found.every(({ id, value }) => Number.isInteger(id) && typeof value === "string") ? found : undefined;
}

/** The values of each range, unread; an answer for a range of another tab is the answer for a range that is not there. */
function valuesOf(found: readonly sheets_v4.Schema$ValueRange[], ranges: readonly string[]): Outcome<readonly unknown[]> {
  for (const [i, range] of ranges.entries()) {
    const read = found[i]?.range;
    if (typeof read !== "string") return { is: "malformed", message: `Google's answer for ${range} does not name its range` };
    if (!sameTab(read, range)) return { is: "noRange", range, message: `Google read ${read} in place of ${range}, another tab` };
  }
  return { is: "ok", value: found.map((range) => range?.values) };
}

/** Of one metadata: an answer about another is none. */
const metadataText =
  (id: number) =>
  (data: unknown): { readonly text: string | undefined } | undefined => {
    const { metadataId, metadataValue = "" } = Object(data) as { metadataId?: unknown; metadataValue?: unknown };
    return metadataId === id && typeof metadataValue === "string" ? { text: metadataValue } : undefined;
  };

/** A sealed body as it is: the client would make JSON of an object, and leaves bytes alone. */
const sealed = (body: Uint8Array, { headers, ...rest }: CallOptions) => ({
  query: { requestBody: Buffer.from(body.buffer, body.byteOffset, body.byteLength) as object, prettyPrint: false },
  options: { ...rest, headers: { ...headers, "content-type": "application/json" } },
});

class Google implements Upstream, WriteUpstream {
  readonly #connection: Connection;
  readonly #spreadsheetId: string;
  readonly #titles = new Titles();

  constructor(connection: Connection, spreadsheetId: string) {
    this.#connection = connection;
    this.#spreadsheetId = spreadsheetId;
  }

  of(spreadsheetId: string): Upstream {
    return new Google(this.#connection, spreadsheetId);
  }

  async read(ranges: readonly string[], giveUp?: AbortSignal): Promise<Outcome<readonly unknown[]>> {
    const spreadsheetId = this.#spreadsheetId;
    const query = {
      spreadsheetId,
      ranges: ranges.map((range) => this.#titles.range(range)),
      majorDimension: "ROWS",
      fields: VALUES,
      prettyPrint: false,
    };
    const rendering = { valueRenderOption: "UNFORMATTED_VALUE", dateTimeRenderOption: "FORMATTED_STRING" };
    const outcome = await this.#connection.call(
      (sheets, options) => sheets.spreadsheets.values.batchGet({ ...query, ...rendering }, options),
      {
        pool: "read",
        about: spreadsheetId,
        giveUp,
        read: (data) => {
          const found = (data as sheets_v4.Schema$BatchGetValuesResponse | null)?.valueRanges;
          return Array.isArray(found) && found.length === ranges.length ? found : undefined;
        },
        other: (reply) => unnamed(reply),
      },
    );
    return outcome.is === "ok" ? valuesOf(outcome.value, ranges) : outcome;
  }

  titleOf(title: string): string {
    return this.#titles.spelled(title);
  }

  async tabs(): Promise<Outcome<readonly string[]>> {
    const outcome = await this.#spreadsheet(TABS, (data) => {
      const found = (data as sheets_v4.Schema$Spreadsheet | null)?.sheets;
      if (!Array.isArray(found)) return undefined;
      const titles = found.filter((s) => (s?.properties?.sheetType ?? "GRID") === "GRID").map((s) => s?.properties?.title);
      return titles.length > 0 && titles.every((t) => typeof t === "string") ? titles : undefined;
    });
    if (outcome.is === "ok") this.#titles.learn(outcome.value);
    return outcome;
  }

  async sheetIds(): Promise<WriteOutcome<ReadonlyMap<string, number>>> {
    const outcome = await this.#spreadsheet(IDS, sheetIdsOf);
    if (outcome.is === "ok") this.#titles.learn(outcome.value.keys());
    return outcome;
  }

  batchUpdate(body: Uint8Array, fields: string): Promise<WriteOutcome<unknown>> {
    const spreadsheetId = this.#spreadsheetId;
    return this.#connection.call(
      (sheets, options) => {
        const request = sealed(body, options);
        return sheets.spreadsheets.batchUpdate({ spreadsheetId, fields, ...request.query }, request.options);
      },
      { pool: "write", about: spreadsheetId, read: named, other: refused },
    );
  }

  updateByFilter(body: Uint8Array): Promise<WriteOutcome<unknown>> {
    const spreadsheetId = this.#spreadsheetId;
    return this.#connection.call(
      (sheets, options) => {
        const request = sealed(body, options);
        return sheets.spreadsheets.values.batchUpdateByDataFilter({ spreadsheetId, fields: UPDATED, ...request.query }, request.options);
      },
      { pool: "write", about: spreadsheetId, read: named, other: refused },
    );
  }

  async metadata(metadataId: number): Promise<WriteOutcome<string | undefined>> {
    const spreadsheetId = this.#spreadsheetId;
    const query = { spreadsheetId, metadataId, fields: "metadataId,metadataValue", prettyPrint: false };
    const found = await this.#connection.call((sheets, options) => sheets.spreadsheets.developerMetadata.get(query, options), {
      pool: "read",
      about: spreadsheetId,
      read: metadataText(metadataId),
      other: ({ status }) => (status === 404 ? { is: "ok" as const, value: { text: undefined } } : undefined),
    });
    if (found.is !== "ok") return found;
    return { is: "ok", value: found.value.text };
  }

  search(metadataKey: string): Promise<WriteOutcome<readonly FoundMetadata[]>> {
    const spreadsheetId = this.#spreadsheetId;
    const requestBody = { dataFilters: [{ developerMetadataLookup: { metadataKey } }] };
    const query = { spreadsheetId, requestBody, fields: FOUND, prettyPrint: false };
    return this.#connection.call((sheets, options) => sheets.spreadsheets.developerMetadata.search(query, options), {
      pool: "read",
      about: spreadsheetId,
      read: foundMetadata,
    });
  }

  close(): void {
    this.#connection.close();
  }

  #spreadsheet<T>(fields: string, read: (data: unknown) => T | undefined): Promise<Outcome<T>> {
    const spreadsheetId = this.#spreadsheetId;
    const query = { spreadsheetId, includeGridData: false, fields, prettyPrint: false };
    return this.#connection.call((sheets, options) => sheets.spreadsheets.get(query, options), {
      pool: "read",
      about: spreadsheetId,
      read,
    });
  }
}

/** What one account can ask. */
export interface Account extends Upstream, WriteUpstream {
  /** Its calls about another spreadsheet. They end with this one. */
  of(spreadsheetId: string): Upstream;
}

/** Google, or what stands in its place. Nothing is loaded or connected before the first call. */
export function createGoogle({ spreadsheetId, ...options }: GoogleOptions & { readonly spreadsheetId: string }): Account {
  return new Google(new Connection(options), spreadsheetId);
}
