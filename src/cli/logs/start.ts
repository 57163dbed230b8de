/** Where to begin in a file: its last lines that are wanted, found from the end, so that a large log costs no more than what is shown. */
import type { FileHandle } from "node:fs/promises";
import { minutes } from "../../base/units.ts";
import { readEntry, timeOf, wants, type Wanted } from "./entry.ts";
import { LONGEST } from "./lines.ts";

const BLOCK = 262_144;
const LINE_FEED = 10;
/** Processes write at nearly the same time: lines are in order but for so much. */
const DISORDER = minutes(1);

export interface Start {
  readonly offset: number;
  /** Wanted lines from there on. */
  readonly found: number;
  /** What is before is too old, or was not asked for; false: the file began here. */
  readonly whole: boolean;
}

export interface Sought {
  readonly wanted: Wanted;
  /** Of the wanted lines; Infinity: all since `wanted.since`. */
  readonly most: number;
  /** The search is given up. */
  readonly ended?: AbortSignal;
}

export async function findStart(file: FileHandle, size: number, { wanted, most, ended }: Sought): Promise<Start> {
  let found = 0;
  let offset = size;
  if (most === 0) return { offset, found, whole: true };
  for await (const { at, text } of backwards(file, size)) {
    const entry = readEntry(text);
    if (wanted.since !== undefined && timeOf(entry) < wanted.since - DISORDER) return { offset, found, whole: true };
    offset = at;
    if (wants(wanted, entry)) found += 1;
    if (found >= most || ended?.aborted === true) return { offset, found, whole: true };
  }
  return { offset: 0, found, whole: false };
}

interface Placed {
  readonly at: number;
  readonly text: string;
}

/** The file's lines, the last first. What ends the file without a line feed is among them. */
async function* backwards(file: FileHandle, size: number): AsyncGenerator<Placed> {
  let rest: Buffer = Buffer.alloc(0); // the end of a line that began before
  let first = true;
  for (let at = size; at > 0;) {
    const length = Math.min(BLOCK, at);
    const block = Buffer.alloc(length);
    const { bytesRead } = await file.read(block, 0, length, at - length);
    if (bytesRead < length) return; // it was cut while it was read: whoever follows it will see
    at -= length;
    let bytes = Buffer.concat([block, rest]);
    for (let cut = endOf(bytes, first); cut >= 0; cut = bytes.lastIndexOf(LINE_FEED)) {
      yield { at: at + cut + 1, text: textOf(bytes.subarray(cut + 1)) };
      bytes = bytes.subarray(0, cut);
      first = false;
    }
    rest = bytes;
    if (rest.length <= LONGEST) continue;
    yield { at, text: textOf(rest) };
    rest = Buffer.alloc(0);
  }
  if (rest.length > 0) yield { at: 0, text: textOf(rest) };
}

/** The line feed that ends the file begins no line. */
const endOf = (bytes: Buffer, first: boolean): number =>
  first && bytes.at(-1) === LINE_FEED
    ? bytes.length < 2
      ? -1
      : bytes.lastIndexOf(LINE_FEED, bytes.length - 2)
    : bytes.lastIndexOf(LINE_FEED);

const textOf = (bytes: Buffer): string => bytes.toString("utf8", 0, bytes.at(-1) === LINE_FEED ? bytes.length - 1 : bytes.length);
