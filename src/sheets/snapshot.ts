/**
 * One table's visible rows as one byte buffer: written by the broker, kept in shared memory by every worker, read by its
 * loop and by its threads without a copy.
 *
 *   u32 magic · u32 format · f64 epoch · f64 version · u32 rows · u32 columns · u32 key column (all bits set: none) · u32 columns' length · u32 rows' length
 *   columns: UTF-8 JSON [{name, type}, …], padded with blanks to 4 bytes
 *   u32 × (rows + 1): where each row begins, counted from the first; the last is one past the comma that would follow
 *   rows: UTF-8 JSON objects with a comma between, so that rows i…j are one slice, valid inside a JSON array as it stands
 *
 * Numbers are little-endian, which every platform that Node supports is.
 */
import { createHash } from "node:crypto";
import { numbered, rowId } from "./rowids.ts";
import type { ColumnType } from "./types.ts";

const MAGIC = 0x53_56_52_44; // "DRVS"
const FORMAT = 1;
/** Bytes before the columns. */
export const HEADER = 48;
const COMMA = 0x2c;
/** NO_KEY as the header has it. */
const KEYLESS = 0xffff_ffff;

/** A value of a cell as JSON: an empty cell, or one that does not fit its column's type, is null. */
export type Cell = string | number | boolean | null;

/** A column that may be seen. */
export interface VisibleColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** What a snapshot is made from: nothing hidden is in it. */
export interface Content {
  readonly columns: readonly VisibleColumn[];
  /** Index of the key column; NO_KEY: rows have ids that are not shown (see rowids.ts). */
  readonly key: number;
  /** One array a row, as long as `columns`. */
  readonly rows: readonly (readonly Cell[])[];
}

export type Row = Readonly<Record<string, Cell>>;

/** A row's JSON text: names are written as text, never as properties, so that `__proto__` is a name like any other. */
export const rowText = (columns: readonly VisibleColumn[], row: readonly Cell[]): string =>
  `{${columns.map(({ name }, i) => `${i === 0 ? "" : ","}${JSON.stringify(name)}:${JSON.stringify(row[i] ?? null)}`).join("")}}`;

function rowTexts({ columns, rows }: Content): string[] {
  const names = columns.map((column, i) => `${i === 0 ? "" : ","}${JSON.stringify(column.name)}:`);
  return rows.map((row) => `{${names.map((name, i) => name + JSON.stringify(row[i] ?? null)).join("")}}`);
}

/** @returns the body of the answer that shows one row. @param row its JSON text. */
export const rowBody = (table: string, row: Uint8Array | string): Buffer =>
  Buffer.concat([
    Buffer.from(`{"table":${JSON.stringify(table)},"row":`),
    typeof row === "string" ? Buffer.from(row) : row,
    Buffer.from("}"),
  ]);

/** @returns the strong tag of a row's answer, and what If-Match names: 20 characters (120 bits of SHA-256, base64url) over its body. */
export const rowTag = (body: Uint8Array): string => createHash("sha256").update(body).digest().subarray(0, 15).toString("base64url");

/**
 * @returns the snapshot's bytes, which have a buffer of their own, with epoch and version 0 (see `stamp`), and the content's hash (see `hashOf`).
 * @throws RangeError when the rows are over 4 GiB.
 */
export function encodeSnapshot(content: Content): { readonly bytes: Uint8Array<ArrayBuffer>; readonly hash: string } {
  const json = JSON.stringify(content.columns.map(({ name, type }) => ({ name, type })));
  const columns = Buffer.from(json.padEnd(json.length + ((4 - (Buffer.byteLength(json) % 4)) % 4)));
  const texts = rowTexts(content);
  const rows = Buffer.from(texts.join(","));
  const startsAt = HEADER + columns.length;
  const bytes = new Uint8Array(startsAt + 4 * (texts.length + 1) + rows.length);
  const head = new DataView(bytes.buffer);
  const fields = [MAGIC, FORMAT, texts.length, content.columns.length, content.key, columns.length, rows.length];
  for (const [i, value] of fields.entries()) head.setUint32(i < 2 ? 4 * i : 16 + 4 * i, value, true);
  const starts = new Uint32Array(bytes.buffer, startsAt, texts.length + 1);
  let at = 0;
  for (const [i, text] of texts.entries()) {
    starts[i] = at;
    at += Buffer.byteLength(text) + 1;
  }
  starts[texts.length] = at;
  bytes.set(columns, HEADER);
  bytes.set(rows, bytes.length - rows.length);
  return { bytes, hash: hashOf(bytes) };
}

/** @returns 16 hex digits of SHA-256 over what is visible: columns, key, rows; the same for the same content. @param bytes a whole snapshot's. */
export function hashOf(bytes: Uint8Array): string {
  const head = new DataView(bytes.buffer, bytes.byteOffset, HEADER);
  const [key, columnsLength, rowsLength] = [head.getUint32(32, true), head.getUint32(36, true), head.getUint32(40, true)];
  const columns = bytes.subarray(HEADER, HEADER + columnsLength);
  const rows = bytes.subarray(bytes.length - rowsLength);
  return createHash("sha256").update(columns).update(`\n${key}\n`).update(rows).digest("hex").slice(0, 16);
}

/** What a snapshot was made from. */
export function contentOf(snapshot: Snapshot): Content {
  const { columns, rowCount } = snapshot;
  const values = columns.map(({ name }) => snapshot.columnValues(name) ?? []);
  const rows = Array.from({ length: rowCount }, (_, i) => values.map((cells) => cells[i] ?? null));
  return {
    columns,
    key: Math.max(
      0,
      columns.findIndex(({ name }) => name === snapshot.key),
    ),
    rows,
  };
}

/** Writes which version of a table these bytes are. */
export function stamp(bytes: Uint8Array, epoch: number, version: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setFloat64(8, epoch, true);
  view.setFloat64(16, version, true);
}

const corrupt = (what: string): RangeError => new RangeError(`the snapshot is damaged: ${what}`);

function readColumns(text: string, count: number): readonly VisibleColumn[] {
  let columns: unknown;
  try {
    columns = JSON.parse(text);
  } catch {
    throw corrupt("its columns are not JSON");
  }
  const sound = (c: unknown): boolean =>
    typeof (c as VisibleColumn | null)?.name === "string" && typeof (c as VisibleColumn).type === "string";
  if (!Array.isArray(columns) || columns.length !== count || !columns.every(sound)) throw corrupt("its columns do not match its header");
  return columns as VisibleColumn[];
}

/** What was made of rows when it was first asked for. */
export interface Parsed {
  /** Of each column, in row order. */
  readonly values: ReadonlyMap<string, readonly Cell[]> | undefined;
  /** Where the first row of each key stands. */
  readonly index: Map<string, number> | undefined;
}

/** Rows of one version of one table. Immutable; costs no JSON work until a row or a column is asked for. */
export class Snapshot {
  readonly epoch: number;
  readonly version: number;
  readonly rowCount: number;
  readonly columns: readonly VisibleColumn[];
  /** The key column's name; undefined: its rows have ids that are not shown (see rowids.ts), or its tab is empty: it has no columns. */
  readonly key: string | undefined;
  /** What it was read from: may be handed to a thread, which makes its own Snapshot of it. */
  readonly buffer: ArrayBufferLike;
  /** Where each row begins, counted from the first; the last is one past the comma that would follow. Not to be changed. */
  readonly starts: Uint32Array;
  readonly #rows: Buffer;
  #values: Parsed["values"];
  #index: Parsed["index"];

  /**
   * @param spliced what is known of these rows, which were put together from those of snapshots: they are not looked at again.
   * @throws RangeError when the bytes are not a whole snapshot: whatever they hold, nothing outside them is read.
   */
  constructor(buffer: ArrayBufferLike, spliced?: Parsed) {
    const size = buffer.byteLength;
    if (size < HEADER) throw corrupt(`${size} bytes`);
    const head = new DataView(buffer, 0, HEADER);
    if (head.getUint32(0, true) !== MAGIC || head.getUint32(4, true) !== FORMAT) throw corrupt("another format");
    const [rows, columns, key, columnsLength, rowsLength] = [24, 28, 32, 36, 40].map((at) => head.getUint32(at, true)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const startsAt = HEADER + columnsLength;
    const rowsAt = startsAt + 4 * (rows + 1);
    if (columnsLength % 4 !== 0 || rowsAt + rowsLength !== size || (key >= Math.max(1, columns) && key !== KEYLESS))
      throw corrupt("its header does not match its size");
    this.buffer = buffer;
    this.epoch = head.getFloat64(8, true);
    this.version = head.getFloat64(16, true);
    this.rowCount = rows;
    this.columns = readColumns(Buffer.from(buffer, HEADER, columnsLength).toString(), columns);
    this.key = this.columns[key]?.name;
    this.starts = new Uint32Array(buffer, startsAt, rows + 1);
    this.#rows = Buffer.from(buffer, rowsAt, rowsLength);
    if (spliced === undefined) this.#check(rowsLength);
    this.#values = spliced?.values;
    this.#index = spliced?.index;
  }

  /** Each row is `{…}` and a comma stands between: a table that was cut or shifted is noticed here, not at a client. */
  #check(rowsLength: number): void {
    const starts = this.starts;
    if (starts[0] !== 0 || starts[this.rowCount] !== (this.rowCount === 0 ? 0 : rowsLength + 1)) throw corrupt("its row table");
    for (let i = 0; i < this.rowCount; i += 1) {
      const from = starts[i] as number;
      const to = starts[i + 1] as number;
      const closed = to >= from + 3 && this.#rows[from] === 0x7b && this.#rows[to - 2] === 0x7d;
      if (!closed || (i + 1 < this.rowCount && this.#rows[to - 1] !== COMMA)) throw corrupt(`row ${i}`);
    }
  }

  /**
   * Rows i up to but without j as UTF-8 JSON objects with commas between: the inside of a JSON array. A view, not a copy.
   * Bounds are clamped; an empty range gives no bytes.
   */
  rowSlice(i: number, j: number): Uint8Array {
    const from = Math.max(0, Math.min(i, this.rowCount));
    const to = Math.max(from, Math.min(j, this.rowCount));
    return from === to ? this.#rows.subarray(0, 0) : this.#rows.subarray(this.starts[from], (this.starts[to] as number) - 1);
  }

  /** @returns row i, parsed at each call, or undefined outside the table. */
  row(i: number): Row | undefined {
    if (!Number.isInteger(i) || i < 0 || i >= this.rowCount) return undefined;
    return JSON.parse(this.#rows.toString("utf8", this.starts[i], (this.starts[i + 1] as number) - 1)) as Row;
  }

  /** @returns a column's values in row order, or undefined for an unknown name. The first call parses the table once, for all columns. */
  columnValues(name: string): readonly Cell[] | undefined {
    this.#values ??= this.#parse();
    return this.#values.get(name);
  }

  /** @returns where the first row with this key stands, or undefined. Keys are compared as text: `7` finds the number 7. */
  indexOfKey(key: string): number | undefined {
    this.#index ??= this.#indexKeys();
    return this.#index.get(key);
  }

  /** @returns each row's key, or its id. */
  keys(): readonly string[] {
    if (this.key !== undefined) return (this.columnValues(this.key) ?? []).map(String);
    return numbered(Array.from({ length: this.rowCount }, (_, i) => this.firstIdOf(i)));
  }

  /** @returns the id of row i as if it were the first of its kind, in a table without keys. */
  firstIdOf(i: number): string {
    const row = this.row(i);
    return rowId(this.columns.map(({ name }) => row?.[name] ?? null));
  }

  /** What was parsed until now, for the next version. The index is given away, and would be made again if these rows were searched once more. */
  takeParsed(): Parsed {
    const parsed = { values: this.#values, index: this.#index };
    this.#index = undefined;
    return parsed;
  }

  #parse(): ReadonlyMap<string, readonly Cell[]> {
    const columns = new Map<string, Cell[]>(this.columns.map((c) => [c.name, []]));
    for (let i = 0; i < this.rowCount; i += 1) {
      const row = this.row(i) as Row;
      for (const [name, values] of columns) values.push(row[name] ?? null);
    }
    return columns;
  }

  #indexKeys(): Map<string, number> {
    const index = new Map<string, number>();
    for (const [i, key] of this.keys().entries()) if (!index.has(key)) index.set(key, i);
    return index;
  }
}
