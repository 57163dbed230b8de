/**
 * Tokens at rest: digests with role, name and end, in `admin-tokens.json` (0600) in the data directory. The first start makes one, and leaves
 * its text beside it in `admin-token` (0600) for the operator to take away: the daemon never reads that file.
 */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { digestOf, type AdminKey, type AdminRole } from "../../base/adminkeys.ts";
import { replaceFile } from "../../base/wholefile.ts";
import { errnoOf, messageOf } from "../../base/errors.ts";
import { readText } from "../../base/readtext.ts";
import type { Logger } from "../../base/log.ts";
import type { Timestamp } from "../../base/units.ts";

/** Of the file; those of the settings come on top. */
export const MOST_TOKENS = 32;
/** The one that the first start makes; it does not count where the settings name another. */
export const FIRST = "first";

/** 256 random bits. The prefix tells scanners for leaked secrets what it is. */
export const newToken = (): string => `drover_${randomBytes(32).toString("base64url")}`;

export class TokenFile {
  readonly #file: string;
  readonly #note: string;
  readonly #log: Logger;
  #tokens: readonly AdminKey[] = [];

  constructor(dataDir: string, log: Logger) {
    this.#file = join(dataDir, "admin-tokens.json");
    this.#note = join(dataDir, "admin-token");
    this.#log = log;
    this.#tokens = this.#read();
  }

  all(wall: Timestamp): readonly AdminKey[] {
    return this.#tokens.filter(({ until }) => until === 0 || until > wall);
  }

  /** Makes the first token where there is no file of tokens. @returns whether it did. */
  begin(wall: Timestamp): boolean {
    if (existsSync(this.#file)) return false;
    const token = this.add({ role: "operator", name: FIRST, until: 0 as Timestamp }, wall);
    this.#write(this.#note, `${token}\n`);
    return true;
  }

  /** @returns the token's text, which is kept nowhere; undefined when there are MOST_TOKENS that are still good. */
  add(key: Omit<AdminKey, "digest">, wall: Timestamp): string | undefined {
    const good = this.all(wall);
    if (good.length >= MOST_TOKENS) return undefined;
    const token = newToken();
    this.#tokens = [...good, { ...key, digest: digestOf(token) }];
    this.#save();
    return token;
  }

  /** @returns how many tokens of that name there were. */
  remove(name: string): number {
    const kept = this.#tokens.filter((token) => token.name !== name);
    const gone = this.#tokens.length - kept.length;
    this.#tokens = kept;
    if (gone > 0) this.#save();
    if (gone > 0 && name === FIRST) rmSync(this.#note, { force: true });
    return gone;
  }

  #read(): readonly AdminKey[] {
    try {
      if (process.platform !== "win32" && (statSync(this.#file).mode & 0o077) !== 0)
        this.#log.warn(`${this.#file} can be read by others than its owner: chmod 600 it`);
      const parsed: unknown = JSON.parse(readText(this.#file));
      return Array.isArray(parsed) ? parsed.filter(isKey).slice(-MOST_TOKENS) : [];
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") this.#log.error(`${this.#file} can't be read, no token in it counts: ${messageOf(error)}`);
      return [];
    }
  }

  #save(): void {
    this.#write(this.#file, `${JSON.stringify(this.#tokens, null, 1)}\n`);
  }

  /** Whole or not at all; what can't be written is known until the daemon ends. */
  #write(path: string, content: string): void {
    try {
      replaceFile(path, content);
    } catch (error) {
      this.#log.error(`${path} can't be written: ${messageOf(error)}`);
    }
  }
}

const ROLES: readonly unknown[] = ["viewer", "operator"] satisfies AdminRole[];

function isKey(value: unknown): value is AdminKey {
  if (typeof value !== "object" || value === null) return false;
  const { digest, role, name, until } = value as Record<string, unknown>;
  return (
    typeof digest === "string" &&
    /^[\w-]{43}$/.test(digest) &&
    ROLES.includes(role) &&
    typeof name === "string" &&
    name.length <= 64 &&
    Number.isSafeInteger(until)
  );
}
