/** When will it be full? A robust line through the last samples: one burst does not move it (Theil–Sen: the median of all slopes). */

export interface Point {
  /** Seconds. */
  readonly at: number;
  readonly value: number;
}

/** Of many samples so many are looked at, evenly spread: the pairs grow with the square. */
const MOST = 60;
const LEAST = 6;

/** @returns growth a second; undefined: too little is known. */
export function slopeOf(points: readonly Point[]): number | undefined {
  const step = Math.max(1, Math.ceil(points.length / MOST));
  const some = points.filter((_, i) => (points.length - 1 - i) % step === 0);
  if (some.length < LEAST) return undefined;
  const slopes: number[] = [];
  for (const [i, a] of some.entries()) for (const b of some.slice(i + 1)) if (b.at > a.at) slopes.push((b.value - a.value) / (b.at - a.at));
  return slopes.toSorted((a, b) => a - b)[Math.floor(slopes.length / 2)];
}

/** Later than this is never: nobody's trend of minutes says anything about the day after tomorrow. */
const HORIZON = 86_400;

/** @returns whole seconds until `value` reaches `max`; 0: it has; null: it does not rise, or not within a day. */
export function etaOf(points: readonly Point[], max: number): number | null {
  const last = points.at(-1);
  if (last === undefined) return null;
  if (last.value >= max) return 0;
  const slope = slopeOf(points);
  if (slope === undefined || slope <= 0) return null;
  const eta = Math.round((max - last.value) / slope);
  return eta <= HORIZON ? eta : null;
}
