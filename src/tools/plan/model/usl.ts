/**
 * The Universal Scalability Law: X(N) = λN / (1 + σ(N−1) + κN(N−1)). σ is what must be done one after the other, κ what everyone tells
 * everyone. N. Gunther, "Guerrilla Capacity Planning", 2007; λ as a third coefficient: B. Schwartz, 2013.
 */
import { usable, type LoadRun } from "../run/run.ts";
import { leastSquares } from "./least-squares.ts";
import { percent } from "../print/units.ts";

export interface Point {
  readonly users: number;
  /** Requests a second that were answered. */
  readonly rate: number;
}

export interface Coefficients {
  readonly lambda: number;
  readonly sigma: number;
  readonly kappa: number;
}

export interface Fit extends Coefficients {
  readonly points: number;
  /** Of them at different numbers of users: a step that was measured twice says one thing. */
  readonly levels: number;
  /** The most users that were tested. */
  readonly tested: number;
  /** Where throughput is highest; Infinity when nothing in the points says that it ever falls. */
  readonly peakUsers: number;
  readonly peakRate: number;
  /** peakUsers again with each point left out in turn: least and most. */
  readonly range: readonly [number, number];
  /** The worst of |fitted − measured| / measured. */
  readonly worst: number;
}

/** Fewer points than this agree with any curve. */
const FEWEST = 3;
/** Points from which a fit is more than an illustration: twice the coefficients. */
export const ENOUGH = 6;
/** A peak beyond this multiple of the tested users is a guess. */
export const REACH = 2;
/** A curve that misses a step by more is not the run's: what `--verify` lets a prediction miss an answer rate by. */
const WORST = 0.1;

export const throughput = ({ lambda, sigma, kappa }: Coefficients, n: number): number =>
  (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1));

const TERMS: readonly ((n: number) => number)[] = [() => 1, (n) => n - 1, (n) => n * (n - 1)];

/**
 * N/X is linear in (1, N−1, N(N−1)), so that least squares of its relative error are a 3 × 3 system without a start to guess.
 * @param used which of the terms take part; the others are 0. @returns undefined when the points can't tell them apart.
 */
function solve(
  points: readonly Point[],
  used: readonly number[],
  weights: readonly number[],
): number[] | undefined {
  const rows = points.map(({ users, rate }, i) =>
    used.map(
      (term) => ((TERMS[term] as (n: number) => number)(users) * rate * (weights[i] ?? 1)) / users,
    ),
  );
  return leastSquares(rows, weights);
}

const ROUNDS = 20;

/** With rows weighted by (fitted / measured)^1.5 the fixed point minimizes the relative error of X itself, which `worst` measures. */
function solved(points: readonly Point[], used: readonly number[]): Coefficients | undefined {
  let found: Coefficients | undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    const weights = points.map(({ users, rate }) =>
      found === undefined ? 1 : (throughput(found, users) / rate) ** 1.5,
    );
    const next = coefficientsFrom(solve(points, used, weights), used);
    if (next === undefined) return found;
    found = next;
  }
  return found;
}

/** Neither σ nor κ may be negative. */
function coefficientsFrom(
  terms: readonly number[] | undefined,
  used: readonly number[],
): Coefficients | undefined {
  const [inverse = 0] = terms ?? [];
  if (terms === undefined || !(inverse > 0)) return undefined;
  const of = (term: number): number =>
    used.includes(term) ? (terms[used.indexOf(term)] ?? 0) / inverse : 0;
  const found = { lambda: 1 / inverse, sigma: of(1), kappa: of(2) };
  return found.sigma < 0 || found.kappa < 0 ? undefined : found;
}

const error = (points: readonly Point[], c: Coefficients): number =>
  points.reduce((sum, { users, rate }) => sum + (throughput(c, users) / rate - 1) ** 2, 0);

/** The best of the four cases in which σ and κ are free or 0: neither may be negative. */
function coefficients(points: readonly Point[]): Coefficients | undefined {
  let best: Coefficients | undefined;
  for (const used of [[0, 1, 2], [0, 1], [0, 2], [0]]) {
    const found = solved(points, used);
    if (found === undefined) continue;
    if (best === undefined || error(points, found) < error(points, best)) best = found;
  }
  return best;
}

/** Below this, what is left of κ is rounding. */
const NOTHING = 1e-12;

function peakOf({ sigma, kappa }: Coefficients): number {
  if (kappa <= NOTHING) return Infinity;
  return Math.max(1, Math.sqrt(Math.max(0, 1 - sigma) / kappa));
}

/** @returns undefined with fewer than three points at different numbers of users. */
export function fit(points: readonly Point[]): Fit | undefined {
  const levels = new Set(points.map(({ users }) => users)).size;
  if (levels < FEWEST) return undefined;
  const found = coefficients(points);
  if (found === undefined) return undefined;
  const peakUsers = peakOf(found);
  const without = points
    .map((_, i) => coefficients(points.toSpliced(i, 1)))
    .filter((c) => c !== undefined);
  const peaks = [peakUsers, ...(points.length > FEWEST ? without.map(peakOf) : [])];
  return {
    ...found,
    points: points.length,
    levels,
    tested: Math.max(...points.map(({ users }) => users)),
    peakUsers,
    peakRate: Number.isFinite(peakUsers) ? throughput(found, peakUsers) : Infinity,
    range: [Math.min(...peaks), Math.max(...peaks)],
    worst: Math.max(
      ...points.map(({ users, rate }) => Math.abs(throughput(found, users) / rate - 1)),
    ),
  };
}

/** Of a run's closed steps: an open step has connections, no users. */
export const fitOf = (run: LoadRun): Fit | undefined =>
  fit(
    usable(run).flatMap(({ model, users, achievedPerSecond: rate }) =>
      model === "closed" ? [{ users, rate }] : [],
    ),
  );

/** Why the fit's peak must not be used as a figure; undefined: it may. */
export function refusal({
  levels,
  peakUsers,
  tested,
  worst,
  range: [, most],
}: Fit): string | undefined {
  if (worst > WORST)
    return `the fit misses a step by ${percent(worst)}: throughput does not follow the law (${percent(WORST)} may be missed)`;
  if (!Number.isFinite(peakUsers))
    return `throughput still rose at ${tested} users, the most that were tested: nothing says where it ends`;
  if (peakUsers > tested * REACH)
    return `the fit would put the peak beyond ${REACH} × the ${tested} users that were tested: that is a guess, test further`;
  if (levels < ENOUGH)
    return `${levels} points for 3 coefficients: an illustration, not proof (${ENOUGH} are needed)`;
  if (most > tested * REACH)
    return `it hangs on a single step: without it the peak is beyond ${REACH} × the ${tested} users that were tested, or nowhere`;
  return undefined;
}

/** A peak beyond the tested users comes from the law, not from a measurement. */
export const peakOrigin = ({ peakUsers, tested }: Fit): "assumed" | "measured" =>
  peakUsers > tested ? "assumed" : "measured";
