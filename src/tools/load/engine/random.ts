/**
 * A seeded random generator (mulberry32, Tommy Ettinger; public domain): the same seed and stream
 * repeat the same numbers, from 0 up to 1.
 */
export type Random = () => number;

export function random(seed: number, stream = 0): Random {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of several by weight. @param of at least one with a weight above 0. */
export function pick<T extends { readonly weight: number }>(of: readonly T[], chance: Random): T {
  let left = chance() * of.reduce((sum, { weight }) => sum + weight, 0);
  for (const one of of) {
    left -= one.weight;
    if (left < 0) return one;
  }
  const last = of.findLast(({ weight }) => weight > 0); // rounding left nothing
  if (last === undefined) throw new RangeError("nothing to choose from");
  return last;
}
