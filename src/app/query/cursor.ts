/**
 * Cursors: where the next page begins, as an opaque text.
 *
 *   base64url( 6 bytes of SHA-256 · JSON [hash, selection, offset, row, anchors, values, ties] )
 *
 * The digest finds damage and tinkering; it is no secret. A cursor that someone computes anew names nothing but a place
 * in a list that they may read anyway, and every field is checked again.
 */
import { createHash } from "node:crypto";
import { bad, good, type Cell, type Checked, type Cursor } from "./model.ts";
import { CURSOR_TEXT } from "./sort.ts";

/** Rows that a cursor remembers: so many consecutive deletions may hit it without a row met twice. */
export const ANCHORS = 8;
const TAG = 6;
const MAX_CURSOR = 4_096;
const UINT32 = 0xffff_ffff;

/** @returns the cursor's text, at most 2 KiB or so. */
export function writeCursor(cursor: Cursor): string {
  const { hash, selection, offset, row, anchors, values, ties } = cursor;
  const payload = Buffer.from(JSON.stringify([hash, selection, offset, row, anchors, values, ties]));
  return Buffer.concat([tagOf(payload), payload]).toString("base64url");
}

/**
 * @param selection what this request selects: a cursor of another table, filter or sort is refused.
 * @param sortKeys  how many sort values the cursor must carry.
 */
export function readCursor(text: string, selection: string, sortKeys: number): Checked<Cursor> {
  const wrong = bad("cursor", "is damaged: expected the value of `next` of an earlier answer, unchanged");
  if (text.length > MAX_CURSOR || !/^[\w-]+$/.test(text)) return wrong;
  const bytes = Buffer.from(text, "base64url");
  // The last character's unused bits must be zero: one place has one text.
  if (bytes.length <= TAG || bytes.toString("base64url") !== text) return wrong;
  const payload = bytes.subarray(TAG);
  if (!tagOf(payload).equals(bytes.subarray(0, TAG))) return wrong;
  const cursor = readPayload(payload);
  if (cursor === undefined) return wrong;
  if (cursor.selection !== selection || cursor.values.length !== sortKeys)
    return bad("cursor", "belongs to another query: keep table, filters and sort as they were (limit may change), or leave the cursor out");
  return good(cursor);
}

function tagOf(payload: Uint8Array): Buffer {
  return createHash("sha256").update("drover cursor 1\n").update(payload).digest().subarray(0, TAG);
}

function readPayload(payload: Buffer): Cursor | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined; // SyntaxError: the caller answers 400
  }
  if (!Array.isArray(fields) || fields.length !== 7) return undefined;
  const [hash, selection, offset, row, anchors, values, ties] = fields as unknown[];
  if (typeof hash !== "string" || hash.length > 64 || typeof selection !== "string" || selection.length > 64) return undefined;
  if (!count(offset) || !count(row) || !count(ties)) return undefined;
  if (!Array.isArray(anchors) || anchors.length > ANCHORS || !anchors.every(count)) return undefined;
  if (!Array.isArray(values) || !values.every(cell)) return undefined;
  return { hash, selection, offset, row, anchors, values, ties };
}

const count = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= UINT32;
const cell = (value: unknown): value is Cell =>
  value === null || typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && value.length <= CURSOR_TEXT);
