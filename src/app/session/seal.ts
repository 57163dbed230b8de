/** Sealed cookies: AES-256-GCM, so that nobody but the workers can read one, and none can be made or changed outside. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Timestamp } from "../../base/units.ts";
import type { SecretKey } from "../../sheets/secrets.ts";
import { memberOf, type Identity } from "./who.ts";

const FORMAT = "drover session 1";
/** NIST SP 800-38D §8.2.2: random, so one key is good for 2^32 cookies. */
const NONCE = 12;
const TAG = 16;
/** A name has 500 characters at the most where it comes from a cell that people log in with. */
const MOST = 4_000;

const isText = (v: unknown): v is string => typeof v === "string";
const isTime = (v: unknown): v is Timestamp => Number.isSafeInteger(v) && (v as number) > 0;

/** @returns `KEY.SEALED`, in characters that a cookie may have (RFC 6265 §4.1.1). */
export function seal({ session, role, seen }: Identity, key: SecretKey): string {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", key.seal, nonce).setAAD(Buffer.from(`${FORMAT} ${key.id}`));
  const text = JSON.stringify([session.id, session.user, role ?? null, session.since, seen]);
  const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${key.id}.${sealed.toString("base64url")}`;
}

/** @returns what was sealed, or undefined: changed on the way, by a key that is none of these, or no cookie of ours. */
export function unseal(text: string, keys: readonly SecretKey[]): Identity | undefined {
  const key = keys.find(({ id }) => text.startsWith(`${id}.`));
  if (key === undefined || text.length > MOST) return undefined;
  const sealed = Buffer.from(text.slice(key.id.length + 1), "base64url");
  if (sealed.length <= NONCE + TAG) return undefined;
  const plain = decrypt(sealed, key);
  return plain === undefined ? undefined : readIdentity(plain);
}

function decrypt(sealed: Buffer, key: SecretKey): string | undefined {
  const decipher = createDecipheriv("aes-256-gcm", key.seal, sealed.subarray(0, NONCE), { authTagLength: TAG })
    .setAAD(Buffer.from(`${FORMAT} ${key.id}`))
    .setAuthTag(sealed.subarray(-TAG));
  const text = decipher.update(sealed.subarray(NONCE, -TAG), undefined, "utf8");
  try {
    return text + decipher.final("utf8");
  } catch {
    return undefined; // the tag does not fit: whatever it says, we have not said it
  }
}

function readIdentity(text: string): Identity | undefined {
  const [id, user, role, since, seen] = JSON.parse(text) as readonly unknown[]; // sealed by us: it is JSON
  if (!isText(id) || !isText(user) || (role !== null && !isText(role)) || !isTime(since) || !isTime(seen)) return undefined;
  const member = memberOf(user, role ?? undefined);
  return { ...member, session: { id, user, admin: member.admin, since }, seen };
}
