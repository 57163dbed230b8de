/** Bodies that change seldom, compressed once for each encoding: the page's files, the OpenAPI document. */
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { LRUCache } from "lru-cache";
import { Negotiator, type Encoding } from "../base/encoding.ts";

/** Below this the head outweighs what is saved; above it a file takes too long, and too much memory, in every worker. */
const LEAST_BYTES = 1_024;
const MOST_BYTES = 1_048_576;
const MOST_BODIES = 64;
/** The suffix of an encoding's tag, as the worker's prepared answers have it. */
const SUFFIX = { identity: "", gzip: "-gz", br: "-br" } as const satisfies Record<Encoding, string>;

const brotlied = promisify(brotliCompress);
const gzipped = promisify(gzip);
const negotiator = new Negotiator();

/** @returns the tag of a body in one encoding; both without quotes. */
export const tagIn = (etag: string, encoding: Encoding): string => `${etag}${SUFFIX[encoding]}`;

/** @param header Accept-Encoding. @param size of the body as it is. @returns how to send it. */
export function encodingFor(header: string | undefined, size: number): Encoding {
  if (size < LEAST_BYTES || size > MOST_BYTES) return "identity";
  return negotiator.preferences(header ?? "")[0] ?? "identity";
}

export class CompressedBodies {
  /** Promises, so that those who ask at the same time wait for the same one. */
  readonly #bodies = new LRUCache<string, Promise<Buffer | undefined>>({ max: MOST_BODIES });

  /**
   * @param etag of the body as it is. @param read gives the body; undefined: it is no longer the one with this tag.
   * @throws what `read` throws. What has failed, or was not there, is read again for the next caller.
   */
  get(etag: string, encoding: "br" | "gzip", read: () => Promise<Buffer | undefined>): Promise<Buffer | undefined> {
    const key = tagIn(etag, encoding);
    const known = this.#bodies.get(key);
    if (known !== undefined) return known;
    const made = read().then((body) => (body === undefined ? undefined : compress(body, encoding)));
    this.#bodies.set(key, made);
    const forget = (): void => void this.#bodies.delete(key);
    made.then((body) => body ?? forget(), forget);
    return made;
  }
}

/** Nearly as small as at the highest quality, at a tenth of its time. */
const QUALITY = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT };

const compress = (body: Buffer, encoding: "br" | "gzip"): Promise<Buffer> =>
  encoding === "br" ? brotlied(body, { params: QUALITY }) : gzipped(body, { level: 9 });
