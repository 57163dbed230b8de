/** Ids of writes: 48 bits of time and 80 of chance in Crockford's base 32 (github.com/ulid/spec), each larger than the one before. */
import { randomBytes } from "node:crypto";
import type { Timestamp } from "../base/units.ts";

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME = 10;
const LENGTH = 26;
const WHOLE = 2n ** 130n;

/** True for what a generator made: 26 digits, and no time beyond 48 bits. */
export const isUlid = (text: string): boolean => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);

const numberOf = (id: string): bigint => id.split("").reduce((n, digit) => n * 32n + BigInt(DIGITS.indexOf(digit)), 0n);

function textOf(number: bigint): string {
  let [text, rest] = ["", number];
  for (let i = 0; i < LENGTH; i += 1) {
    text = DIGITS.charAt(Number(rest % 32n)) + text;
    rest /= 32n;
  }
  return text;
}

/**
 * @param now the wall clock. @param random ten bytes. @param last an id that all new ones must be larger than.
 * @returns a function that makes ids. Within a millisecond, and while the clock is behind the last id, they count up by one.
 */
export function ulids(now: () => Timestamp, random: () => Uint8Array = () => randomBytes(10), last?: string): () => string {
  let before = last !== undefined && isUlid(last) ? numberOf(last) : -1n;
  return () => {
    const time = BigInt(Math.max(0, Math.floor(now())));
    const chance = random().reduce((n, byte) => n * 256n + BigInt(byte), 0n);
    const fresh = (time << 80n) | (chance & ((1n << 80n) - 1n));
    before = fresh > before && time > before >> 80n ? fresh : before + 1n;
    if (before >= WHOLE) throw new RangeError("there are no ids left: is this machine's clock right?");
    return textOf(before);
  };
}

/** The time that an id was made at. */
export const timeOf = (id: string): Timestamp => Number(numberOf(id.slice(0, TIME))) as Timestamp;
