/** What follows from the settings and the supervisor's state: the core's policy, how many workers are ready. */
import { availableParallelism } from "node:os";
import { seconds } from "../base/units.ts";
import type { Master, Place, Policy } from "../master/core/model.ts";
import { detectMachine } from "../settings/machine.ts";
import type { Settings } from "../settings/table.ts";
import { workerBound, type WorkerBound } from "../settings/workerbound.ts";

const CPUS = availableParallelism();
/** Limits of this process do not change while it runs. */
const MACHINE = detectMachine(process.env);
const bounds = new WeakMap<Settings, WorkerBound>();

/** How many workers may run, and what binds. The core asks at each event: computed once for each settings. */
export function boundOf(settings: Settings): WorkerBound {
  const bound = bounds.get(settings) ?? workerBound(settings, MACHINE);
  bounds.set(settings, bound);
  return bound;
}

export const policyOf = (settings: Settings): Policy => ({
  bootTimeout: settings.boot_timeout,
  bootGrace: seconds(2),
  headStart: seconds(2),
  // More would be ready no sooner, and take CPU from those who serve.
  bootsAtOnce: Math.max(2, CPUS),
  bootPace: seconds(1),
  beatTimeout: settings.timeout,
  gracefulTimeout: settings.graceful_timeout,
  rollSettle: settings.roll_settle,
  probe: settings.probe_path === undefined ? undefined : seconds(5),
  examineBudget: seconds(0.8),
  examineLongest: seconds(10),
  reapTimeout: seconds(5),
  quickTimeout: seconds(2),
  crashLimit: { crashes: 5, within: seconds(60), unborn: 1 },
  backoff: { base: seconds(1), max: seconds(30), alone: seconds(8), served: seconds(5) },
  minWorkers: boundOf(settings).least,
  maxWorkers: boundOf(settings).most,
});

const workers = (state: Master): Place[] => [...state.places.values()].filter((place) => place.role === "worker");
export const readyWorkers = (state: Master): number => workers(state).filter((place) => place.incumbent.is === "ready").length;
