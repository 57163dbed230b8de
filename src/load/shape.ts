/** What is asked of the server and in which order: the steps of a run. */
import { DroverError } from "../base/errors.ts";
import { seconds, type Ms } from "../base/units.ts";
import type { RunModel } from "../tools/plan/run/run.ts";

/** So many users at once (closed) or requests a second (open), held or changed on a straight line, and measured after the warm-up. */
export interface Step {
  readonly label: string;
  readonly model: RunModel;
  /** Where it starts; the same as `to` unless it is a ramp. */
  readonly from: number;
  readonly to: number;
  readonly warmMs: Ms;
  readonly holdMs: Ms;
  /** It ends after so many requests, if they are made before its time is over. */
  readonly most?: number;
  /** After it nobody asks until the next one begins, and what is under way ends first: it would spoil the next one's figures. */
  readonly rests?: true;
}

/** The ladder that the service this is for was tried with, and what its authors called each rung. */
export const LADDER = [5, 10, 25, 50, 100, 200] as const;
const LABELS: ReadonlyMap<number, string> = new Map([
  [5, "baseline"],
  [10, "fluid"],
  [25, "medium"],
  [50, "half load"],
  [100, "goal"],
  [200, "margin"],
]);

/** A tenth of the time, between 1 and 5 s: connections, caches and the compiler settle. */
export const warmUp = (hold: Ms): Ms => seconds(Math.min(5, Math.max(1, hold / 10_000)));

export const held = (model: RunModel, value: number, hold: Ms, label?: string): Step => ({
  label: label ?? (model === "open" ? `${value}/s` : `${value} users`),
  model,
  from: value,
  to: value,
  warmMs: warmUp(hold),
  holdMs: hold,
});

/** One try of a search. */
export const tried = (model: RunModel, value: number, hold: Ms): Step => ({ ...held(model, value, hold), rests: true });

/** So many requests and not one more: the first counts, so there is no warm-up, and nobody asks after the last. @param within at most so long. */
export const counted = (model: RunModel, value: number, { most, within }: { readonly most: number; readonly within: Ms }): Step => ({
  ...held(model, value, within),
  warmMs: seconds(0),
  most,
  rests: true,
});

export const ladder = (rungs: readonly number[], hold: Ms): Step[] =>
  rungs.map((users) => held("closed", users, hold, LABELS.get(users) ?? `${users} users`));

/** @param parts each from where the one before ended, the first from 0: `10m:300,30m:300,5m:0`. */
export function stages(parts: readonly { readonly over: Ms; readonly to: number; readonly label?: string }[], model: RunModel): Step[] {
  if (parts.every(({ to }) => to === 0)) throw new DroverError("DROVER_E_USAGE", "--stages: nobody ever comes: every stage ends at 0");
  let from = 0;
  return parts.map(({ over, to, label = from === to ? `hold ${to}` : `${from}→${to}` }) => {
    const step: Step = { label, model, from, to, warmMs: seconds(0), holdMs: over };
    from = to;
    return step;
  });
}

/** Users (or requests a second) on the average of the step. */
export const mean = ({ from, to }: Step): number => (from + to) / 2;

/** At most so many at once. */
export const peak = (steps: readonly Step[]): number => Math.max(...steps.map(({ from, to }) => Math.max(from, to)));

export const lasts = (steps: readonly Step[]): Ms => steps.reduce((sum, { warmMs, holdMs }) => (sum + warmMs + holdMs) as Ms, seconds(0));

/** Requests of all steps, warm-ups included, when answers take no time. @param thinkMs the mean pause of a user. */
export const expectedRequests = (steps: readonly Step[], thinkMs: number): number =>
  steps.reduce((sum, step) => {
    const time = (step.warmMs + step.holdMs) / 1_000;
    const perSecond = step.model === "open" ? mean(step) : (mean(step) * 1_000) / Math.max(1, thinkMs);
    return sum + Math.min(step.most ?? Infinity, perSecond * time);
  }, 0);
