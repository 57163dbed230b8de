/** What a plan is made from. */

export interface Demand {
  readonly users: number;
  /** Requests a second of each of them. */
  readonly rate: number;
  /** The peak as a multiple of that rate. */
  readonly burst: number;
  /** Part of the requests that write, 0 to 1. */
  readonly writes: number;
  /** Of one answer, as it goes over the wire. */
  readonly bytes: number;
  /** Part of the users that sign in and hold a slot each, 0 to 1. */
  readonly signedIn: number;
}

export interface Slots {
  /** Sessions at once: the next login is refused. */
  readonly max: number;
  /** Users that the machine serves with ease: above it the service works, without a margin. */
  readonly comfort: number;
  /** The comfortable number was measured by a load run. */
  readonly comfortMeasured?: true;
}

export interface Peak {
  /** Requests a second. */
  readonly rate: number;
  /** false: beyond the users of the run. */
  readonly tested: boolean;
}

export interface Place {
  readonly cpus: number;
  /** Bytes that the service may use. */
  readonly memory: number;
  readonly workers: number;
  /** Connections that one worker holds at most. */
  readonly connections: number;
  /** The peak of the throughput of this very place, by a load run. */
  readonly peak?: Peak;
  /** undefined: a system without slots. */
  readonly slots?: Slots;
}

export interface Upstream {
  readonly tables: number;
  /** Seconds. */
  readonly ttl: number;
  /** Of each table, by its name, where a tables file has them. */
  readonly ttls?: Readonly<Record<string, number>>;
  /** Google's quotas, a minute. */
  readonly reads: number;
  readonly writes: number;
  /** How long Google takes, in ms. */
  readonly p50: number;
  readonly p99: number;
  /** Rows that one call can write. */
  readonly rowsPerCall: number;
}

/** What things cost. */
export interface Costs {
  /** CPU of a read, in ms. */
  readonly cpu: number;
  /** CPU to compute one answer, which each worker does once a TTL, in ms. */
  readonly make: number;
  /** Bytes. */
  readonly worker: number;
  readonly others: number;
  readonly connection: number;
  /** Latency while hardly anybody is there, in ms. */
  readonly quiet: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** A write, in ms: CPU of all processes that have to do with it; time until it is acknowledged. */
  readonly write: { readonly cpu: number; readonly p50: number; readonly p99: number };
  /** Mbit/s. */
  readonly network: number;
  /** p95, in ms, that must not be exceeded. */
  readonly limit: number;
}

/** How a server deals with Google. */
export interface System {
  readonly name: string;
  /** machine: one cache and one asker for all workers. worker: each for itself. none: every request goes to Google. */
  readonly cache: "machine" | "worker" | "none";
  /** A request that waits for Google keeps its worker from all others. */
  readonly blocks: boolean;
  /** Old rows are served while new ones are fetched. */
  readonly stale: boolean;
}

export interface PlanInput {
  /** The load run whose figures replace the model's own. */
  readonly measuredBy?: string;
  readonly demand: Demand;
  readonly place: Place;
  readonly upstream: Upstream;
  readonly costs: Costs;
  readonly system: System;
}

/** CPU that may be used: beyond it, waiting grows faster than the load. */
export const CPU_SHARE = 0.7;
/** Memory that may be used at rest: the rest is for peaks, reloads (new before old) and the machine's page cache. */
export const MEMORY_SHARE = 0.5;
/** Of Google's quota: as the broker's ledger. */
export const QUOTA_SHARE = 0.85;
/** Part of the users that may be refused for want of a slot. */
export const BLOCKED = 0.01;
/** Connections a worker beyond its even share: they never come as even as that. */
export const UNEVEN = 1.25;
/** As the settings of those names: more take another machine. */
export const MOST_WORKERS = 256;
export const MOST_CONNECTIONS = 100_000;
export const MOST_SLOTS = 100_000;
/** Ranges that fit into one values:batchGet. */
export const RANGES_PER_CALL = 100;

/** A place whose slots are not limited yet: the plan says how many are needed. */
export const withoutSlots = ({ cpus, memory, workers, connections, peak }: Place): Place => ({
  cpus,
  memory,
  workers,
  connections,
  ...(peak === undefined ? {} : { peak }),
});

export const DROVER: System = { name: "drover", cache: "machine", blocks: false, stale: true };
