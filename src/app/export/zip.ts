/**
 * A zip file (APPNOTE 6.3.10) that is written in pieces by whoever comes along: a few parts that are there as a whole, then one that is
 * compressed piece by piece. Each piece is a run of deflate blocks of its own, ended at a byte (Z_SYNC_FLUSH): joined they are one stream,
 * so nothing but the three numbers of `Flow` has to be kept between two pieces. Pure.
 */
import { constants, crc32, deflateRawSync } from "node:zlib";
import type { Timestamp } from "../../base/units.ts";

/** What has been written of the part in pieces. */
export interface Flow {
  readonly crc: number;
  readonly size: number;
  readonly packed: number;
}
export const NOTHING: Flow = { crc: 0, size: 0, packed: 0 };

export interface Archive {
  /** By path, in this order; paths are ASCII. */
  readonly parts: ReadonlyMap<string, string>;
  /** Path of the part in pieces. */
  readonly last: string;
  readonly at: Timestamp;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const DESCRIPTOR = 0x08074b50;
const STORED = 0;
const DEFLATED = 8;
const VERSION = 20;
/** Sizes stand behind the part, in a descriptor. */
const SIZES_FOLLOW = 0x0008;
/** Cheap: half as much again as the best, for a third of its time. */
const LEVEL = 3;

/** Everything before the part in pieces. */
export function zipHead({ parts, last, at }: Archive): Buffer {
  const pieces = [...parts].flatMap(([path, text]) => {
    const content = Buffer.from(text);
    return [localHeader(path, at, whole(content)), content];
  });
  return Buffer.concat([...pieces, localHeader(last, at, undefined)]);
}

/** @returns the next bytes of the part in pieces. */
export function zipPiece(text: string, before: Flow): { readonly bytes: Buffer; readonly flow: Flow } {
  const content = Buffer.from(text);
  const bytes = deflateRawSync(content, { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH });
  const { crc, size, packed } = before;
  return { bytes, flow: { crc: crc32(content, crc), size: size + content.length, packed: packed + bytes.length } };
}

/** Everything behind the part in pieces: its last block, what it measured, and the directory. */
export function zipTail(archive: Archive, flow: Flow): Buffer {
  const { parts, last, at } = archive;
  const end = deflateRawSync("");
  const measured: Flow = { ...flow, packed: flow.packed + end.length };
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [path, text] of parts) {
    const is = whole(Buffer.from(text));
    entries.push(centralHeader(path, at, { ...is, method: STORED, offset }));
    offset += 30 + path.length + is.packed;
  }
  entries.push(centralHeader(last, at, { ...measured, method: DEFLATED, offset }));
  const directory = Buffer.concat(entries);
  const begins = offset + 30 + last.length + measured.packed + 16;
  const descriptor = fields([4, DESCRIPTOR], [4, measured.crc], [4, measured.packed], [4, measured.size]);
  return Buffer.concat([end, descriptor, directory, endRecord(entries.length, directory.length, begins)]);
}

const whole = (content: Buffer): Flow => ({ crc: crc32(content), size: content.length, packed: content.length });

/** @param is undefined: not known yet. */
function localHeader(path: string, at: Timestamp, is: Flow | undefined): Buffer {
  const { crc, size, packed } = is ?? NOTHING;
  const [flags, method] = is === undefined ? [SIZES_FOLLOW, DEFLATED] : [0, STORED];
  const head = fields([4, LOCAL], [2, VERSION], [2, flags], [2, method], [4, dosTime(at)], [4, crc], [4, packed], [4, size]);
  return Buffer.concat([head, fields([2, path.length], [2, 0]), Buffer.from(path)]);
}

function centralHeader(path: string, at: Timestamp, is: Flow & { readonly method: number; readonly offset: number }): Buffer {
  const flags = is.method === STORED ? 0 : SIZES_FOLLOW;
  const same = fields([2, flags], [2, is.method], [4, dosTime(at)], [4, is.crc], [4, is.packed], [4, is.size], [2, path.length]);
  const rest = fields([2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, is.offset]);
  return Buffer.concat([fields([4, CENTRAL], [2, VERSION], [2, VERSION]), same, rest, Buffer.from(path)]);
}

function endRecord(entries: number, size: number, offset: number): Buffer {
  return fields([4, END], [2, 0], [2, 0], [2, entries], [2, entries], [4, size], [4, offset], [2, 0]);
}

/** Little-endian numbers of 2 or 4 bytes. */
function fields(...values: readonly (readonly [size: 2 | 4, value: number])[]): Buffer {
  const buffer = Buffer.alloc(values.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of values) at = buffer.writeUIntLE(value, at, size);
  return buffer;
}

/** Time in the lower half, date in the upper, in UTC: the same file on every machine. It begins in 1980. */
function dosTime(at: Timestamp): number {
  const date = new Date(Math.max(at, Date.UTC(1980, 0, 1)));
  const day = ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1);
  return day * 65_536 + time;
}
