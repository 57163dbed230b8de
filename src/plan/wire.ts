/** What the cable adds to an answer. */
import type { PlanInput } from "./input.ts";
import { percentiles, wait, type Percentiles } from "./latency.ts";
import type { Load } from "./load.ts";

/** Bytes of the answers that the quiet latency was measured with. */
const SHORT = 10_240;

/** The way of an answer that is longer than those, and the wait for a cable that others use: M/M/1. */
export function onTheWire(load: Load, { demand, costs }: PlanInput): Percentiles {
  const perByte = 8 / (costs.network * 1_000); // ms
  const longer = Math.max(0, demand.bytes - SHORT) * perByte;
  return percentiles((_, q) => longer + wait(q, demand.bytes * perByte, load.traffic / costs.network));
}
