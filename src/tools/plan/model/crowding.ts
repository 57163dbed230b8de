/**
 * More workers than CPUs: what fits, what it costs, and what it buys. An event loop serves thousands of connections at once, so that workers beyond
 * the CPUs only take turns. Gunicorn's rule for workers that block is 2 × CPUs + 1.
 */
import { MEMORY_SHARE, type PlanInput } from "./types.ts";
import { loadOf, loopsOf, type Load } from "./load.ts";

export interface Crowding {
  readonly workers: number;
  /** Workers that run at once. */
  readonly cpus: number;
  /** Workers that half of the memory holds, next to everything else. */
  readonly fit: number;
  /** Workers beyond those that run at once, and what they take: bytes, and CPUs for answers that each worker makes for itself. */
  readonly more: number;
  readonly memory: number;
  readonly cpu: number;
  /** How many times as long an answer takes while every worker is busy. */
  readonly slowdown: number;
}

/** @returns undefined where workers block, or no more of them are set than run at once. */
export function crowdingOf(load: Load, input: PlanInput): Crowding | undefined {
  const { place, costs, demand, system } = input;
  const [workers, cpus] = [place.workers, Math.max(1, Math.floor(loopsOf(input)))];
  if (system.blocks || workers <= cpus) return undefined;
  const few = loadOf(demand.users, { ...input, place: { ...place, workers: cpus } });
  const left = place.memory * MEMORY_SHARE - costs.others - load.connections * costs.connection;
  return {
    workers,
    cpus,
    fit: Math.max(0, Math.floor(left / costs.worker)),
    more: workers - cpus,
    memory: (workers - cpus) * costs.worker,
    cpu: Math.max(0, load.cpu - few.cpu),
    slowdown: workers / cpus,
  };
}
