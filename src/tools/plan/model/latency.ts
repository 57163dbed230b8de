/** From waiting and service to percentiles. All times in ms. */

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

type Name = keyof Percentiles;
const NORMAL: Readonly<Record<Name, number>> = { p50: 0, p95: 1.645, p99: 2.326 };

export const percentiles = (of: (name: Name, q: number) => number): Percentiles => ({
  p50: of("p50", 0.5),
  p95: of("p95", 0.95),
  p99: of("p99", 0.99),
});

const sigmaOf = (p50: number, p99: number): number =>
  p50 > 0 ? Math.log(Math.max(p99, p50) / p50) / NORMAL.p99 : 0;

/** A log-normal through its median and its 99th percentile. */
export function logNormal(p50: number, p99: number): Percentiles {
  const sigma = sigmaOf(p50, p99);
  return percentiles((name) => p50 * Math.exp(sigma * NORMAL[name]));
}

/** Its mean. */
export const logNormalMean = (p50: number, p99: number): number =>
  p50 * Math.exp(sigmaOf(p50, p99) ** 2 / 2);

/** What `k` exponential services one after the other take, in units of one (Wilson and Hilferty 1931). */
const gamma = (k: number, z: number): number =>
  k * Math.max(0, 1 - 1 / (9 * k) + z / (3 * Math.sqrt(k))) ** 3;

export interface Loops {
  /** Requests a second, all together. */
  readonly rate: number;
  /** Event loops that can run at the same time. */
  readonly servers: number;
  /** CPU of a request, in ms. */
  readonly service: number;
  /** Latency while hardly anybody is there. */
  readonly quiet: Percentiles;
  /** Closed model: users send the next request after their answer; undefined: open model. */
  readonly closed?: {
    readonly users: number;
    /** ms between an answer and the next request, on the average. */ readonly thinkMs: number;
  };
}

/** Part of the time that the loops are busy. */
export const utilisation = ({
  rate,
  servers,
  service,
}: Pick<Loops, "rate" | "servers" | "service">): number => (rate * service) / 1_000 / servers;

/** The wait of the part q in an M/M/1 queue, beyond what a service takes: −ln(1−q) s ρ / (1−ρ); Infinity when it is overloaded. */
export const wait = (q: number, service: number, busy: number): number =>
  busy < 1 ? (-Math.log(1 - q) * service * busy) / (1 - busy) : Infinity;

/**
 * Of a closed population only those who do not think are with the server: m = N − λZ by Little's law, as many more as a binomial scatters.
 * @returns the length of one queue at the percentile.
 */
function standing(
  name: Name,
  { rate, servers }: Pick<Loops, "rate" | "servers">,
  { users, thinkMs }: NonNullable<Loops["closed"]>,
): number {
  const inside = Math.max(0, users - (rate * thinkMs) / 1_000) / servers;
  return inside + NORMAL[name] * Math.sqrt(inside * (1 - (inside * servers) / users));
}

/**
 * A keep-alive connection stays with its worker: as many queues as loops, each M/M/1, which is the worst case. What a request waits there comes on
 * top of the quiet latency. Of a closed population no queue is longer than the number of users at the server. Less than one CPU serves the slower.
 * @returns Infinity for an open load that is too much.
 */
export function loopLatency(loops: Loops): Percentiles {
  const busy = utilisation(loops);
  const { quiet, servers, closed } = loops;
  const service = loops.service / Math.min(1, servers);
  return percentiles((name, q) => {
    const most =
      closed === undefined
        ? Infinity
        : gamma(Math.max(1, standing(name, loops, closed)), NORMAL[name]) * service;
    return quiet[name] + Math.min(wait(q, service, busy), most);
  });
}

/** Throughput of `users` who think `think` ms between requests: exact mean value analysis, several servers after Seidmann 1987. */
export function closedRate(users: number, think: number, service: number, servers: number): number {
  const [queued, fixed] = [service / servers, (service * (servers - 1)) / servers];
  let waiting = 0;
  let rate = 0;
  for (let n = 1; n <= users; n += 1) {
    const answered = queued * (1 + waiting) + fixed;
    rate = n / (answered + think);
    waiting = rate * queued * (1 + waiting);
  }
  return rate * 1_000;
}

/** A part of the requests and the percentiles of those. */
export interface Part {
  readonly share: number;
  readonly latency: Percentiles;
}

/** P(T > t), by straight lines in log P through what is known. */
function tail({ p50, p95, p99 }: Percentiles, t: number): number {
  const [a, b, c] = [p50, Math.max(p50, p95), Math.max(p50, p95, p99)];
  if (t < a) return 1 - (0.5 * t) / a;
  const between = (from: number, to: number, high: number, low: number): number =>
    to <= from ? low : high * (low / high) ** ((t - from) / (to - from));
  if (t < b) return between(a, b, 0.5, 0.05);
  if (t < c) return between(b, c, 0.05, 0.01);
  return c > b
    ? 0.01 * 0.2 ** ((t - c) / (c - b))
    : c > a
      ? 0.01 * 0.02 ** ((t - c) / (c - a))
      : t > c
        ? 0
        : 0.01;
}

/** Percentiles of all parts together; a share of 0 plays no part. Parts that never end make the whole Infinity only where they reach. */
export function mixture(parts: readonly Part[]): Percentiles {
  const present = parts.filter(({ share }) => share > 0);
  if (present.length === 1 && present[0] !== undefined) return present[0].latency;
  if (present.some(({ latency }) => !Number.isFinite(latency.p99)))
    return { p50: Infinity, p95: Infinity, p99: Infinity };
  const above = (t: number): number =>
    present.reduce((sum, { share, latency }) => sum + share * tail(latency, t), 0);
  return percentiles((_, q) => {
    let [low, high] = [0, Math.max(...present.map(({ latency }) => latency.p99), 0.001)];
    while (above(high) > 1 - q) high *= 2;
    for (let i = 0; i < 60; i += 1) {
      const middle = (low + high) / 2;
      if (above(middle) > 1 - q) low = middle;
      else high = middle;
    }
    return high;
  });
}
