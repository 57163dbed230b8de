/** Whether a series rises, and when it arrives: robust, because people come and go. */
import { between, minutes, ms, seconds, type Instant, type Ms } from "../../base/units.ts";

export interface Point {
  readonly at: Instant;
  readonly value: number;
}

/** A trend is judged by this much of the past. */
const WINDOW = minutes(30);
const EVERY = seconds(20);
const LEAST = 12;
/** Of the normal distribution, two-sided 99 %: a random walk is not called a trend. */
const CONFIDENCE = 2.58;
/** Whatever is further away is not foreseen by half an hour. */
const HORIZON = minutes(24 * 60);

/** The series with a new value; values within 20 s of the last one are left out, and those older than half an hour forgotten. */
export function remember(points: readonly Point[], point: Point): readonly Point[] {
  const last = points.at(-1);
  if (last !== undefined && between(last.at, point.at) < EVERY) return points;
  return [...points.filter(({ at }) => between(at, point.at) <= WINDOW), point];
}

/**
 * When the series reaches `goal`, if it goes on as it does.
 * @returns 0 when it is there, null when it does not rise clearly (Mann and Kendall's test at 99 %), or would take more than a day.
 */
export function timeTo(points: readonly Point[], goal: number): Ms | null {
  const last = points.at(-1);
  if (last === undefined) return null;
  if (last.value >= goal) return ms(0);
  if (points.length < LEAST) return null;
  const { slope, rises } = theilSen(points);
  if (!rises || slope <= 0) return null;
  const level = median(points.map(({ at, value }) => value + slope * between(at, last.at)));
  const left = Math.max(0, goal - level) / slope;
  return left > HORIZON ? null : ms(Math.round(left));
}

/** Theil and Sen's slope, the median of all pairs' (a value a millisecond): right with up to 29 % of the values wild. */
export function theilSen(points: readonly Point[]): { readonly slope: number; readonly rises: boolean } {
  const slopes: number[] = [];
  let sign = 0;
  for (const [i, one] of points.entries())
    for (const other of points.slice(i + 1)) {
      const run = between(one.at, other.at);
      if (run <= 0) continue;
      slopes.push((other.value - one.value) / run);
      sign += Math.sign(other.value - one.value);
    }
  if (slopes.length === 0) return { slope: 0, rises: false };
  const n = points.length;
  const spread = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  return { slope: median(slopes), rises: (sign - 1) / spread > CONFIDENCE };
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}
