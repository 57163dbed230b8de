/**
 * What a cache that keeps an answer for a fixed time saves. Arrivals are Poisson: a period is the TTL and the wait for the next request,
 * T + 1/λ, with one miss and λT hits in it (renewal reward).
 */

/** @param rate requests a second to one key of one cache. @param ttl seconds. */
export const hitRatio = (rate: number, ttl: number): number => (rate * ttl) / (1 + rate * ttl);

/** Calls a minute for what `caches` keep separately, `keys` in each, when `rate` requests a second are spread evenly over the caches. */
export function callsPerMinute({ rate, ttl, caches, keys }: Spread): number {
  return rate > 0 ? (60 * caches * keys) / (ttl + caches / rate) : 0;
}

interface Spread {
  /** Requests a second to one key, at all caches together. */
  readonly rate: number;
  /** Seconds. */
  readonly ttl: number;
  readonly caches: number;
  readonly keys: number;
}

/** The most calls a minute, however many requests come: each cache asks once a TTL for each key. */
export const mostCallsPerMinute = ({ ttl, caches, keys }: Omit<Spread, "rate">): number =>
  (60 * caches * keys) / ttl;

/** The shortest TTL, in seconds, at which `keys` in `caches` cost at most `allowed` calls a minute, however many requests come. */
export const shortestTtl = (keys: number, caches: number, allowed: number): number =>
  (60 * keys * caches) / allowed;

/**
 * Part of the requests that must wait for Google although old rows are served while a refresh runs: those that come first after the rows
 * have expired, and so late that not even old rows may be served.
 * @param grace seconds after the TTL in which old rows are still served.
 */
export const waitsForRefresh = (rate: number, ttl: number, grace: number): number =>
  rate > 0 ? Math.exp(-rate * grace) / (1 + rate * ttl) : 0;

/** Seconds after its TTL in which a table's rows are served while a refresh runs: as long again, and 30 at the least. */
export const graceOf = (ttl: number): number => Math.max(ttl, 30);
