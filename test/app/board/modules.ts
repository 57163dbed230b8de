/** The board's modules that need no page, with their types: they are plain JavaScript, as browsers take them. */
const FOLDER = new URL("../../../src/app/page/static/", import.meta.url);
const load = async <T>(name: string): Promise<T> => (await import(new URL(name, FOLDER).href)) as T;

export type Row = Readonly<Record<string, unknown>>;
export interface Rows {
  readonly name: string;
  readonly key: string;
  readonly rows: readonly Row[];
  readonly total: number;
}
export interface FeedEvent {
  readonly kind: string;
  readonly table?: string | null;
  readonly key?: string;
  readonly row?: Row;
}
export interface Entry {
  readonly once: string;
  readonly table: string;
  readonly key?: string | undefined;
  readonly values: Row;
  readonly user?: string | undefined;
  readonly is: string;
  readonly tries: number;
  readonly until?: number;
  readonly next?: number;
  readonly id?: string;
  readonly why?: string;
  readonly text?: string;
}
export type Answer = Readonly<Record<string, unknown>> & { readonly is: "ok" | "refused" | "unreachable" };
export type Say = (name: string, values?: Row) => string;
export interface Notice {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly until?: number;
  readonly action?: string;
  readonly does?: string;
}

export const format = await load<{
  readonly fill: (text: string, values?: Row) => string;
  readonly countdown: (ms: number) => string;
  readonly ago: (seconds: number, language: string) => string;
  readonly textOf: (cell: unknown, language: string) => string;
  readonly backoff: (tries: number, asked?: number, chance?: number) => number;
  readonly sorted: (rows: readonly Row[], sort: { column: string; down?: boolean }, language: string) => readonly Row[];
  readonly ranked: (rows: readonly Row[], column: string, language: string) => readonly { row: Row; place: number }[];
  readonly matches: (row: Row, search: string) => boolean;
  readonly numericColumns: (rows: readonly Row[], columns: readonly string[]) => ReadonlySet<string>;
  readonly languageOf: (wanted: readonly string[], known: readonly string[]) => string;
}>("format.js");

export const feed = await load<{
  readonly reduce: (table: Rows, event: FeedEvent) => { readonly table: Rows; readonly changed: readonly string[] | undefined };
  readonly readEvent: (kind: string, data: string) => FeedEvent | undefined;
}>("feed.js");

export const outbox = await load<{
  readonly entryOf: (what: Partial<Entry>, once: string, now: number) => Entry;
  readonly answered: (entry: Entry, answer: Answer, now: number) => Entry;
  readonly looked: (entry: Entry, write: Row, now: number) => Entry;
  readonly due: (entries: readonly Entry[], now: number, user?: string) => readonly Entry[];
  readonly overlay: (rows: readonly Row[], entries: readonly Entry[], table: Rows) => readonly { row: Row; entry?: Entry }[];
  readonly store: (entries: readonly Entry[]) => string;
  readonly restore: (text: string | null) => readonly Entry[];
}>("outbox.js");

export const { notices } = await load<{ readonly notices: (state: Row, say: Say) => readonly Notice[] }>("notices.js");
export const { refusalOf } = await load<{
  readonly refusalOf: (answer: Answer, now: number, say: Say) => { kind: string; text: string; until?: number };
}>("views/login.js");
export const { TEXTS } = await load<{ readonly TEXTS: Readonly<Record<"en" | "fr", Row>> }>("texts.js");
export const { BOARD } = await load<{
  readonly BOARD: {
    readonly people: { readonly table: string };
    readonly order: readonly string[];
    readonly demo: readonly { readonly name: string; readonly secret: string }[];
  };
}>("config.js");
