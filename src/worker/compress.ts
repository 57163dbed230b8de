import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Below this the head outweighs what compression saves. */
export const WORTH_COMPRESSING = 1_024;
/** A compressed body must be smaller than this share of the original to be kept. */
const KEEP_BELOW = 0.95;
/** zlib works in libuv's four threads, which files and name look-ups need too. */
const AT_ONCE = 2;
const MAX_QUEUED = 64;

const gzipped = promisify(gzip);
const brotlied = promisify(brotliCompress);

/** Compresses in the background, a bounded number of bodies at a time. */
export class Compressor {
  #running = 0;
  readonly #queue: (() => Promise<void>)[] = [];

  /**
   * @param done gets the compressed body, or undefined when it is not worth keeping; not called when the queue is full.
   * @returns false when the queue is full: ask again at the next use.
   */
  start(encoding: "gzip" | "br", body: Buffer, done: (compressed: Buffer | undefined) => void): boolean {
    if (this.#queue.length >= MAX_QUEUED) return false;
    this.#queue.push(async () => {
      const compressed = await compress(encoding, body).catch(() => undefined); // out of memory: it stays uncompressed
      done(compressed !== undefined && compressed.length < body.length * KEEP_BELOW ? compressed : undefined);
    });
    this.#next();
    return true;
  }

  #next(): void {
    if (this.#running >= AT_ONCE) return;
    const job = this.#queue.shift();
    if (job === undefined) return;
    this.#running += 1;
    void job().finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }
}

function compress(encoding: "gzip" | "br", body: Buffer): Promise<Buffer> {
  if (encoding === "gzip") return gzipped(body, { level: 6 });
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_MODE, BROTLI_MODE_TEXT, BROTLI_PARAM_SIZE_HINT } = constants;
  const params = { [BROTLI_PARAM_QUALITY]: 5, [BROTLI_PARAM_MODE]: BROTLI_MODE_TEXT, [BROTLI_PARAM_SIZE_HINT]: body.length };
  return brotlied(body, { params });
}
