/** How many bodies may arrive at a time, and how many bytes of bodies a worker holds, in total and for one address. */
export interface BodyShare {
  readonly arriving: number;
  readonly bytes: number;
}

export interface BodyLimits {
  readonly worker: BodyShare;
  readonly address: BodyShare;
}

/** Who has used up its share. */
export type Exceeded = "address" | "worker";

const NONE: BodyShare = { arriving: 0, bytes: 0 };

/**
 * Counts bodies by client address. An address that has nothing is not kept.
 * `undefined` as the address is a proxy that does not name its clients: only the worker's limits apply.
 */
export class BodyBudget {
  readonly #limits: BodyLimits;
  readonly #used = new Map<string, BodyShare>();
  #total: BodyShare = NONE;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  get total(): BodyShare {
    return this.#total;
  }

  /** Addresses that have something. */
  get addresses(): number {
    return this.#used.size;
  }

  /** @returns undefined: taken, to be returned with give(); else whose limit refused it. */
  take(address: string | undefined, share: BodyShare): Exceeded | undefined {
    const own = plus(this.#of(address), share);
    const total = plus(this.#total, share);
    if (address !== undefined && exceeds(own, share, this.#limits.address)) return "address";
    if (exceeds(total, share, this.#limits.worker)) return "worker";
    this.#set(address, own);
    this.#total = total;
    return undefined;
  }

  give(address: string | undefined, share: BodyShare): void {
    const back = { arriving: -share.arriving, bytes: -share.bytes };
    this.#set(address, plus(this.#of(address), back));
    this.#total = plus(this.#total, back);
  }

  #of(address: string | undefined): BodyShare {
    return (address === undefined ? undefined : this.#used.get(address)) ?? NONE;
  }

  #set(address: string | undefined, share: BodyShare): void {
    if (address === undefined) return;
    if (share.arriving === 0 && share.bytes === 0) this.#used.delete(address);
    else this.#used.set(address, share);
  }
}

const plus = (a: BodyShare, b: BodyShare): BodyShare => ({ arriving: a.arriving + b.arriving, bytes: a.bytes + b.bytes });

/** Only a limit of which more is asked can refuse. */
const exceeds = (after: BodyShare, asked: BodyShare, limit: BodyShare): boolean =>
  (asked.arriving > 0 && after.arriving > limit.arriving) || (asked.bytes > 0 && after.bytes > limit.bytes);
