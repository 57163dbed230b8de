/**
 * A log-linear histogram of durations (after HdrHistogram, Gil Tene): 16 sub-buckets per power of two unless told otherwise, so a
 * quantile is wrong by at most 1/16. Counts can be taken as a sparse delta, sent in a beat and merged: percentiles are never averaged.
 */
const SUB_BITS = 4;
/** Microseconds, about 9.5 hours: what is longer counts as this. */
const LARGEST = 2 ** 35 - 1;
const bucketsOf = (subBits: number): number => (36 - subBits) * (1 << subBits);
/** How many buckets there are at the usual precision. */
export const BUCKETS = bucketsOf(SUB_BITS);

/** [bucket, count] pairs; buckets ascending. */
export type HistogramDelta = readonly (readonly [number, number])[];

/** The bucket of a duration in microseconds. @param subBits 2 ** subBits sub-buckets per power of two. */
export function bucketOf(micros: number, subBits = SUB_BITS): number {
  const sub = 1 << subBits;
  const value = Math.floor(Math.max(0, Math.min(micros, LARGEST)));
  if (value < sub) return value;
  const exponent = Math.floor(Math.log2(value));
  const shift = exponent - subBits;
  return (shift + 1) * sub + (Math.floor(value / 2 ** shift) - sub);
}

/** The largest duration (microseconds) that falls into a bucket. */
export function upperBound(bucket: number, subBits = SUB_BITS): number {
  const sub = 1 << subBits;
  if (bucket < sub) return bucket;
  const shift = Math.floor(bucket / sub) - 1;
  return ((bucket % sub) + sub + 1) * 2 ** shift - 1;
}

/** The middle of a bucket, in milliseconds: for sums, which are wrong by at most 1/32 so. */
export const middleOf = (bucket: number): number => (upperBound(bucket) + (bucket === 0 ? 0 : upperBound(bucket - 1) + 1)) / 2_000;

/** Counts durations; see above for its precision. */
export class Histogram {
  readonly #subBits: number;
  readonly #counts: Float64Array;
  #sent: Float64Array;
  count = 0;

  /** @param subBits 4: wrong by at most 1/16; 7: by at most 1/128, for eight times the memory. Only alike ones may be merged. */
  constructor(subBits = SUB_BITS) {
    this.#subBits = subBits;
    this.#counts = new Float64Array(bucketsOf(subBits));
    this.#sent = this.#counts.slice();
  }

  /** @param millis duration in milliseconds; negative counts as 0. */
  record(millis: number): void {
    const bucket = bucketOf(millis * 1_000, this.#subBits);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.count += 1;
  }

  /** What was recorded since the last call. */
  takeDelta(): HistogramDelta {
    const delta: [number, number][] = [];
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      const fresh = (this.#counts[bucket] ?? 0) - (this.#sent[bucket] ?? 0);
      if (fresh > 0) delta.push([bucket, fresh]);
    }
    this.#sent = this.#counts.slice();
    return delta;
  }

  /** All that was counted. */
  counts(): HistogramDelta {
    const all: [number, number][] = [];
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      const count = this.#counts[bucket] ?? 0;
      if (count > 0) all.push([bucket, count]);
    }
    return all;
  }

  merge(delta: HistogramDelta): void {
    for (const [bucket, count] of delta) {
      if (bucket < 0 || bucket >= this.#counts.length) continue;
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.count += count;
    }
  }

  /** Adds all that another one has counted. */
  absorb(other: Histogram): void {
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1)
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0);
    this.count += other.count;
  }

  /** @returns the q-quantile in milliseconds (0 ≤ q ≤ 1), or undefined when nothing was recorded. */
  quantile(q: number): number | undefined {
    if (this.count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return upperBound(bucket, this.#subBits) / 1_000;
    }
    return upperBound(this.#counts.length - 1, this.#subBits) / 1_000;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sent.fill(0);
    this.count = 0;
  }
}
