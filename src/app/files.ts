/**
 * Files of a directory, safely: a name may not leave it, not by `..`, not by a link, and what begins with a dot is not
 * there. Every refusal looks like a file that does not exist.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LRUCache } from "lru-cache";
import { errnoOf } from "../base/errors.ts";

export interface ServedFile {
  /** Below the root, with slashes. */
  readonly name: string;
  /** Strong tag without quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly cacheControl: string;
}

/** Larger files are tagged by identity, size and time of change instead of by content: hashing them would cost seconds. */
const HASHED_BYTES = 16 * 1_048_576;
const YEAR = 31_536_000;
const DAY = 86_400;

/** @returns the path's segments, or undefined when it is not simply a way down to a file. */
export function safeSegments(path: string): readonly string[] | undefined {
  if (path.length === 0 || path.length > 1_024 || /[\0\\:]/.test(path)) return undefined;
  const segments = path.split("/");
  return segments.some((segment) => segment === "" || segment.startsWith(".")) ? undefined : segments;
}

/** Names that a bundler put a content hash into (`app-B3x9Qz1K.js`, `main.9f8a7b6c.css`): their bytes never change. */
export function isHashed(name: string): boolean {
  const part = /[.-]([\w-]{8,32})\.[a-z0-9]{1,5}$/.exec(name)?.[1] ?? "";
  const hex = /^[0-9a-f]{8,32}$/.test(part) && /\d/.test(part) && /[a-f]/.test(part);
  return hex || (part.length <= 12 && /\d/.test(part) && /[a-z]/.test(part) && /[A-Z]/.test(part));
}

/** A year for hashed names, a day for pictures and fonts; what refers to others is asked for again each time (a 304 mostly). */
export function cacheControlOf(name: string): string {
  if (isHashed(name)) return `public, max-age=${YEAR}, immutable`;
  return /\.(?:png|jpe?g|gif|webp|avif|svg|ico|woff2?|ttf|otf|mp[34]|webm|ogg)$/i.test(name)
    ? `public, max-age=${DAY}`
    : "public, no-cache";
}

const tagOf = (hash: Hash): string => hash.digest().subarray(0, 15).toString("base64url");

export class Files {
  readonly root: string;
  readonly #tags = new LRUCache<string, string>({ max: 1_000 });

  /** @param root absolute path of a directory; it may itself be a link (a release switched by `ln -sfn`). */
  constructor(root: string) {
    this.root = root;
  }

  /** @returns undefined for anything but a regular file of this directory. @throws for errors of the file system itself. */
  async find(path: string): Promise<ServedFile | undefined> {
    const segments = safeSegments(path);
    if (segments === undefined) return undefined;
    try {
      const expected = join(await realpath(this.root), ...segments);
      if ((await realpath(expected)) !== expected) return undefined; // a link on the way
      const found = await stat(expected, { bigint: true });
      if (!found.isFile()) return undefined;
      const identity = `${found.ino}-${found.size}-${found.mtimeNs}`;
      const etag = found.size > HASHED_BYTES ? identity : await this.#tag(expected, identity);
      return { name: segments.join("/"), etag, size: Number(found.size), cacheControl: cacheControlOf(path) };
    } catch (thrown) {
      if (["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EACCES"].includes(errnoOf(thrown) ?? "")) return undefined;
      throw thrown;
    }
  }

  /** @returns a file's bytes, or undefined when they are no longer those that it was tagged by. For files that are hashed. */
  async read({ name, etag }: ServedFile): Promise<Buffer | undefined> {
    const body = await readFile(join(this.root, name));
    return tagOf(createHash("sha256").update(body)) === etag ? body : undefined;
  }

  async #tag(file: string, identity: string): Promise<string> {
    const key = `${file}\0${identity}`;
    const known = this.#tags.get(key);
    if (known !== undefined) return known;
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    const tag = tagOf(hash);
    this.#tags.set(key, tag);
    return tag;
  }
}
