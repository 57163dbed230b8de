import { ms, seconds, type Ms } from "../base/units.ts";

const FIRST = seconds(1);
const LONGEST = seconds(30);

/**
 * The pause after the nth failure in a row (n ≥ 1): doubles from 1 s to 30 s; half of it is random, so that machines which
 * failed together do not come back together.
 * @param random 0 ≤ random < 1. @param longest where less than 30 s is enough.
 */
export function backoff(failures: number, random: number, longest: Ms = LONGEST): Ms {
  const whole = Math.min(LONGEST, longest, FIRST * 2 ** Math.min(20, Math.max(0, failures - 1)));
  return ms(whole / 2 + (whole / 2) * random);
}
