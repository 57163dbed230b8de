/**
 * What people log in with, and what of it is kept.
 *
 *   in the sheet                       in memory, and what a worker compares with
 *   K7M2-9QXR-4T3W                     $mac$KEY$$HMAC(key, SHA-256(code))           an issued code as it is
 *   $code$SALT$HASH                    $mac$KEY$SALT$HMAC(key, HASH)                 of `drover codes`
 *   $scrypt$ln=14,r=8,p=5$SALT$HASH    the same                                      of `drover hash`
 *   anything else                      as an issued code, and the log says so        a password as it is
 *
 * A code has 60 random bits: who steals a hash of it does not find it (10^10 tries a second take three years), so a fast hash is enough,
 * and one keyed so that what a process holds is of no use elsewhere. A password is a person's choice: only scrypt makes trying slow.
 */
import { createHash, createHmac, hkdfSync, randomBytes, randomInt, timingSafeEqual } from "node:crypto";

/** Crockford's base 32: no I, L, O and U, and what is read wrongly is taken for what it was. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SYMBOLS = 12;
/** Codes of other makers may have a U. */
const CODE_SYMBOLS = new RegExp(`^[${ALPHABET}U]+$`);
/** How many symbols a code may have: 40 bits at the least. */
const LENGTHS = [8, 12, 16];
/** How a code stands in a sheet; a password that happens to consist of such symbols does not. */
const GROUPED = /^[0-9A-Z]{4}(?:-[0-9A-Z]{4}){1,3}$/;
/** In place of a salt: the secret is a password as it is, of which every letter counts. */
const AS_IT_IS = "-";
/** More is no secret that anybody types. */
export const MOST_SECRET = 256;

/** The keys of sessions and codes that one secret of the operator's gives. */
export interface SecretKey {
  /** Names the key without telling it: 8 characters. */
  readonly id: string;
  /** For cookies. */
  readonly seal: Buffer;
  /** For what codes are compared with. */
  readonly codes: Buffer;
}

/** @param text at least 32 characters. Each use has a key of its own (HKDF, RFC 5869). */
export function deriveKey(text: string): SecretKey {
  const derived = (use: string, size: number): Buffer => Buffer.from(hkdfSync("sha256", text, "drover", use, size));
  return { id: derived("id", 6).toString("base64url"), seal: derived("seal", 32), codes: derived("codes", 32) };
}

/** A new code: 60 random bits, in groups of four. */
export function makeCode(): string {
  const symbols = Array.from({ length: SYMBOLS }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return (symbols.match(/.{4}/g) ?? []).join("-");
}

/** @returns the code that somebody typed, whatever its case and its separators; undefined: it is none. */
export function readCode(text: string): string | undefined {
  const symbols = text
    .replaceAll(/[\s–—-]/g, "")
    .toUpperCase()
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
  return LENGTHS.includes(symbols.length) && CODE_SYMBOLS.test(symbols) ? symbols : undefined;
}

const fastHash = (secret: string, salt: string): Buffer => {
  const text = salt === AS_IT_IS ? undefined : readCode(secret);
  return createHash("sha256")
    .update(`drover code\n${salt}\n${text ?? secret.normalize("NFC")}`)
    .digest();
};

/** What goes into the sheet for a code whose plain form nobody shall read there. */
export function hashCode(code: string): string {
  const salt = randomBytes(9).toString("base64url");
  return `$code$${salt}$${fastHash(code, salt).toString("base64url")}`;
}

const CODE = /^\$code\$([\w-]{8,64})\$([\w-]{43})$/;
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/-]{11,88})\$([\w+/-]{22,88})$/;
const MAC = /^\$mac\$([\w-]{8})\$([\w-]{0,64})\$([\w-]{43})$/;

export type Kept =
  | { readonly is: "kept"; readonly verifier: string; readonly plain: boolean }
  /** It looks like a hash, and is none that can be compared with: nobody can log in by it. */
  | { readonly is: "unusable" };

/** @returns what is kept of a secret cell. `plain`: it was a password as it is. @param key the oldest: every generation that runs has it. */
export function keep(cell: string, key: SecretKey): Kept {
  const text = cell.trim();
  const mac = (salt: string, hash: Buffer): string =>
    `$mac$${key.id}$${salt}$${createHmac("sha256", key.codes).update(hash).digest("base64url")}`;
  const [, salt, hash] = CODE.exec(text) ?? [];
  if (salt !== undefined && hash !== undefined) return { is: "kept", verifier: mac(salt, Buffer.from(hash, "base64url")), plain: false };
  if (readScrypt(text) !== undefined) return { is: "kept", verifier: text, plain: false };
  if (/^\$(?:code|scrypt|mac|2[aby]|argon2\w*|pbkdf2\w*)\$/i.test(text) || text.length > MOST_SECRET) return { is: "unusable" };
  const plain = !GROUPED.test(text) || readCode(text) === undefined;
  const no = plain ? AS_IT_IS : "";
  return { is: "kept", verifier: mac(no, fastHash(text, no)), plain };
}

export interface Scrypt {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** @returns what a `$scrypt$` text says; undefined: it is none, or one that costs more than 64 MiB or 4 s. */
export function readScrypt(text: string): Scrypt | undefined {
  const [, ln, r, p, salt, hash] = SCRYPT.exec(text) ?? [];
  if (ln === undefined || r === undefined || p === undefined || salt === undefined || hash === undefined) return undefined;
  const [n, blocks, times] = [Number(ln), Number(r), Number(p)];
  if (n < 10 || blocks < 1 || times < 1 || 2 ** n * blocks * 128 > 67_108_864 || 2 ** n * blocks * times > 8_388_608) return undefined;
  return { ln: n, r: blocks, p: times, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

export const writeScrypt = ({ ln, r, p, salt, hash }: Scrypt): string => {
  const text = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");
  return `$scrypt$ln=${ln},r=${r},p=${p}$${text(salt)}$${text(hash)}`;
};

/** @returns whether a secret is the one a `$mac$` verifier was made of; undefined: by a key that is not among these. */
export function matchesCode(secret: string, verifier: string, keys: readonly SecretKey[]): boolean | undefined {
  const [, id, salt, mac] = MAC.exec(verifier) ?? [];
  const key = keys.find((known) => known.id === id);
  if (key === undefined || salt === undefined || mac === undefined) return undefined;
  const made = createHmac("sha256", key.codes).update(fastHash(secret, salt)).digest();
  return timingSafeEqual(made, Buffer.from(mac, "base64url"));
}

/** The form of a name that is compared: case and blanks do not count, people type on phones. */
export const foldName = (name: string): string => name.normalize("NFC").trim().replaceAll(/\s+/g, " ").toLowerCase();
