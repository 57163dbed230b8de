/** The model's own figures for drover, each with the measurement it was taken from. A load run replaces them: `--from`. */
import { mebibytes } from "../base/units.ts";
import { WORKER_FOOTPRINT } from "../settings/machine.ts";
import { assumed } from "./figure.ts";
import type { Costs, Upstream } from "./input.ts";

const LATENCY = "bench/README.md: 10 to 100 requests/s, 8 workers, the generator on the same 2 cores";

export const COSTS: Costs = {
  cpu: assumed(0.036, "docs/tuning.md: 29–39 µs a cached request of 10 KB, keep-alive, 8 workers on 2 cores"),
  make: assumed(1.1, "bench/README.md: an answer of 10 KB that did not stand ready"),
  worker: assumed(WORKER_FOOTPRINT, "docs/tuning.md: RSS of a worker"),
  others: assumed(mebibytes(150), "docs/tuning.md: master and broker"),
  connection: assumed(16.6 * 1_024, "bench/results/full.json, held: the PSS that each of 16,000 added, 16 workers"),
  quiet: { p50: assumed(1.4, LATENCY), p95: assumed(3.4, LATENCY), p99: assumed(6, LATENCY) },
  write: {
    cpu: assumed(2.7, "bench/README.md, Writes: broker and 8 workers, 32 clients, 500 rows; alone 15–22 ms, with 50,000 rows 9–10"),
    p50: assumed(10, "bench/README.md: 20 writes a second"),
    p99: assumed(26, "bench/README.md: 20 writes a second"),
  },
  network: assumed(1_000, "a common port of a VPS, in Mbit/s"),
  limit: assumed(500, "the usual goal: p95 below 500 ms"),
};

/** Rows of one batchUpdate, where they are small: `src/broker/flusher/core/limits.ts`. */
export const ROWS_PER_CALL = assumed(500, "what drover puts into one call at most");

/** Google, as 1,909 recorded calls on small sheets showed it: log-normal, mean 320 ms, σ 0.3. */
export const GOOGLE: Pick<Upstream, "p50" | "p99"> = {
  p50: assumed(306, "recorded calls on small sheets"),
  p99: assumed(615, "recorded calls on small sheets"),
};
