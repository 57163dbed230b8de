/**
 * The journal's format: one record for each call that changed something, appended in order.
 *
 *   u32 BE magic · u32 BE payload length · u32 BE CRC-32 of the payload · payload: JSON {"seq", "call"}
 *
 * A crash can leave its last record torn; nothing else may be wrong. The magic lets a reader tell the one from the other:
 * if a sound record follows what it can't read, the middle is corrupt.
 */
import { crc32 } from "node:zlib";
import type { EngineCall } from "./engine.types.ts";
import { LIMITS } from "./limits.ts";

const MAGIC = 0x64_72_76_6a; // "drvj"
const HEAD = 12;

export interface Entry {
  /** Counts the changes since the first start, without gaps. */
  readonly seq: number;
  readonly call: EngineCall;
}

export function encodeEntry(entry: Entry): Buffer {
  const payload = Buffer.from(JSON.stringify(entry));
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(payload.length, 4);
  head.writeUInt32BE(crc32(payload), 8);
  return Buffer.concat([head, payload]);
}

/** What a journal holds. `good`: bytes up to the end of the last sound record in unbroken order. */
export interface Reading {
  readonly entries: readonly Entry[];
  readonly good: number;
  /** What follows `good`: nothing, a record that a crash cut off, or sound records behind unreadable bytes. */
  readonly rest: "none" | "torn" | "corrupt";
}

/** @returns the entry that begins at `offset` and its whole length, or undefined when there is no sound record. */
function entryAt(bytes: Buffer, offset: number): { entry: Entry; length: number } | undefined {
  if (bytes.length - offset < HEAD || bytes.readUInt32BE(offset) !== MAGIC) return undefined;
  const length = bytes.readUInt32BE(offset + 4);
  if (length > LIMITS.recordBytes || length > bytes.length - offset - HEAD) return undefined;
  const payload = bytes.subarray(offset + HEAD, offset + HEAD + length);
  if (crc32(payload) !== bytes.readUInt32BE(offset + 8)) return undefined;
  return { entry: JSON.parse(payload.toString("utf8")) as Entry, length: HEAD + length };
}

function holdsEntry(bytes: Buffer, from: number): boolean {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(MAGIC);
  for (let at = bytes.indexOf(magic, from); at >= 0; at = bytes.indexOf(magic, at + 1))
    if (entryAt(bytes, at) !== undefined) return true;
  return false;
}

export function readJournal(bytes: Buffer): Reading {
  const entries: Entry[] = [];
  let good = 0;
  for (let found = entryAt(bytes, 0); found !== undefined; found = entryAt(bytes, good)) {
    const last = entries.at(-1);
    if (last !== undefined && found.entry.seq !== last.seq + 1)
      return { entries, good, rest: "corrupt" };
    entries.push(found.entry);
    good += found.length;
  }
  if (good === bytes.length) return { entries, good, rest: "none" };
  return { entries, good, rest: holdsEntry(bytes, good + 1) ? "corrupt" : "torn" };
}
