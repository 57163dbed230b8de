/** What a probe works with: tabs of its own in the throw-away spreadsheet, calls that keep within the quota, and ids that nobody else has. */
import { createHash } from "node:crypto";
import { minutes, ms, seconds, type Ms } from "../../../base/units.ts";
import type { Clock } from "../../../base/clock.ts";
import { lockedUntil, type Pool } from "../../../broker/answers.ts";
import type { Ledger } from "../../../broker/quota.ts";
import type { Raw, RawAnswer, RawCall } from "../../../broker/raw.ts";
import type { Finding } from "./assumptions.ts";

/** Under which doctor's own metadata stands. */
export const KEY = "drover-doctor";
export const TAB = /^drover-doctor-\d+$/;

/** It could not be tested: nothing is known about the assumption. */
export class Untested extends Error {}

export interface Answer extends RawAnswer {
  /** Parsed; undefined when it is none. */
  readonly json: unknown;
}

export interface Ports {
  readonly raw: Raw;
  readonly ledgers: Readonly<Record<Pool, Ledger>>;
  readonly clock: Clock;
  readonly sleep: (time: Ms) => Promise<void>;
  /** To the person who runs it. */
  readonly say: (line: string) => void;
  /** All ids follow from it, so that a recording can be replayed. */
  readonly seed: string;
  readonly timeout: Ms;
  /** Ends the run after the call under way. */
  readonly stopped: () => boolean;
}

export interface Tab {
  readonly sheetId: number;
  readonly title: string;
}

export type Cells = readonly (readonly (string | number | boolean | null)[])[];
type Query = Readonly<Record<string, string | readonly string[]>>;

/** Most times that a reading is repeated, and a call that was refused for its quota. */
const AGAIN = 3;

export const confirmed = (saw: string): Finding => ({ is: "confirmed", saw });
export const falsified = (saw: string): Finding => ({ is: "falsified", saw });
export const verdict = (holds: boolean, saw: string): Finding => (holds ? confirmed(saw) : falsified(saw));

/** Google's words, fit for a line. */
export function said(answer: Answer): string {
  const { message } = Object((answer.json as { error?: unknown } | undefined)?.error) as { message?: unknown };
  const text = typeof message === "string" ? message : answer.status === 200 ? "" : answer.text;
  return `${answer.status}${text === "" ? "" : ` ${text.replaceAll(/\s+/g, " ").slice(0, 200)}`}`;
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // an answer that is no JSON: the probe judges its status
  }
};

export class Bench {
  readonly ports: Ports;
  #nextId: number;
  #nextTab: number;
  readonly calls = { read: 0, write: 0 };

  constructor(ports: Ports) {
    this.ports = ports;
    const digest = createHash("sha256").update(ports.seed).digest();
    this.#nextId = 1 + (digest.readUInt32BE(0) >>> 2);
    this.#nextTab = 1_000_000 + (digest.readUInt32BE(4) >>> 3);
  }

  /** A metadata id that was never used. */
  id(): number {
    return this.#nextId++;
  }

  /** One call, within the quota. A 429 is waited for, unless it is what the caller wants to see; a reading without an answer is repeated. */
  async call(call: Omit<RawCall, "query" | "body"> & { query?: Query; body?: unknown }, wantsRefusal = false): Promise<Answer> {
    const { raw, ledgers, clock, sleep, stopped } = this.ports;
    const { query = {}, body, ...rest } = call;
    const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const));
    const whole: RawCall = { ...rest, query: pairs, body: body === undefined ? undefined : JSON.stringify(body) };
    for (let attempt = 1; ; attempt += 1) {
      const ledger = ledgers[call.pool];
      if (stopped()) throw new Untested("the run was stopped");
      const wait = ledger.next() - clock.now();
      if (wait > 0 && !wantsRefusal) await sleep(ms(wait));
      ledger.spend();
      this.calls[call.pool] += 1;
      const outcome = await raw.call(whole);
      const last = attempt >= AGAIN;
      if (outcome.is === "ok") {
        const answer: Answer = { ...outcome.value, json: parsed(outcome.value.text) };
        const refused = answer.status === 429 && !wantsRefusal;
        if (refused) ledger.lock(lockedUntil(answer.json, clock.wall()));
        if (refused && !last) continue;
        const failed = answer.status >= 500 || answer.status === 408 || answer.status === 401;
        if (!failed && !refused) return answer;
        if (last || refused || call.pool === "write") throw new Untested(`Google answered ${said(answer)}`);
      } else if (last || outcome.is !== "unavailable" || call.pool === "write") throw new Untested(outcome.message);
      await sleep(seconds(attempt));
    }
  }

  /** `spreadsheets.batchUpdate`, whatever comes of it. */
  batch(requests: readonly object[], more: object = {}, fields?: string, wantsRefusal = false): Promise<Answer> {
    const query = { prettyPrint: "false", ...(fields === undefined ? {} : { fields }) };
    return this.call({ verb: "POST", path: ":batchUpdate", pool: "write", query, body: { requests, ...more } }, wantsRefusal);
  }

  /** The same, as a preparation: when it fails nothing can be tested. */
  async prepare(requests: readonly object[], more: object = {}): Promise<Answer> {
    return good(await this.batch(requests, more), "the preparation was refused");
  }

  /** A new tab with these rows, and rows to spare unless a size is given. */
  async tab(rows: Cells, size: { rowCount: number; columnCount: number } = { rowCount: 40, columnCount: 8 }): Promise<Tab> {
    const sheetId = this.#nextTab++;
    const title = `drover-doctor-${sheetId}`;
    const start = { sheetId, rowIndex: 0, columnIndex: 0 };
    const filled = rows.length === 0 ? [] : [{ updateCells: { start, fields: "userEnteredValue", rows: rows.map(rowData) } }];
    await this.prepare([{ addSheet: { properties: { sheetId, title, gridProperties: size } } }, ...filled]);
    return { sheetId, title };
  }

  append({ sheetId }: Tab, rows: Cells): object {
    return { appendCells: { sheetId, fields: "userEnteredValue", rows: rows.map(rowData) } };
  }

  /** The rows of a range, read as the broker reads. @param range `A1:C`; undefined: the whole tab. */
  async rows({ title }: Tab, range?: string): Promise<readonly (readonly unknown[])[]> {
    const [first] = await this.ranges([`${title}${range === undefined ? "" : `!${range}`}`]);
    return first ?? [];
  }

  /** @returns the `values` of each range; undefined where there were none. */
  async ranges(ranges: readonly string[]): Promise<readonly (readonly (readonly unknown[])[] | undefined)[]> {
    const answer = good(await this.read(ranges), "the rows could not be read");
    const { valueRanges = [] } = answer.json as { valueRanges?: readonly { values?: readonly (readonly unknown[])[] }[] };
    return ranges.map((_, i) => valueRanges[i]?.values);
  }

  read(ranges: readonly string[], wantsRefusal = false): Promise<Answer> {
    const rendering = { valueRenderOption: "UNFORMATTED_VALUE", dateTimeRenderOption: "FORMATTED_STRING" };
    const query = { ranges, majorDimension: "ROWS", fields: "valueRanges(range,values)", prettyPrint: "false", ...rendering };
    return this.call({ verb: "GET", path: "/values:batchGet", pool: "read", query }, wantsRefusal);
  }

  metadata(id: number): Promise<Answer> {
    return this.call({ verb: "GET", path: `/developerMetadata/${id}`, pool: "read", query: { prettyPrint: "false" } });
  }

  /** All metadata of doctor's. */
  async search(): Promise<readonly Found[]> {
    const body = { dataFilters: [{ developerMetadataLookup: { metadataKey: KEY } }] };
    const path = "/developerMetadata:search";
    const answer = good(await this.call({ verb: "POST", path, pool: "read", query: { prettyPrint: "false" }, body }), "the search failed");
    const { matchedDeveloperMetadata = [] } = answer.json as { matchedDeveloperMetadata?: readonly { developerMetadata: Found }[] };
    return matchedDeveloperMetadata.map(({ developerMetadata }) => developerMetadata);
  }

  /** `values:batchUpdateByDataFilter` as the flusher sends it. */
  writeTagged(rows: readonly { readonly id: number; readonly values: Cells[number] }[]): Promise<Answer> {
    const data = rows.map(({ id, values }) => ({ dataFilter: byId(id), majorDimension: "ROWS", values: [values] }));
    const shown = { responseValueRenderOption: "UNFORMATTED_VALUE", responseDateTimeRenderOption: "FORMATTED_STRING" };
    const body = { valueInputOption: "RAW", includeValuesInResponse: true, ...shown, data };
    const query = { fields: "spreadsheetId,responses(dataFilter,updatedData)", prettyPrint: "false" };
    return this.call({ verb: "POST", path: "/values:batchUpdateByDataFilter", pool: "write", query, body });
  }

  pause(time: Ms): Promise<void> {
    return this.ports.sleep(ms(Math.min(time, minutes(3))));
  }
}

export interface Found {
  readonly metadataId: number;
  readonly metadataValue?: string;
  readonly location?: { readonly dimensionRange?: { readonly sheetId?: number; readonly startIndex?: number } };
}

/** @throws Untested for anything but 200. */
export function good(answer: Answer, why: string): Answer {
  if (answer.status === 200) return answer;
  throw new Untested(`${why}: ${said(answer)}`);
}

export const byId = (metadataId: number): object => ({ developerMetadataLookup: { metadataId } });
export const remove = (id: number): object => ({ deleteDeveloperMetadata: { dataFilter: byId(id) } });

const create = (metadataId: number, metadataValue: string, location: object): object => ({
  createDeveloperMetadata: { developerMetadata: { metadataId, metadataKey: KEY, metadataValue, location, visibility: "DOCUMENT" } },
});
export const fence = (id: number, value: string): object => create(id, value, { spreadsheet: true });
/** @param row counted from 0. */
export const tag = (id: number, { sheetId }: Tab, row: number): object =>
  create(id, `t${row}`, { dimensionRange: { sheetId, dimension: "ROWS", startIndex: row, endIndex: row + 1 } });
/** @param column counted from 0. */
export const guard = (id: number, { sheetId }: Tab, column: number): object =>
  create(id, `g${column}`, { dimensionRange: { sheetId, dimension: "COLUMNS", startIndex: column, endIndex: column + 1 } });

const KINDS = { string: "stringValue", number: "numberValue", boolean: "boolValue" } as const;

const rowData = (row: Cells[number]): object => ({
  values: row.map((cell) => (cell === null ? {} : { userEnteredValue: { [KINDS[typeof cell as keyof typeof KINDS]]: cell } })),
});

export const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
};
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
