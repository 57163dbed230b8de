/** The plan: what a demand asks of a machine, whether it holds, what binds, and what to do next. Pure: figures in, figures out. */
import { slotsForMemory } from "../../../base/slots.ts";
import { bytes } from "../../../base/units.ts";
import { waitQuantile, serversFor } from "./erlang.ts";
import { shortestTtl } from "./cache.ts";
import {
  BLOCKED,
  CPU_SHARE,
  MEMORY_SHARE,
  MOST_CONNECTIONS,
  QUOTA_SHARE,
  RANGES_PER_CALL,
  UNEVEN,
  type PlanInput,
} from "./types.ts";
import {
  logNormal,
  loopLatency,
  mixture,
  percentiles,
  wait,
  type Part,
  type Percentiles,
} from "./latency.ts";
import { cpuPerRequest, loadOf, loopsOf, workersForCpu, type Load } from "./load.ts";
import { beyond, bindingOf, needsOf, stands, type Need } from "./needs.ts";
import type { Wanted } from "../prices.ts";
import { crowdingOf, type Crowding } from "./crowding.ts";
import { slotsForecast, type SlotsForecast } from "./slots.ts";

/** holds: with all margins. tight: within what there is, a margin is used up. overload: it can't work so. */
export type Verdict = "holds" | "tight" | "overload";

export interface Advice {
  /** CPUs that carry the load with room to spare. */
  readonly cpus: number;
  /** Workers that carry the load, on one machine or several. */
  readonly workers: number;
  /** Connections a worker. */
  readonly connections: number;
  /** Slots at which 1 % of the arrivals are refused, if each user keeps one. */
  readonly slots: number;
  /** What the memory was found to hold by those who run such services: 2 GB 50, 4 GB 150, 8 GB 300, 16 GB 500. */
  readonly slotsForMemory: number;
  /** Seconds: the shortest TTL that the quota allows. */
  readonly ttl: number;
  /** Bytes for all. */
  readonly memory: number;
}

export interface Forecast {
  readonly input: PlanInput;
  readonly load: Load;
  readonly needs: readonly Need[];
  readonly binding: Need;
  readonly verdict: Verdict;
  /** undefined: there is no answer time, the queue grows as long as the load lasts. */
  readonly latency: Percentiles | undefined;
  readonly meetsLimit: boolean;
  /** undefined: there are none, or no user holds one. */
  readonly slots: SlotsForecast | undefined;
  /** undefined: no more workers than run at once. */
  readonly crowding: Crowding | undefined;
  readonly advice: Advice;
}

/** As many as the load asks for; two, where memory holds them, so that one may fail or be replaced. */
function bestWorkers(load: Load, { place, costs, system }: PlanInput): number {
  const fits = Math.floor((place.memory * MEMORY_SHARE - costs.others) / costs.worker);
  const wanted = system.blocks
    ? Math.ceil(load.taken / CPU_SHARE)
    : Math.max(workersForCpu(load), Math.ceil((load.connections * UNEVEN) / MOST_CONNECTIONS));
  return Math.max(1, wanted, Math.min(2, fits));
}

function adviceOf(load: Load, input: PlanInput): Advice {
  const { place, upstream, system, costs, demand } = input;
  const workers = bestWorkers(load, input);
  const perWorker = Math.ceil(((load.connections / workers) * UNEVEN) / 100) * 100;
  const allowed = Math.max(1, Math.floor(upstream.reads * QUOTA_SHARE));
  const keys =
    system.cache === "machine" ? Math.ceil(upstream.tables / RANGES_PER_CALL) : upstream.tables;
  return {
    cpus: workersForCpu(load),
    workers,
    connections: Math.max(place.connections, Math.min(MOST_CONNECTIONS, perWorker)),
    slots: serversFor(demand.users * demand.signedIn, BLOCKED),
    slotsForMemory: slotsForMemory(bytes(place.memory)),
    ttl: shortestTtl(keys, system.cache === "worker" ? workers : 1, allowed),
    memory: costs.others + workers * costs.worker + load.connections * costs.connection,
  };
}

/** Latency where a waiting request keeps its worker: one queue for all of them. */
function blocked(load: Load, { demand, place, upstream, costs }: PlanInput): readonly Part[] {
  const mean = load.rate > 0 ? (load.taken / load.rate) * 1_000 : 0;
  const queue = percentiles((_, q) => waitQuantile(q, place.workers, load.taken, mean));
  const google = logNormal(upstream.p50, upstream.p99);
  const plus = (service: (name: keyof Percentiles) => number): Percentiles =>
    percentiles((name) => queue[name] + service(name));
  const waiting = demand.writes + (1 - demand.writes) * load.waiting;
  return [
    { share: waiting, latency: plus((name) => google[name]) },
    { share: 1 - waiting, latency: plus((name) => costs.quiet[name]) },
  ];
}

/** Bytes of the answers that the quiet latency was measured with. */
const SHORT = 10_240;

/** The way of an answer that is longer than those, and the wait for a cable that others use: M/M/1. */
function onTheWire(load: Load, { demand, costs }: PlanInput): Percentiles {
  const perByte = 8 / (costs.network * 1_000); // ms
  const longer = Math.max(0, demand.bytes - SHORT) * perByte;
  return percentiles(
    (_, q) => longer + wait(q, demand.bytes * perByte, load.traffic / costs.network),
  );
}

function answersOf(load: Load, input: PlanInput): readonly Part[] {
  if (input.system.blocks) return blocked(load, input);
  const wire = onTheWire(load, input);
  const loop = loopLatency({
    rate: load.rate,
    servers: loopsOf(input),
    service: cpuPerRequest(load, input),
    quiet: percentiles((name) => input.costs.quiet[name] + wire[name]),
  });
  return withWaits(loop, load, input);
}

/** @param loop latency of an answer that waits for nothing else. @returns all answers: some wait for Google, writes for the journal. */
export function withWaits(
  loop: Percentiles,
  load: Load,
  { costs, upstream, demand, system }: PlanInput,
): readonly Part[] {
  const after = (slow: Percentiles): Percentiles => percentiles((name) => loop[name] + slow[name]);
  const writes = demand.writes;
  const google = after(logNormal(upstream.p50, upstream.p99));
  const journal = after(logNormal(costs.write.p50, costs.write.p99));
  return [
    { share: (1 - writes) * (1 - load.waiting), latency: loop },
    { share: (1 - writes) * load.waiting, latency: google },
    { share: writes, latency: system.cache === "machine" ? journal : google },
  ];
}

function verdictOf(needs: readonly Need[]): Verdict {
  if (needs.some(beyond)) return "overload";
  return needs.some(({ used }) => used > 1) ? "tight" : "holds";
}

/** @param input every number finite and, but for shares and counts of nothing, above 0: the command sees to that. */
export function forecast(input: PlanInput): Forecast {
  const load = loadOf(input.demand.users, input);
  const needs = needsOf(input);
  const answers = needs.every(stands) ? answersOf(load, input) : undefined;
  const latency = answers === undefined ? undefined : mixture(answers);
  return {
    input,
    load,
    needs,
    binding: bindingOf(needs),
    verdict: verdictOf(needs),
    latency,
    meetsLimit: latency !== undefined && latency.p95 <= input.costs.limit,
    slots: slotsForecast(load, input),
    crowding: crowdingOf(load, input),
    advice: adviceOf(load, input),
  };
}

/** What machines are to be bought for. */
export const wantedBy = ({ load, advice, input }: Forecast): Wanted => ({
  cpu: load.cpu,
  memory: advice.memory,
  cables: load.traffic / input.costs.network,
});
