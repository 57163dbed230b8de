/**
 * Reads a write-ahead log without SQLite (https://www.sqlite.org/fileformat2.html#walformat). SQLite takes the first frame that does not fit
 * for the end, as it must after a loss of power: where one in the middle was altered, all that was acknowledged after it is gone
 * without a word. So a commit of the same run behind such a frame counts as damage. (A loss of power may have written the end of a transaction
 * and not its middle. Then it is searched in vain for damage, and what is found of it had not been acknowledged.)
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf } from "../../base/errors.ts";

const HEADER = 32;
const FRAME = 24;

export interface Wal {
  /** Undefined: what SQLite reads is all there is. */
  readonly damage: string | undefined;
  /** Where the newest committed content of a page begins in the file. */
  readonly pages: ReadonlyMap<number, number>;
  /** Of the database after the newest commit, in pages; undefined: nothing is committed here. */
  readonly count: number | undefined;
  /** In bytes. */
  readonly size: number;
  /** It is empty, or its header fits its sum. */
  readonly isHeaded: boolean;
}

interface Sum {
  readonly a: number;
  readonly b: number;
}

/** SQLite's checksum, over pairs of words. */
function checksum(bytes: Uint8Array, little: boolean, from: Sum): Sum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let { a, b } = from;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + view.getUint32(at, little) + b) >>> 0;
    b = (b + view.getUint32(at + 4, little) + a) >>> 0;
  }
  return { a, b };
}

interface Frame {
  readonly page: number;
  /** Of a commit: the database's pages after it; else 0. */
  readonly count: number;
  /** Of this run of the log: the salts of its header. */
  readonly ours: boolean;
  readonly stored: Sum;
  /** Its sum fits what stands in the frame before it. */
  readonly whole: boolean;
}

const sumAt = (view: DataView, at: number): Sum => ({ a: view.getUint32(at), b: view.getUint32(at + 4) });
const same = (one: Sum, other: Sum): boolean => one.a === other.a && one.b === other.b;

function readFrame(bytes: Uint8Array, little: boolean, salts: Sum, before: Sum): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stored = sumAt(view, 16);
  const sum = checksum(bytes.subarray(FRAME), little, checksum(bytes.subarray(0, 8), little, before));
  return { page: view.getUint32(0), count: view.getUint32(4), ours: same(sumAt(view, 8), salts), stored, whole: same(sum, stored) };
}

/** Frames in their order, each judged by the one before it as it stands there: one that was altered spoils itself and at most the next. */
function* frames(file: number, size: number, pageSize: number): Generator<Frame & { readonly at: number }> {
  const header = Buffer.alloc(HEADER);
  readSync(file, header, 0, HEADER, 0);
  const little = (header.readUInt32BE(0) & 1) === 0;
  const bytes = Buffer.alloc(FRAME + pageSize);
  let before: Sum = { a: header.readUInt32BE(24), b: header.readUInt32BE(28) };
  let salts: Sum | undefined;
  for (let at = HEADER; at + bytes.length <= size; at += bytes.length) {
    readSync(file, bytes, 0, bytes.length, at);
    // The header's salts, unless the header does not fit its own sum: then those of the first frame.
    salts ??= headerFits(header)
      ? { a: header.readUInt32BE(16), b: header.readUInt32BE(20) }
      : { a: bytes.readUInt32BE(8), b: bytes.readUInt32BE(12) };
    const frame = readFrame(bytes, little, salts, before);
    before = frame.stored;
    yield { ...frame, at: at + FRAME };
  }
}

function headerFits(header: Buffer): boolean {
  const little = (header.readUInt32BE(0) & 1) === 0;
  return (
    [0x377f0682, 0x377f0683].includes(header.readUInt32BE(0)) &&
    same(checksum(header.subarray(0, 24), little, { a: 0, b: 0 }), { a: header.readUInt32BE(24), b: header.readUInt32BE(28) })
  );
}

function judge(file: number, size: number, pageSize: number): Wal {
  const header = Buffer.alloc(HEADER);
  readSync(file, header, 0, HEADER, 0);
  const fits = headerFits(header) && header.readUInt32BE(8) === pageSize;
  const pages = new Map<number, number>();
  let newest: number | undefined;
  let open = new Map<number, number>();
  let broken = fits ? 0 : 1;
  let commitsBehind = 0;
  let certain: Pick<Wal, "pages" | "count"> | undefined;
  for (const { page, count, ours, whole, at } of frames(file, size, pageSize)) {
    if (!ours || !whole) {
      if (broken === 0) certain = { pages: new Map(pages), count: newest };
      broken += 1;
    } else open.set(page, at);
    if (!ours || count === 0) continue;
    if (broken > 0) commitsBehind += 1;
    for (const [nr, where] of open) pages.set(nr, where);
    newest = count;
    open = new Map();
  }
  const seen = { pages, count: newest, size, isHeaded: fits };
  if (broken > 0 && commitsBehind > 0)
    return { ...seen, damage: fits ? "a frame in the middle of the WAL was altered" : "the header of the WAL was altered" };
  return { ...seen, ...certain, damage: undefined };
}

/** @returns what the log has; nothing when it is missing or empty. */
export function readWal(path: string, pageSize: number): Wal {
  const nothing: Wal = { damage: undefined, pages: new Map(), count: undefined, size: 0, isHeaded: true };
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (e) {
    if (errnoOf(e) === "ENOENT") return nothing;
    throw e;
  }
  try {
    const { size } = fstatSync(file);
    return size <= HEADER ? { ...nothing, size } : judge(file, size, pageSize);
  } finally {
    closeSync(file);
  }
}
