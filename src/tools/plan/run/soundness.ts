/** What is wrong with a step of a load run, so that its figures are no figures of the server. */
import type { RunLatency, RunServer, RunStep } from "./run.ts";
import { exact, percent } from "../print/units.ts";

/** When more than this part of the requests was refused or failed, those that were answered are no picture of all. */
const MOST_LOST = 0.01;
/** By how much Little's law may be missed before a step is called a bad measurement. */
const LITTLE = 0.25;
/** With fewer requests it is chance. */
const FEWEST = 50;

/** Clocks tick, and samples are taken late. */
const ROUGH = 1.25;
/** Pages that are shared are counted for each process, and DROVER_MEMORY may say less than there is. */
const SHARED = 4;

/** @param server undefined: nothing is known of it. @returns why a step is not used, as the end of a sentence; undefined: nothing is wrong with it. */
export function flawOf(step: RunStep, server?: RunServer): string | undefined {
  const { valid, latencyMs, achievedPerSecond, requests, errors, timeouts, refused } = step;
  if (!valid) return "not used, the load generator called it invalid";
  if (latencyMs === undefined || !(achievedPerSecond > 0))
    return "not used, no request had a good answer";
  if (errors + timeouts >= requests / 2) return "not used, most requests failed";
  if (refused > requests * MOST_LOST)
    return `not used, ${percent(refused / requests)} of the requests were refused`;
  return impossible(step, server) ?? forbidden(step, latencyMs);
}

/** What is odd in a step that is used; undefined: nothing. */
export function oddityOf({ errors, timeouts, requests }: RunStep): string | undefined {
  const lost = errors + timeouts;
  return lost > requests * MOST_LOST
    ? `used, though ${percent(lost / requests)} of the requests failed`
    : undefined;
}

/** More than the machine has. */
function impossible(
  { cpuSeconds = 0, rssBytes = 0, seconds }: RunStep,
  server: RunServer | undefined,
): string | undefined {
  if (server === undefined) return undefined;
  const { cpus, memoryBytes } = server;
  if (cpuSeconds > cpus * seconds * ROUGH)
    return `not used, ${exact(cpuSeconds)} CPU-seconds in ${exact(seconds)} s are more than ${cpus} CPUs have`;
  if (rssBytes > memoryBytes * SHARED)
    return `not used, ${exact(rssBytes)} bytes were resident and the machine has ${exact(memoryBytes)}`;
  return undefined;
}

/** More than the mean can be: as long as the last of each part of the answers. */
const longestMean = ({ p50, p95, p99, max }: RunLatency): number =>
  0.5 * p50 + 0.45 * p95 + 0.04 * p99 + 0.01 * max;

/**
 * What Little's law forbids in a closed step: N users who take R to be answered and think Z make N / (R + Z) requests a second. R lies between half
 * of the median and `longestMean`. Both are those of good answers: where others did not come, and users waited for them, they tell nothing.
 */
function forbidden(step: RunStep, latencyMs: RunLatency): string | undefined {
  const { users, thinkMs, achievedPerSecond, requests, errors, timeouts } = step;
  if (step.model === "open" || requests < FEWEST || errors + timeouts > requests * MOST_LOST)
    return undefined;
  const most = (users * 1_000) / (latencyMs.p50 * 0.5 + thinkMs);
  // One user whose request times out may wait longer than all the answers took.
  const least = timeouts > 0 ? 0 : (users * 1_000) / (longestMean(latencyMs) + thinkMs);
  if (achievedPerSecond <= most * (1 + LITTLE) && achievedPerSecond >= least * (1 - LITTLE))
    return undefined;
  const bound = achievedPerSecond > most ? `at most ${exact(most)}` : `at least ${exact(least)}`;
  return (
    `not used, it does not add up: ${users} users at p50 ${exact(latencyMs.p50)} ms with ${exact(thinkMs)} ms of thought can't make ` +
    `${exact(achievedPerSecond)} requests/s (${bound}, by Little's law)`
  );
}
