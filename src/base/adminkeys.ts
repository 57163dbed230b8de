/**
 * How a process tells who may administer without holding a secret: it knows digests alone. The master pushes them to every worker, so that
 * a request with a wrong key is refused where it arrives and the master never hears of it.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Timestamp } from "./units.ts";

/** A viewer sees everything; an operator may change things. */
export type AdminRole = "viewer" | "operator";

export interface AdminKey {
  /** SHA-256 of the secret, base64url. Secrets are random or long, so a slow hash would protect nothing. */
  readonly digest: string;
  readonly role: AdminRole;
  /** What the audit calls it. */
  readonly name: string;
  /** 0: it does not expire. */
  readonly until: Timestamp;
}

/** All that opens the admin API. Bounded by whoever makes them. */
export interface AdminKeys {
  /** For `Authorization: Bearer`, and for logging in. */
  readonly tokens: readonly AdminKey[];
  /** Cookies of browsers that are logged in. */
  readonly sessions: readonly AdminKey[];
  /** One-time links. */
  readonly tickets: readonly AdminKey[];
}

export const NO_KEYS: AdminKeys = { tokens: [], sessions: [], tickets: [] };

/** The digest of a token, a cookie or a link's ticket. */
export const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("base64url");

/**
 * The key that a secret is, if it is one of these and has not run out. Takes as long for a wrong secret as for the right one: digests are
 * compared whole, and all of them.
 */
export function findKey(keys: readonly AdminKey[], secret: string, wall: Timestamp): AdminKey | undefined {
  const digest = createHash("sha256").update(secret).digest();
  let found: AdminKey | undefined;
  for (const key of keys) {
    const known = Buffer.from(key.digest, "base64url");
    if (known.length === digest.length && timingSafeEqual(known, digest)) found = key;
  }
  return found !== undefined && (found.until === 0 || found.until > wall) ? found : undefined;
}

/** What a page must send beside its cookie: it follows from the cookie, which a page of another origin can't read. */
export const csrfOf = (cookie: string): string => createHmac("sha256", cookie).update("drover csrf").digest("base64url");

/** Whether two texts are the same, in a time that says nothing about where they differ. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(left, right);
}
