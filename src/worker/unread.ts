/** The memory that answers hold until their clients take them. */
import { mebibytes, type Bytes } from "../base/units.ts";
import type { Exchange } from "./exchange.ts";
import { isEncrypted } from "./peer.ts";

/** Bytes of the built-in service's answers that may wait for all clients of a worker together. */
export const MOST_UNREAD: Bytes = mebibytes(64);

/** The buffer that an answer shares with others. Encryption copies it for each client. */
function sharedBy({ shared, res }: Exchange): Buffer | undefined {
  if (shared === undefined || res.writableLength < shared.length) return undefined;
  return res.socket !== null && isEncrypted(res.socket) ? undefined : shared;
}

/** Bytes that wait for all clients together; a shared buffer counts once. */
export class Unread {
  readonly #readers = new Map<Buffer, number>();
  #bytes = 0;

  constructor(exchanges: Iterable<Exchange>) {
    for (const exchange of exchanges) this.#count(exchange, 1);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The answer's own bytes, and its part of a shared buffer. */
  weight(exchange: Exchange): number {
    const shared = sharedBy(exchange);
    const { writableLength } = exchange.res;
    return shared === undefined ? writableLength : writableLength - shared.length + shared.length / (this.#readers.get(shared) ?? 1);
  }

  /** The client of this answer is cut off. */
  forget(exchange: Exchange): void {
    this.#count(exchange, -1);
  }

  #count(exchange: Exchange, sign: 1 | -1): void {
    const shared = sharedBy(exchange);
    this.#bytes += sign * (exchange.res.writableLength - (shared?.length ?? 0));
    if (shared === undefined) return;
    const before = this.#readers.get(shared) ?? 0;
    this.#readers.set(shared, before + sign);
    if (Math.min(before, before + sign) === 0) this.#bytes += sign * shared.length; // the first reader, or the last
  }
}
