/** What the cable adds to an answer. */
import type { PlanInput } from "./input.ts";
import { percentiles, wait, type Percentiles } from "./latency.ts";
import type { Load } from "./load.ts";

/** Bytes of the answers that the quiet latency was measured with. */
const SHORT = 10_240;

/** The way of an answer that is longer than those, and the wait for a cable that others use: M/M/1. */
export function onTheWire(load: Load, { demand, costs }: PlanInput): Percentiles {
  const perByte = 8 / (costs.network.value * 1_000); // ms
  const longer = Math.max(0, demand.bytes.value - SHORT) * perByte;
  return percentiles((_, q) => longer + wait(q, demand.bytes.value * perByte, load.traffic / costs.network.value));
}

/** Below this, in ms at the p99, it is in no figure that is shown. */
const FELT = 0.5;

/** Whether answers are later for it. */
export const isFelt = (load: Load, input: PlanInput): boolean => onTheWire(load, input).p99 >= FELT;
