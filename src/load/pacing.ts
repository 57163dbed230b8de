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

/** Part of a whole number for each of several threads: 10 for 3 are 4, 3 and 3. */
export const shares = (whole: number, parts: number): number[] =>
  Array.from({ length: parts }, (_, i) => Math.floor(whole / parts) + (i < whole % parts ? 1 : 0));
