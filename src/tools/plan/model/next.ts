/** The one thing to do next. */
import type { Forecast } from "./forecast.ts";
import {
  CPU_SHARE,
  MEMORY_SHARE,
  MOST_CONNECTIONS,
  MOST_SLOTS,
  UNEVEN,
  type Demand,
} from "./types.ts";
import type { Need, Resource } from "./needs.ts";
import { count, exact, num, size, span } from "../print/units.ts";

export interface Known {
  /** A load run's figures are in it. */
  readonly measured: boolean;
  /** The command that would measure them, if there is one. */
  readonly measureWith: string | undefined;
  /** Not drover: a preset of something else. */
  readonly foreign: boolean;
  /** A load run of a server of which nothing is known. */
  readonly unknownServer?: boolean;
}

const ROUND = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1_800, 3_600];
/** A TTL that people would write, not shorter than needed. */
export const roundTtl = (seconds: number): number =>
  ROUND.find((ttl) => ttl >= seconds) ?? Math.ceil(seconds / 3_600) * 3_600;

const cure: Readonly<Record<Resource, (forecast: Forecast, need: Need) => string>> = {
  workers: ({ input }, { needs }) =>
    `let no request wait for Google in a worker: at least ${num(Math.ceil(needs / CPU_SHARE))} such workers would be needed, ${num(input.place.workers)} there are`,
  cpu({ input, load }) {
    const cpus = Math.ceil(load.cpu / CPU_SHARE);
    const { workers, cpus: there } = input.place;
    if (cpus <= there)
      return `set DROVER_WORKERS=${cpus}: ${num(workers)} can't use the ${count(there, "CPU")}`;
    const byWrites = (load.writes * input.costs.write.cpu) / 1_000 > load.cpu / 2;
    const less = byWrites
      ? "send several rows in one request, which is one write"
      : "let a CDN answer most of it";
    return `give it ${count(cpus, "CPU")} in place of ${num(there)}, on as many machines as that takes, or ${less}`;
  },
  throughput: ({ load, input }, { whole }) =>
    `find out what it waits for: its throughput ${input.place.peak?.tested === false ? "would peak" : "peaked"} at ${num(whole)}/s, and ${num(load.rate)} are asked for (drover load names what is full first)`,
  memory({ input, advice }) {
    const { workers } = input.place;
    if (advice.workers < workers && advice.memory <= input.place.memory * MEMORY_SHARE)
      return `set DROVER_WORKERS=${advice.workers}: ${num(workers)} take more than half of the memory`;
    return `give it ${size(advice.memory / MEMORY_SHARE)} of memory, for ${count(advice.workers, "worker")}: it has ${size(input.place.memory)}`;
  },
  slots({ input, advice, load }) {
    const { max, comfort } = input.place.slots ?? { max: 0, comfort: Infinity };
    if (advice.slots > MOST_SLOTS)
      return `serve them from several machines: one has ${num(MOST_SLOTS)} slots at most, and ${num(advice.slots)} are needed`;
    const machine =
      advice.slots > comfort
        ? `; ${num(comfort)} are comfortable with ${size(input.place.memory)} of memory`
        : "";
    return `set DROVER_MAX_SLOTS=${advice.slots}: ${num(max)} slots refuse more than 1 % of ${num(load.signedIn)} users${machine}`;
  },
  connections({ input, load }) {
    const each = Math.ceil((load.connections * UNEVEN) / input.place.workers / 100) * 100;
    if (each > MOST_CONNECTIONS)
      return `have more workers: ${num(input.place.workers)} hold ${num(MOST_CONNECTIONS)} connections each at most`;
    return `set DROVER_WORKER_CONNECTIONS=${each} (and LimitNOFILE= above it): ${num(load.connections)} users hold one each`;
  },
  reads: ({ input, advice }) =>
    input.system.cache === "none"
      ? "keep what Google answered: without a cache every request counts against its quota"
      : `set DROVER_CACHE_TTL=${span(roundTtl(advice.ttl))}: the quota does not allow ${span(input.upstream.ttl)}`,
  writes: ({ needs }) =>
    `put the writes into a database: ${num(needs.find(({ resource }) => resource === "writes")?.needs ?? 0)} calls a minute are more than a spreadsheet takes`,
  network: ({ load }) =>
    `get ${num(load.traffic / CPU_SHARE)} Mbit/s, or let a CDN answer most of it`,
};

/** Part of the requests that shows in a p95. */
const IN_P95 = 0.05;

/** It carries the load, and answers too late. */
function tooSlow({ latency, input: { costs, demand, system }, load, needs }: Forecast): string {
  const late = `the p95 of ${exact(latency?.p95 ?? 0)} ms is over the limit of ${exact(costs.limit)} ms`;
  const usedOf = (resource: Resource): number =>
    needs.find((need) => need.resource === resource)?.used ?? 0;
  const writes = demand.writes;
  if (load.waiting * (1 - writes) + (system.cache === "machine" ? 0 : writes) > IN_P95)
    return `let fewer answers wait for Google, or raise --limit: ${late}`;
  if (costs.quiet.p95 > costs.limit)
    return `raise --limit: ${late}, and with hardly any load it is ${exact(costs.quiet.p95)} ms`;
  if (writes > IN_P95)
    return `raise --limit, or write less often: ${late}, and a write is on disk and shown to all before it is answered`;
  if (usedOf("network") > usedOf("cpu"))
    return `send less, or get a faster network: ${late}, and answers wait for it`;
  return `give it more CPUs than ${num(Math.ceil(load.cpu / CPU_SHARE))}: ${late}, and answers wait for one`;
}

/** The part of the connections that one of `workers` loops holds. */
export const partOf = (workers: number): string => (workers === 1 ? "all" : `1/${num(workers)}`);

const flagsOf = ({ users, rate, burst, writes }: Demand): string =>
  [
    `--users ${users} --rate ${rate}`,
    ...(burst === 1 ? [] : [`--burst ${burst}`]),
    ...(writes === 0 ? [] : [`--writes ${writes}`]),
  ].join(" ");

/** @returns one sentence without its first capital. */
export function nextStep(
  forecast: Forecast,
  { measured, measureWith, foreign, unknownServer }: Known,
): string {
  const { binding, verdict, meetsLimit, input, advice, load } = forecast;
  const { workers } = input.place;
  if (foreign && verdict !== "holds")
    return `plan the same on drover: leave --preset out, and give ${flagsOf(input.demand)}`;
  if (verdict !== "holds") return cure[binding.resource](forecast, binding);
  if (!meetsLimit) return tooSlow(forecast);
  if (foreign) return "it holds as it is";
  if (!measured && measureWith !== undefined) return `measure what is assumed here: ${measureWith}`;
  if (advice.workers < workers / 1.5 && unknownServer !== true)
    return (
      `try DROVER_WORKERS=${advice.workers}: so few carry it in ${size(advice.memory)} instead of ${size(load.memory)}; ` +
      `a request that blocks its loop then holds up ${partOf(advice.workers)} of the connections instead of ${partOf(workers)}`
    );
  return "nothing: it holds with room to spare";
}
