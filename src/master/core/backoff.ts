import { ms, type Ms } from "../../base/units.ts";
import type { Policy } from "./model.ts";

/** One step of mulberry32 (Tommy Ettinger, public domain): a 32-bit state in, a share 0 ≤ x < 1 and the next state out. */
export function random(seed: number): { readonly share: number; readonly seed: number } {
  const next = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(next ^ (next >>> 15), next | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return { share: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32, seed: next };
}

/** Exponents beyond this change nothing but could overflow. */
const LARGEST_EXPONENT = 30;

type Range = Pick<Policy["backoff"], "base" | "max">;

/** base × 2^n, at most max. */
export const doubled = (n: number, { base, max }: Range): Ms => ms(Math.min(max, base * 2 ** Math.min(n, LARGEST_EXPONENT)));

/**
 * How long to wait before the n-th try in a row (n from 0): base × 2^n up to max, of which a random half to whole, so
 * that places which crashed together don't come back together.
 */
export function backoff(n: number, range: Range, seed: number): { readonly wait: Ms; readonly seed: number } {
  const drawn = random(seed);
  return { wait: ms(Math.round(doubled(n, range) * (0.5 + drawn.share / 2))), seed: drawn.seed };
}
