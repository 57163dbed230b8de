/** What is wrong with a step of a load run, so that its figures are no figures of the server. */
import type { RunLatency, RunStep } from "./run.ts";
import { percent } from "./units.ts";

/** When more than this part of the requests was refused or failed, those that were answered are no picture of all. */
const MOST_LOST = 0.01;
/** By how much Little's law may be missed before a step is called a bad measurement. */
const LITTLE = 0.25;
/** With fewer requests it is chance. */
const FEWEST = 50;

/** Why a step is not used, as the end of a sentence; undefined: nothing is wrong with it. */
export function flawOf(step: RunStep): string | undefined {
  const { valid, latencyMs, achievedPerSecond, requests, errors, timeouts, refused } = step;
  if (!valid) return "not used, the load generator itself was saturated";
  if (latencyMs === undefined || !(achievedPerSecond > 0)) return "not used, no request had a good answer";
  if (errors + timeouts >= requests / 2) return "not used, most requests failed";
  if (refused > requests * MOST_LOST) return `not used, ${percent(refused / requests)} of the requests were refused`;
  return forbidden(step, latencyMs);
}

/** More than the mean can be: as long as the last of each part of the answers. */
const longestMean = ({ p50, p95, p99, max }: RunLatency): number => 0.5 * p50 + 0.45 * p95 + 0.04 * p99 + 0.01 * max;

/**
 * What Little's law forbids in a closed step: N users who take R to be answered and think Z make N / (R + Z) requests a second. R lies between half
 * of the median and `longestMean`. Both are those of good answers: where others did not come, and users waited for them, they tell nothing.
 */
function forbidden(step: RunStep, latencyMs: RunLatency): string | undefined {
  const { users, thinkMs, achievedPerSecond, requests, errors, timeouts } = step;
  if (step.model === "open" || requests < FEWEST || errors + timeouts > requests * MOST_LOST) return undefined;
  const most = (users * 1_000) / (latencyMs.p50 * 0.5 + thinkMs);
  // A single user who waits for a timeout may wait longer than all the answers took.
  const least = timeouts > 0 ? 0 : (users * 1_000) / (longestMean(latencyMs) + thinkMs);
  if (achievedPerSecond <= most * (1 + LITTLE) && achievedPerSecond >= least * (1 - LITTLE)) return undefined;
  const implied = (users / achievedPerSecond) * 1_000 - latencyMs.p50;
  return (
    `not used, it does not add up: ${users} users at p50 ${latencyMs.p50} ms with ${thinkMs} ms of thought can't make ` +
    `${achievedPerSecond.toFixed(1)} requests/s (that is ${implied.toFixed(0)} ms of thought)`
  );
}
