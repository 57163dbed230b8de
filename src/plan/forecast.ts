/** The plan: what a demand asks of a machine, whether it holds, what binds, and what to do next. Pure: figures in, figures out. */
import { slotsForMemory } from "../base/slots.ts";
import { bytes } from "../base/units.ts";
import { waitQuantile, erlangC, serversFor } from "./erlang.ts";
import { shortestTtl } from "./cache.ts";
import { MEMORY_SHARE, QUOTA_SHARE, RANGES_PER_CALL, type PlanInput } from "./input.ts";
import { logNormal, loopLatency, mixture, percentiles, type Percentiles } from "./latency.ts";
import { cpuPerRequest, loadOf, loopsOf, workersForCpu, type Load } from "./load.ts";
import { bindingOf, needsOf, type Need } from "./needs.ts";
import { latencyFrom } from "./origins.ts";
import { originOf, type Origin } from "./figure.ts";

/** holds: with all margins. tight: within what there is, a margin is used up. overload: it can't work so. */
export type Verdict = "holds" | "tight" | "overload";

export interface Advice {
  /** CPUs that carry the load with room to spare. */
  readonly cpus: number;
  /** Workers that carry the load and fit into memory. */
  readonly workers: number;
  /** Connections a worker. */
  readonly connections: number;
  /** Slots at which 1 % of those who come are refused, if each user keeps one. */
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
  readonly latencyOrigin: Origin;
  readonly meetsLimit: boolean;
  readonly advice: Advice;
}

const BLOCKED = 0.01;

/** Two at the least, so that one may fail or be replaced; more only for the load, and no more than memory holds. */
function bestWorkers(load: Load, { place, costs }: PlanInput): number {
  const fits = Math.floor((place.memory.value * MEMORY_SHARE - costs.others.value) / costs.worker.value);
  return Math.max(1, Math.min(Math.max(2, workersForCpu(load)), fits));
}

function adviceOf(load: Load, input: PlanInput): Advice {
  const { place, upstream, system, costs, demand } = input;
  const workers = bestWorkers(load, input);
  const perWorker = Math.ceil((load.connections / workers) * 1.25);
  const allowed = Math.max(1, Math.floor(upstream.reads.value * QUOTA_SHARE));
  const keys = system.cache === "machine" ? Math.ceil(upstream.tables.value / RANGES_PER_CALL) : upstream.tables.value;
  return {
    cpus: workersForCpu(load),
    workers,
    connections: Math.max(place.connections.value, Math.ceil(perWorker / 100) * 100),
    slots: serversFor(demand.users.value, BLOCKED),
    slotsForMemory: slotsForMemory(bytes(place.memory.value)),
    ttl: shortestTtl(keys, system.cache === "worker" ? place.workers.value : 1, allowed),
    memory: costs.others.value + workers * costs.worker.value + load.connections * costs.connection.value,
  };
}

/** Latency where a waiting request keeps its worker: one queue for all of them. */
function blockingLatency(load: Load, { place, upstream, costs }: PlanInput): Percentiles {
  const mean = load.rate > 0 ? (load.taken / load.rate) * 1_000 : 0;
  const wait = percentiles((_, q) => waitQuantile(q, place.workers.value, load.taken, mean));
  const google = logNormal(upstream.p50.value, upstream.p99.value);
  const plus = (service: (name: keyof Percentiles) => number): Percentiles => percentiles((name) => wait[name] + service(name));
  return mixture([
    { share: load.waiting, latency: plus((name) => google[name]) },
    { share: 1 - load.waiting, latency: plus((name) => costs.quiet[name].value) },
  ]);
}

function latencyOf(load: Load, input: PlanInput): Percentiles {
  if (input.system.blocks) return blockingLatency(load, input);
  const loop = loopLatency({
    rate: load.rate,
    servers: loopsOf(input),
    service: cpuPerRequest(load, input),
    quiet: percentiles((name) => input.costs.quiet[name].value),
  });
  return withWaits(loop, load, input);
}

/** @param loop what an answer takes that waits for nobody. @returns the answers of all: some wait for Google, writes for the journal. */
export function withWaits(loop: Percentiles, load: Load, { costs, upstream, demand, system }: PlanInput): Percentiles {
  const after = (slow: Percentiles): Percentiles => percentiles((name) => loop[name] + slow[name]);
  const writes = demand.writes.value;
  const google = after(logNormal(upstream.p50.value, upstream.p99.value));
  const journal = after(logNormal(costs.write.p50.value, costs.write.p99.value));
  return mixture([
    { share: (1 - writes) * (1 - load.waiting), latency: loop },
    { share: (1 - writes) * load.waiting, latency: google },
    { share: writes, latency: system.cache === "machine" ? journal : google },
  ]);
}

/** A queue at exactly full load grows for ever; memory, connections, quotas and a cable may be used to the last. */
const queues = ({ resource }: Need): boolean => resource === "cpu" || resource === "workers";
const stands = (needs: readonly Need[]): boolean => needs.every((need) => !queues(need) || need.needs < need.whole);

function verdictOf(needs: readonly Need[]): Verdict {
  // A connection too many costs an idle one its place, or a wait in the kernel's queue, and nobody an error.
  const beyond = ({ resource, needs: n, whole }: Need): boolean => resource !== "connections" && n > whole;
  if (!stands(needs) || needs.some(beyond)) return "overload";
  return needs.some(({ used }) => used > 1) ? "tight" : "holds";
}

/** @param input every number finite and, but for shares and counts of nothing, above 0: the command sees to that. */
export function forecast(input: PlanInput): Forecast {
  const load = loadOf(input.demand.users.value, input);
  const needs = needsOf(input);
  const latency = stands(needs) ? latencyOf(load, input) : undefined;
  return {
    input,
    load,
    needs,
    binding: bindingOf(needs),
    verdict: verdictOf(needs),
    latency,
    latencyOrigin: originOf(...latencyFrom(load, input)),
    meetsLimit: latency !== undefined && latency.p95 <= input.costs.limit.value,
    advice: adviceOf(load, input),
  };
}

/** Part of the requests that wait for a CPU if all loops shared one queue: the best case beside loopLatency's worst. */
export const waitsAtBest = (forecast: Forecast): number => erlangC(Math.max(1, Math.floor(loopsOf(forecast.input))), forecast.load.cpu);
