/** The model's own figures for drover; docs/plan.md lists them. A load run replaces them: `--from`. */
import { mebibytes } from "../../../base/units.ts";
import { WORKER_FOOTPRINT } from "../../../settings/machine.ts";
import type { Costs, Upstream } from "./types.ts";

export const COSTS: Costs = {
  cpu: 0.036, // docs/tuning.md: 29–39 µs a cached request of 10 KB, keep-alive, 8 workers on 2 cores
  make: 1.1, // bench/README.md: an answer of 10 KB that is not in a worker's memory
  worker: WORKER_FOOTPRINT, // docs/tuning.md: RSS of a worker
  others: mebibytes(150), // docs/tuning.md: master and broker
  connection: 16.6 * 1_024, // bench/results/full.json, held: PSS that each of 16,000 connections added, 16 workers
  quiet: { p50: 1.4, p95: 3.4, p99: 6 }, // bench/README.md: 10 to 100 requests/s, 8 workers, the generator on the same 2 cores
  // bench/README.md, Writes: broker and 8 workers, 32 clients, 500 rows (one client: 15–22 ms; with 50,000 rows: 9–10); times at 20 writes a second
  write: { cpu: 2.7, p50: 10, p99: 26 },
  network: 1_000, // a common port of a VPS, in Mbit/s
  limit: 500, // the usual goal: p95 below 500 ms
};

/** Rows of one batchUpdate, where they are small: `src/broker/flusher/core/limits.ts`. */
export const ROWS_PER_CALL = 500;

/** Google, as 1,909 recorded calls on small sheets showed it: log-normal, mean 320 ms, σ 0.3. */
export const GOOGLE: Pick<Upstream, "p50" | "p99"> = { p50: 306, p99: 615 };
