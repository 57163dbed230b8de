/** How a row of the journal is kept: every kind in the same five columns, each row with a sum of its own. */
import { createHash, hash } from "node:crypto";

/** What a row is. Its place in this list is the first byte of its sum, and never changes. */
export const KINDS = ["meta", "entry", "batch", "sending", "landed", "parked", "once", "call", "fence", "tag"] as const;
export type Kind = (typeof KINDS)[number];

/** Kinds that are looked up by name, too: a write by its id, a client's key by its digest. */
export const NAMED: readonly Kind[] = ["entry", "landed", "parked", "once", "call"];

export interface Row {
  readonly nr: number;
  readonly name: string | null;
  /** JSON. */
  readonly record: string;
  readonly body: Uint8Array | null;
}

/** A row as SQLite or a damaged page gives it. */
export interface StoredRow extends Row {
  readonly sum: Uint8Array;
}

const SUM = 16;

/**
 * 16 bytes: the kind, and the beginning of SHA-256 over everything else. Whoever finds such a row in a damaged file knows that it is
 * ours, which kind it is, and that no bit of it has changed.
 */
export function sumOf(kind: Kind, { nr, name, record, body }: Row): Uint8Array {
  const text = JSON.stringify([kind, nr, name, record]);
  const whole = body === null ? hash("sha256", text, "buffer") : createHash("sha256").update(text).update(body).digest();
  const sum = Uint8Array.prototype.slice.call(whole, 0, SUM);
  sum[0] = KINDS.indexOf(kind);
  return sum;
}

/** @returns the row's kind, or undefined when its sum does not fit. */
export function kindOf(row: StoredRow): Kind | undefined {
  const kind = row.sum.length === SUM ? KINDS[row.sum[0] ?? KINDS.length] : undefined;
  return kind !== undefined && Buffer.compare(sumOf(kind, row), row.sum) === 0 ? kind : undefined;
}
