/** What a number of users asks of a machine: the arithmetic that everything else is made of. */
import { callsPerMinute, graceOf, hitRatio, waitsForRefresh } from "./cache.ts";
import { CPU_SHARE, RANGES_PER_CALL, type PlanInput } from "./types.ts";
import { logNormalMean } from "./latency.ts";

/** How a number of users shows in each resource. */
export interface Load {
  /** Requests a second at the peak. */
  readonly rate: number;
  /** Of those, the ones that write. */
  readonly writes: number;
  /** Part of the reads that no cache answered. */
  readonly misses: number;
  /** Part of the reads that wait for Google. */
  readonly waiting: number;
  /** Answers that workers compute (not from their memory), a second. */
  readonly made: number;
  /** CPUs that are busy. */
  readonly cpu: number;
  /** Workers that are taken, where a request that waits for Google keeps its worker. */
  readonly taken: number;
  readonly memory: number;
  /** Users who hold a slot. */
  readonly signedIn: number;
  readonly connections: number;
  /** Calls to Google a minute. */
  readonly readCalls: number;
  /** The fewest that carry the writes: drover makes more as long as the quota allows, and fuller ones when it does not. */
  readonly writeCalls: number;
  /** Mbit/s. */
  readonly traffic: number;
}

/** Event loops that can run at once: more workers than CPUs only take turns. */
export const loopsOf = ({ place }: PlanInput): number => Math.min(place.workers, place.cpus);

interface Reads {
  readonly misses: number;
  readonly waiting: number;
  readonly calls: number;
}

/** @param rate reads a second, spread evenly over the tables. */
function readsOf(rate: number, { upstream, system, place }: PlanInput): Reads {
  const [tables, ttl, workers] = [upstream.tables, upstream.ttl, place.workers];
  if (rate <= 0) return { misses: 0, waiting: 0, calls: 0 };
  if (system.cache === "none") return { misses: 1, waiting: 1, calls: rate * 60 };
  if (system.cache === "machine") {
    // One call fetches all tables, so the machine has one key, which every request asks for.
    const calls =
      callsPerMinute({ rate, ttl, caches: 1, keys: 1 }) * Math.ceil(tables / RANGES_PER_CALL);
    const misses = 1 - hitRatio(rate, ttl);
    return {
      misses,
      waiting: system.stale ? waitsForRefresh(rate, ttl, graceOf(ttl)) : misses,
      calls,
    };
  }
  const perKey = rate / tables;
  const misses = 1 - hitRatio(perKey / workers, ttl);
  return {
    misses,
    waiting: misses,
    calls: callsPerMinute({ rate: perKey, ttl, caches: workers, keys: tables }),
  };
}

/** Answers computed a second: each worker computes its own, once a TTL for each table that it is asked for. */
function madePerSecond(rate: number, { upstream, place, system }: PlanInput): number {
  if (system.cache !== "machine" || rate <= 0) return 0;
  const kept = place.workers * upstream.tables;
  return kept / (upstream.ttl + kept / rate);
}

/** @param users people at once, each of whom holds one keep-alive connection. */
export function loadOf(users: number, input: PlanInput): Load {
  const { demand, place, costs, upstream, system } = input;
  const google = logNormalMean(upstream.p50, upstream.p99);
  const rate = users * demand.rate * demand.burst;
  const writes = rate * demand.writes;
  const reads = readsOf(rate - writes, input);
  const made = madePerSecond(rate - writes, input);
  const cpu = ((rate - writes) * costs.cpu + writes * costs.write.cpu + made * costs.make) / 1_000;
  return {
    rate,
    writes,
    misses: reads.misses,
    waiting: reads.waiting,
    made,
    cpu,
    taken: system.blocks ? cpu + (((rate - writes) * reads.waiting + writes) * google) / 1_000 : 0,
    memory: costs.others + place.workers * costs.worker + users * costs.connection,
    signedIn: users * demand.signedIn,
    connections: users,
    readCalls: reads.calls,
    writeCalls: (writes * 60) / upstream.rowsPerCall,
    traffic: (rate * demand.bytes * 8) / 1_000_000,
  };
}

/** CPU of one request, read or write, in ms; without computed answers. */
export const cpuOfMix = ({ demand: { writes }, costs }: PlanInput): number =>
  (1 - writes) * costs.cpu + writes * costs.write.cpu;

/** The same with its part of computed answers, in ms. */
export const cpuPerRequest = (load: Load, input: PlanInput): number =>
  load.rate > 0 ? (load.cpu * 1_000) / load.rate : cpuOfMix(input);

/** The fewest workers whose loops carry the load with room to spare. */
export const workersForCpu = (load: Load): number => Math.max(1, Math.ceil(load.cpu / CPU_SHARE));
