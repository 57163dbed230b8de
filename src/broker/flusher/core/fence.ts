/**
 * What is written into developer metadata. The value is short because a spreadsheet holds 30,000 characters of it:
 *
 *   fence  mark(6) "." seconds(6) digest(8) upTo     void  the same with "-": nothing of the batch will ever land
 *   tag    mark(6) "~" seconds(6)        guard  mark(6) "+" seconds(6)
 *
 * `mark` is the journal's identity, digested; `seconds` when it was made, base 36; `digest` that of the sealed requests; `upTo`,
 * base 36, the number up to which every write is settled once this batch has landed. The batch's number is the metadata's id.
 */
import { createHash } from "node:crypto";
import type { Timestamp } from "../../../base/units.ts";

export const METADATA_KEY = "drover";
const KINDS = { ".": "fence", "-": "void", "~": "tag", "+": "guard" } as const;

export interface Mark {
  readonly mark: string;
  readonly kind: "fence" | "void" | "tag" | "guard";
  /** Seconds since 1970. */
  readonly at: number;
  /** Of a fence; 0 of the others. */
  readonly upTo: number;
}

const digest = (text: string, characters: number): string => createHash("sha256").update(text).digest("base64url").slice(0, characters);
const secondsText = (at: Timestamp): string =>
  Math.floor(at / 1_000)
    .toString(36)
    .padStart(6, "0");

/** @returns the six characters by which a journal knows its own. */
export const markOf = (identity: string): string => digest(identity, 6);

/** @param requests the batch's requests without the fence, as they are sent. */
export const fenceValue = (mark: string, at: Timestamp, upTo: number, requests: string): string =>
  `${mark}.${secondsText(at)}${digest(requests, 8)}${upTo.toString(36)}`;

export const tagValue = (mark: string, at: Timestamp): string => `${mark}~${secondsText(at)}`;

export const guardValue = (mark: string, at: Timestamp): string => `${mark}+${secondsText(at)}`;

/** @returns an id for a guard. Not from the counter of fences and tags: a fence whose number another's guard had could land later, twice. */
export function guardId(mark: string, ...about: readonly string[]): number {
  return (
    1 +
    (createHash("sha256")
      .update([mark, ...about].join("\0"))
      .digest()
      .readUInt32BE() %
      2 ** 30)
  );
}

/** @returns the value that takes a fence's place, so that the batch can't land any more. */
export const voidOf = (fence: string): string => `${fence.slice(0, 6)}-${fence.slice(7)}`;

/** @returns undefined for what another program wrote under our key. */
export function readMark(value: string): Mark | undefined {
  const parts = /^([\w-]{6})([.~+-])([0-9a-z]{6})(?:[\w-]{8}([0-9a-z]*))?$/.exec(value);
  if (parts === null) return undefined;
  const [, mark = "", sign = "", at = "", upTo = ""] = parts;
  const kind = KINDS[sign as keyof typeof KINDS];
  return { mark, kind, at: Number.parseInt(at, 36), upTo: kind === "fence" && upTo !== "" ? Number.parseInt(upTo, 36) : 0 };
}
