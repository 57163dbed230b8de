import { between, seconds, type Instant, type Ms } from "../base/units.ts";

/** At most so many at once of one kind, and afterwards one a second: what is more is counted. */
const BURST = 20;
const EVERY: Ms = seconds(1);
/** Kinds that are told apart: an application's reasons are its own to choose. */
const MOST_KINDS = 32;

/** What had no line of its own. */
export interface Held {
  readonly kind: string;
  readonly count: number;
}

interface Bucket {
  tokens: number;
  at: Instant;
  held: number;
}

/** Keeps a flood of one kind out of the log, and what is rare beside it in. */
export class Restraint {
  readonly #buckets = new Map<string, Bucket>();

  /** @returns whether this one may be told; otherwise it is counted. */
  passes(kind: string, now: Instant): boolean {
    const bucket = this.#bucketOf(kind, now);
    bucket.tokens = Math.min(BURST, bucket.tokens + between(bucket.at, now) / EVERY);
    bucket.at = now;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return true;
    }
    bucket.held += 1;
    return false;
  }

  /** What was held back since it was asked last. */
  take(): readonly Held[] {
    const held: Held[] = [];
    for (const [kind, bucket] of this.#buckets) {
      if (bucket.held > 0) held.push({ kind, count: bucket.held });
      bucket.held = 0;
    }
    return held;
  }

  #bucketOf(kind: string, now: Instant): Bucket {
    const known = this.#buckets.get(kind);
    if (known !== undefined) return known;
    if (this.#buckets.size >= MOST_KINDS && kind !== OTHER) return this.#bucketOf(OTHER, now);
    const fresh: Bucket = { tokens: BURST, at: now, held: 0 };
    this.#buckets.set(kind, fresh);
    return fresh;
  }
}

const OTHER = "other";
