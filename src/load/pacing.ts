/** When the next request is due. Numbers in, numbers out; all in milliseconds. */
import type { Random } from "./random.ts";

/** A person's pause: from half to one and a half of the mean, each as likely. */
export const pause = (meanMs: number, chance: Random): number => meanMs * (0.5 + chance());

/** Until the next of those who come independently of each other (a Poisson process). @param perSecond above 0. */
export const untilNext = (perSecond: number, chance: Random): number => (-Math.log(1 - chance()) * 1_000) / perSecond;

/** How many there are after `atMs` on the straight line from one number to another. */
export function along(line: { readonly from: number; readonly to: number; readonly overMs: number }, atMs: number): number {
  if (line.overMs <= 0 || atMs >= line.overMs) return line.to;
  return line.from + ((line.to - line.from) * Math.max(0, atMs)) / line.overMs;
}

/**
 * From when a request's latency counts. A timer fires up to 2 ms after its time, on an idle machine too: that is no waiting of anybody.
 * More than that is, and counts from the intended moment, or a generator that is held up would hide the very delay it is to measure
 * (coordinated omission, Gil Tene).
 */
export const intended = (due: number, now: number): number => (now - due <= TIMER ? now : due);
const TIMER = 2;

/** Parts of a whole number that stand to each other as the weights do, as far as whole numbers can: 10 for 2, 1 and 0 are 7, 3 and 0. @param weights their sum above 0. */
export function inProportion(whole: number, weights: readonly number[]): number[] {
  let sum = 0;
  const until = weights.map((weight) => (sum += weight)).map((before) => Math.round((whole * before) / sum));
  return until.map((to, i) => to - (until[i - 1] ?? 0));
}

/** Part of a whole number for each of several threads: 10 for 3 are 4, 3 and 3. */
export const shares = (whole: number, parts: number): number[] =>
  Array.from({ length: parts }, (_, i) => Math.floor(whole / parts) + (i < whole % parts ? 1 : 0));
