/**
 * Reads the rows of a SQLite database without SQLite, page by page, whatever else of the file is broken. Formats:
 * https://www.sqlite.org/fileformat2.html §1.6 (b-tree pages), §1.7 (overflow), §2.1 (records).
 */
import type { StoredRow } from "./rows.ts";

/** A page by its number, from 1; undefined: not there. */
export type Pages = (nr: number) => Uint8Array | undefined;

const LEAF = 0x0d;
/** A row that claims more than this is none: entries are bounded far below, a batch's body is what one request to Google may carry. */
const LARGEST = 64 * 1_048_576;

interface Cursor {
  at: number;
}

/** A big-endian integer of 1 to 9 bytes, 7 bits each; the ninth has 8. */
function varint(page: Uint8Array, cursor: Cursor): number {
  let value = 0;
  for (let i = 0; i < 9; i += 1) {
    const byte = page[cursor.at] ?? 0;
    cursor.at += 1;
    if (i === 8) return value * 256 + byte;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return value;
}

/** How much of a payload stands in its cell; the rest is on overflow pages. */
function localSize(payload: number, usable: number): number {
  const most = usable - 35;
  if (payload <= most) return payload;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((payload - least) % (usable - 4));
  return fitting <= most ? fitting : least;
}

const uint32 = (page: Uint8Array, at: number): number => new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(at);

function payloadAt(page: Uint8Array, cursor: Cursor, size: number, pages: Pages): Uint8Array | undefined {
  const local = localSize(size, page.length);
  if (cursor.at + local > page.length) return undefined;
  const parts = [page.subarray(cursor.at, cursor.at + local)];
  let missing = size - local;
  let next = missing > 0 && cursor.at + local + 4 <= page.length ? uint32(page, cursor.at + local) : 0;
  while (missing > 0) {
    const overflow = next === 0 ? undefined : pages(next);
    if (overflow === undefined) return undefined;
    parts.push(overflow.subarray(4, 4 + Math.min(missing, page.length - 4)));
    missing -= page.length - 4;
    next = uint32(overflow, 0);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");

/** Serial types: 0 is NULL, an even one from 12 a blob of (N-12)/2 bytes, an odd one from 13 a text of (N-13)/2. */
function columns(payload: Uint8Array): (Uint8Array | string | null)[] | undefined {
  const cursor = { at: 0 };
  const end = varint(payload, cursor);
  const values: (Uint8Array | string | null)[] = [];
  let body = end;
  while (cursor.at < end) {
    const type = varint(payload, cursor);
    if (type !== 0 && type < 12) return undefined;
    const size = type === 0 ? 0 : Math.floor((type - 12) / 2);
    if (values.length === 5 || body + size > payload.length) return undefined;
    const bytes = payload.subarray(body, body + size);
    values.push(type === 0 ? null : type % 2 === 0 ? Uint8Array.from(bytes) : text(bytes));
    body += size;
  }
  return values;
}

/** A cell as a row of ours, whatever its sum says; undefined: it can't be one. */
function rowAt(page: Uint8Array, at: number, pages: Pages): StoredRow | undefined {
  const cursor = { at };
  const size = varint(page, cursor);
  const nr = varint(page, cursor);
  if (size > LARGEST || !Number.isSafeInteger(nr)) return undefined;
  const payload = payloadAt(page, cursor, size, pages);
  const [alias, name, record, body, sum, ...more] = (payload === undefined ? undefined : columns(payload)) ?? ["none"];
  const fits =
    alias === null &&
    (name === null || typeof name === "string") &&
    typeof record === "string" &&
    (body === null || body instanceof Uint8Array) &&
    sum instanceof Uint8Array &&
    more.length === 0;
  return fits ? { nr, name, record, body, sum } : undefined;
}

/**
 * The cells of one page of a table.
 * @param nr of the page: the first one has the file's header before its own.
 * @returns a row, or undefined for each cell that holds none; nothing for a page of another kind.
 */
export function* rowsOfPage(nr: number, pages: Pages): Generator<StoredRow | undefined> {
  const page = pages(nr);
  const start = nr === 1 ? 100 : 0;
  if (page?.[start] !== LEAF) return;
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const cells = view.getUint16(start + 3);
  for (let i = 0; i < cells; i += 1) {
    const pointer = start + 8 + 2 * i;
    if (pointer + 2 > page.length) return;
    yield rowAt(page, view.getUint16(pointer), pages);
  }
}
