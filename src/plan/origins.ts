/**
 * Which figures a result rests on, so that it can say where it comes from. What changes nothing is left out, whoever said it: a burst of 1, writes
 * of 0, what costs nothing.
 */
import type { Figure } from "./figure.ts";
import type { Demand, PlanInput } from "./input.ts";
import type { Load } from "./load.ts";
import { isFelt } from "./wire.ts";

/** A part of the requests that is smaller reaches no percentile that is shown. */
export const SEEN = 0.000_05;

/** Requests a second. */
export const rateFrom = ({ users, rate, shared, burst }: Demand): readonly Figure[] => [
  ...(shared === true ? [] : [users]),
  rate,
  ...(burst.value === 1 ? [] : [burst]),
];

/** CPUs that are busy. */
export function cpuFrom({ demand, costs, place, upstream, system }: PlanInput): readonly Figure[] {
  const makes = system.cache === "machine" && costs.make.value > 0;
  return [
    ...rateFrom(demand),
    costs.cpu,
    ...(demand.writes.value > 0 ? [demand.writes, costs.write.cpu] : []),
    ...(makes ? [costs.make, upstream.ttl, upstream.tables, place.workers] : []),
  ];
}

/** Calls to Google that read. */
export function readsFrom({ demand, place, upstream, system }: PlanInput): readonly Figure[] {
  return [
    ...rateFrom(demand),
    ...(demand.writes.value > 0 ? [demand.writes] : []),
    ...(system.cache === "none" ? [] : [upstream.ttl]),
    ...(system.cache === "worker" ? [upstream.tables, place.workers] : []),
  ];
}

/** Percentiles of the answers. */
export function latencyFrom(load: Load, input: PlanInput): readonly Figure[] {
  const { demand, costs, place, upstream, system } = input;
  const { p50, p95, p99 } = costs.quiet;
  const journal = demand.writes.value > 0 && system.cache === "machine";
  const google = load.waiting > SEEN || (demand.writes.value > 0 && !journal);
  return [
    ...cpuFrom(input),
    place.cpus,
    place.workers,
    p50,
    p95,
    p99,
    ...(journal ? [costs.write.p50, costs.write.p99] : []),
    ...(google ? [...readsFrom(input), upstream.p50, upstream.p99] : []),
    ...(isFelt(load, input) ? [demand.bytes, costs.network] : []),
  ];
}
