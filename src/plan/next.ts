/** The one thing to do next. */
import type { Forecast } from "./forecast.ts";
import { CPU_SHARE, MEMORY_SHARE } from "./input.ts";
import type { Need, Resource } from "./needs.ts";
import { num, size, span } from "./units.ts";

export interface Known {
  /** A load run's figures are in it. */
  readonly measured: boolean;
  /** The command that would measure them, if there is one. */
  readonly measureWith: string | undefined;
  /** Not drover: a preset of something else. */
  readonly foreign: boolean;
}

const ROUND = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1_800, 3_600];
/** A TTL that people would write, not shorter than needed. */
export const roundTtl = (seconds: number): number => ROUND.find((ttl) => ttl >= seconds) ?? Math.ceil(seconds / 3_600) * 3_600;

const cure: Readonly<Record<Resource, (forecast: Forecast, need: Need) => string>> = {
  workers: ({ input }, { needs }) =>
    `let no request wait for Google in a worker: at least ${num(Math.ceil(needs / CPU_SHARE))} such workers would be needed, ${num(input.place.workers.value)} there are`,
  cpu({ input, load }) {
    const cpus = Math.ceil(load.cpu / CPU_SHARE);
    const { workers, cpus: there } = input.place;
    if (cpus <= there.value) return `set DROVER_WORKERS=${cpus}: ${num(workers.value)} can't use the ${num(there.value)} CPUs`;
    const byWrites = (load.writes * input.costs.write.cpu.value) / 1_000 > load.cpu / 2;
    const less = byWrites ? "send several rows in one request, which is one write" : "let a CDN answer most of it";
    return `give it ${num(cpus)} CPUs in place of ${num(there.value)}, on as many machines as that takes, or ${less}`;
  },
  memory({ input, advice, load }) {
    const { workers } = input.place;
    if (advice.workers < workers.value && advice.memory <= input.place.memory.value * MEMORY_SHARE)
      return `set DROVER_WORKERS=${advice.workers}: ${num(workers.value)} take more than half of the memory`;
    return `give it ${size(load.memory / MEMORY_SHARE)} of memory: it has ${size(input.place.memory.value)}`;
  },
  connections({ input, load }) {
    const each = Math.ceil(load.connections / input.place.workers.value / 100) * 100;
    return `set DROVER_WORKER_CONNECTIONS=${each} (and LimitNOFILE= above it): ${num(load.connections)} users hold one each`;
  },
  reads: ({ input, advice }) =>
    input.system.cache === "none"
      ? "keep what Google answered: without a cache every request counts against its quota"
      : `set DROVER_CACHE_TTL=${span(roundTtl(advice.ttl))}: the quota does not allow ${span(input.upstream.ttl.value)}`,
  writes: ({ needs }) =>
    `put the writes into a database: ${num(needs.find(({ resource }) => resource === "writes")?.needs ?? 0)} calls a minute are more than a spreadsheet takes`,
  network: ({ load }) => `get ${num(load.traffic / CPU_SHARE)} Mbit/s, or let a CDN answer most of it`,
};

/** The part of the connections that one of so many loops holds. */
const partOf = (workers: number): string => (workers === 1 ? "all" : `1/${num(workers)}`);

/** @returns one sentence without its first capital. */
export function nextStep(forecast: Forecast, { measured, measureWith, foreign }: Known): string {
  const { binding, verdict, meetsLimit, input, advice, load } = forecast;
  const { workers } = input.place;
  if (foreign && verdict !== "holds")
    return `plan the same on drover: leave --preset out, and give --users ${input.demand.users.value} --rate ${input.demand.rate.value}`;
  if (verdict !== "holds") return cure[binding.resource](forecast, binding);
  if (!meetsLimit)
    return `raise --limit or bring Google's answers down: the p95 of ${num(forecast.latency?.p95 ?? 0)} ms is over it on an idle machine too`;
  if (foreign) return "it holds as it is";
  if (!measured && measureWith !== undefined) return `measure what is assumed here: ${measureWith}`;
  if (advice.workers < workers.value / 1.5)
    return (
      `try DROVER_WORKERS=${advice.workers}: so few carry it in ${size(advice.memory)} instead of ${size(load.memory)}; ` +
      `a request that blocks its loop then holds up ${partOf(advice.workers)} of the connections instead of ${partOf(workers.value)}`
    );
  return "nothing: it holds with room to spare";
}
