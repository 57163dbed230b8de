/** A spreadsheet under test: calls within the quota, tabs of the suite's own, and metadata with ids of its own. */
import { randomInt } from "node:crypto";
import auth from "google-auth-library";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { between, ms, seconds, type Ms } from "../../src/base/units.ts";
import { lockedUntil, messageIn, type Pool } from "../../src/broker/answers.ts";
import { Connection, type GoogleOptions } from "../../src/broker/connection.ts";
import type { Ledger } from "../../src/broker/quota.ts";
import type { Outcome } from "../../src/broker/upstream.ts";

export type Json = any; // oxlint-disable-line typescript/no-explicit-any -- requests and answers of every method

export interface Call {
  readonly verb: "GET" | "POST" | "PUT";
  /** Below `/v4/spreadsheets/ID`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Json;
  readonly pool: Pool;
  /** Instead of the spreadsheet under test. */
  readonly spreadsheetId?: string;
}
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The parsed text; `{}` if it is not a JSON object. */
  readonly json: Json;
  readonly took: Ms;
}
/** @returns `ok` for an answer of any status. */
export type Ask = (call: Call) => Promise<Outcome<Answer>>;

function parsed(text: string): Json {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Calls over the broker's own connection, with its tokens and deadline. */
export function connect(options: GoogleOptions & { readonly spreadsheetId: string }): { readonly ask: Ask; close(): void } {
  const connection = new Connection(options);
  const http = new auth.gaxios.Gaxios({ retry: false, redirect: "error", validateStatus: () => true, responseType: "text" });
  const ask: Ask = ({ verb: method, path, query = {}, body, pool, spreadsheetId: about = options.spreadsheetId }) => {
    const url = new URL(`v4/spreadsheets/${about}${path}`, options.sheetsEndpoint ?? "https://sheets.googleapis.com/");
    for (const [name, value] of Object.entries(query)) for (const one of [value].flat()) url.searchParams.append(name, one);
    const sent = body === undefined ? {} : { data: Buffer.from(JSON.stringify(body)) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const fixed = { ...type, "accept-encoding": "gzip", "user-agent": "drover-contract (gzip)" };
    const kept = { pool, about, read: (data: unknown) => data as Answer };
    return connection.call<Answer, Outcome<Answer>>(
      async (_, { signal, headers }) => {
        const began = systemClock.now();
        const answer = await http.request<string>({ url, method, signal, headers: { ...fixed, ...headers }, ...sent });
        const { status, data: text } = answer;
        const took = between(began, systemClock.now());
        return { status, data: { status, headers: Object.fromEntries(answer.headers), text, json: parsed(text), took } };
      },
      { ...kept, other: ({ data }) => ({ is: "ok", value: data as Answer }) },
    );
  };
  return { ask, close: () => connection.close() };
}

export type Finding = { readonly is: "holds" | "does not hold" | "not tested"; readonly saw: string };
/** Tries one claim. @throws Untested if something else kept it from an answer. */
export type Probe = (sheet: Sheet) => Promise<Finding>;
export class Untested extends Error {}

export const verdict = (holds: boolean, saw: unknown): Finding => ({ is: holds ? "holds" : "does not hold", saw: shown(saw) });
export const equal = (saw: unknown, expected: unknown): Finding => verdict(JSON.stringify(saw) === JSON.stringify(expected), saw);
/** One line without control characters. */
export const shown = (value: unknown): string =>
  (typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing")).replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").slice(0, 300);

export interface Ports {
  readonly ask: Ask;
  readonly ledgers: Readonly<Record<Pool, Ledger>>;
  readonly clock: Clock;
  readonly sleep: (time: Ms, stop: AbortSignal) => Promise<void>;
  /** Prints a line for the person at the terminal. */
  readonly say: (line: string) => void;
  readonly timeout: Ms;
  readonly stop: AbortSignal;
}
export interface Tab {
  readonly sheetId: number;
  readonly title: string;
}
export type Rows = readonly (readonly (string | number | boolean | null)[])[];

export const KEY = "drover-contract";
export const TAB = /^drover-contract-\d+$/;
/** As long as the value of drover's fences. */
export const VALUE = "aZ-_09.t6s2qk~Jx_-8Qzv1z141";
const ATTEMPTS = 3;
const DISPLAY = { valueRenderOption: "UNFORMATTED_VALUE", dateTimeRenderOption: "FORMATTED_STRING" };

export class Sheet {
  readonly ports: Ports;
  /** The last refusal in Google's words. */
  refusal = "";
  readonly calls = { read: 0, write: 0 };
  #next = randomInt(1_000_000, 1_000_000_000);

  constructor(ports: Ports) {
    this.ports = ports;
  }

  /** A new id of metadata or of a tab. */
  id(): number {
    return this.#next++;
  }

  /** Waits for the quota and repeats a read that failed. @param wantsRefusal returns a 429 instead. @throws Untested without an answer. */
  async call(call: Call, wantsRefusal = false): Promise<Answer> {
    const { ask, ledgers, clock, sleep, stop } = this.ports;
    const ledger = ledgers[call.pool];
    for (let attempt = 1; ; attempt += 1) {
      const wait = ledger.next() - clock.now();
      if (wait > 0 && !wantsRefusal) await sleep(ms(wait), stop);
      if (stop.aborted) throw new Untested("the run was stopped");
      ledger.spend();
      this.calls[call.pool] += 1;
      const outcome = await ask({ ...call, query: { prettyPrint: "false", ...call.query } });
      if (outcome.is !== "ok") {
        if (attempt === ATTEMPTS || call.pool === "write" || outcome.is !== "unavailable") throw new Untested(outcome.message);
      } else {
        const { status, json } = outcome.value;
        if (status !== 200) this.refusal = `${status} ${messageIn({ status, data: json })}`;
        const isRefused = status === 429 && !wantsRefusal;
        if (isRefused) ledger.lock(lockedUntil(json, clock.wall()));
        else if (status < 500 && status !== 401 && status !== 408) return outcome.value;
        if (attempt === ATTEMPTS || (call.pool === "write" && !isRefused)) throw new Untested(this.refusal);
        if (isRefused) continue;
      }
      await sleep(seconds(attempt), stop);
    }
  }

  pause(time: Ms): Promise<void> {
    return this.ports.sleep(time, this.ports.stop);
  }

  async good(call: Call): Promise<Json> {
    const { status, json } = await this.call(call);
    if (status !== 200) throw new Untested(this.refusal);
    return json;
  }

  batch(requests: readonly object[], more: object = {}, fields?: string, wantsRefusal = false): Promise<Answer> {
    const query = fields === undefined ? {} : { fields };
    return this.call({ verb: "POST", path: ":batchUpdate", pool: "write", query, body: { requests, ...more } }, wantsRefusal);
  }

  /** A batch that prepares a probe. @throws Untested if it is refused. */
  async made(...requests: readonly object[]): Promise<void> {
    if ((await this.batch(requests)).status !== 200) throw new Untested(this.refusal);
  }

  async tab(rows: Rows, rowCount = 40, columnCount = 8): Promise<Tab> {
    const sheetId = this.id();
    const title = `${KEY}-${sheetId}`;
    const cells = { start: { sheetId, rowIndex: 0, columnIndex: 0 }, fields: "userEnteredValue", rows: rows.map(rowData) };
    const add = { addSheet: { properties: { sheetId, title, gridProperties: { rowCount, columnCount } } } };
    await this.made(add, ...(rows.length === 0 ? [] : [{ updateCells: cells }]));
    return { sheetId, title };
  }

  read(ranges: readonly string[], wantsRefusal = false): Promise<Answer> {
    return this.call(
      { verb: "GET", path: "/values:batchGet", pool: "read", query: { ranges, fields: "valueRanges(range,values)", ...DISPLAY } },
      wantsRefusal,
    );
  }

  /** Cells as the broker reads them. @param cells `!A1:C`; by default the whole tab. */
  async rows({ title }: Tab, cells = ""): Promise<readonly (readonly unknown[])[]> {
    const { status, json } = await this.read([`${title}${cells}`]);
    if (status !== 200) throw new Untested(this.refusal);
    return json.valueRanges?.[0]?.values ?? [];
  }

  metadata(id: number): Promise<Answer> {
    return this.call({ verb: "GET", path: `/developerMetadata/${id}`, pool: "read" });
  }

  /** The row or column that metadata is on, from 0. */
  async place(id: number): Promise<number | "nowhere"> {
    const { status, json } = await this.metadata(id);
    if (status !== 200 && status !== 404) throw new Untested(this.refusal);
    return status === 404 ? "nowhere" : (json.location?.dimensionRange?.startIndex ?? 0);
  }

  async search(metadataKey = KEY): Promise<readonly Json[]> {
    const body = { dataFilters: [{ developerMetadataLookup: { metadataKey } }] };
    const { matchedDeveloperMetadata: all = [] } = await this.good({ verb: "POST", path: "/developerMetadata:search", pool: "read", body });
    return all.map(({ developerMetadata }: Json) => developerMetadata);
  }

  /** Changes rows by their tags as the flusher does. @param more further entries of `data`. */
  change(rows: readonly { readonly id: number; readonly values: Rows[number] }[], ...more: readonly object[]): Promise<Answer> {
    const data = [...rows.map(({ id, values }) => ({ dataFilter: byId(id), majorDimension: "ROWS", values: [values] })), ...more];
    const display = { responseValueRenderOption: "UNFORMATTED_VALUE", responseDateTimeRenderOption: "FORMATTED_STRING" };
    const body = { valueInputOption: "RAW", includeValuesInResponse: true, ...display, data };
    const query = { fields: "spreadsheetId,responses(dataFilter,updatedData)" };
    return this.call({ verb: "POST", path: "/values:batchUpdateByDataFilter", pool: "write", query, body });
  }
}

const KINDS = { string: "stringValue", number: "numberValue", boolean: "boolValue" };
const rowData = (row: Rows[number]): object => ({
  values: row.map((cell) => (cell === null ? {} : { userEnteredValue: { [KINDS[typeof cell as keyof typeof KINDS]]: cell } })),
});

export const append = ({ sheetId }: Pick<Tab, "sheetId">, rows: Rows): object => ({
  appendCells: { sheetId, fields: "userEnteredValue", rows: rows.map(rowData) },
});
export const byId = (metadataId: number): object => ({ developerMetadataLookup: { metadataId } });
export const remove = (id: number): object => ({ deleteDeveloperMetadata: { dataFilter: byId(id) } });
const create = (metadataId: number, metadataValue: string, location: object): object => ({
  createDeveloperMetadata: { developerMetadata: { metadataId, metadataKey: KEY, metadataValue, location, visibility: "DOCUMENT" } },
});
/** Metadata of the spreadsheet, by which a repeated batch is refused. */
export const fence = (id: number, value = VALUE): object => create(id, value, { spreadsheet: true });
/** @param start from 0. */
export const span = ({ sheetId }: Tab, dimension: "ROWS" | "COLUMNS", start: number, end = start + 1): object => ({
  sheetId,
  dimension,
  startIndex: start,
  endIndex: end,
});
/** Metadata of a row. */
export const tag = (id: number, tab: Tab, row: number): object => create(id, `t${row}`, { dimensionRange: span(tab, "ROWS", row) });
/** Metadata of a column. */
export const guard = (id: number, tab: Tab, at: number): object => create(id, `g${at}`, { dimensionRange: span(tab, "COLUMNS", at) });
