/** The scalability law: what it is made from is found again, and where its peak must not be told. */
import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { leastSquares } from "../../../src/tools/plan/model/least-squares.ts";
import {
  fit,
  peakOrigin,
  refusal,
  throughput,
  type Fit,
  type Point,
} from "../../../src/tools/plan/model/usl.ts";

const about = (actual: number, expected: number, part: number): void =>
  assert.ok(
    Math.abs(actual - expected) <= part * Math.abs(expected),
    `${actual} is not ${expected} ± ${part * 100} %`,
  );

test("the scalability law finds the coefficients it was made from", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 1e4, noNaN: true }),
      fc.double({ min: 0, max: 0.3, noNaN: true }),
      fc.double({ min: 1e-6, max: 0.01, noNaN: true }),
      (lambda, sigma, kappa) => {
        const points = [1, 5, 10, 25, 50, 100, 200].map((users) => ({
          users,
          rate: throughput({ lambda, sigma, kappa }, users),
        }));
        const found = fit(points);
        assert.ok(found !== undefined && found.worst < 1e-6, JSON.stringify(found));
        about(found.peakUsers, Math.max(1, Math.sqrt((1 - sigma) / kappa)), 0.01);
      },
    ),
    { numRuns: 100 },
  );
});

test("2.1: 500, 2,000 and 5,000 users of a published run: a peak near 2,200 users, called an illustration", () => {
  const found = fit([
    { users: 500, rate: 10_681 },
    { users: 2_000, rate: 27_535 },
    { users: 5_000, rate: 18_371 },
  ]);
  assert.ok(found !== undefined);
  about(found.peakUsers, 2_200, 0.01);
  about(found.peakRate, 25_650, 0.001);
  about(found.lambda, 23.2, 0.002);
  about(found.kappa, 2e-7, 0.03);
  assert.match(refusal(found) ?? "", /3 points.*illustration/);
});

test("a peak is not told beyond twice what was tested, nor where nothing bends", () => {
  const straight = fit([5, 10, 25, 50, 100, 200].map((users) => ({ users, rate: users / 10 })));
  assert.match(straight === undefined ? "" : (refusal(straight) ?? ""), /still rose at 200 users/);
  const early = fit(
    [1, 2, 4, 6, 8, 10].map((users) => ({
      users,
      rate: throughput({ lambda: 10, sigma: 0.01, kappa: 1e-4 }, users),
    })),
  );
  assert.match(early === undefined ? "" : (refusal(early) ?? ""), /beyond 2 × the 10 users/);
  const seen = fit(
    [1, 20, 50, 80, 120, 200].map((users) => ({
      users,
      rate: throughput({ lambda: 10, sigma: 0.01, kappa: 1e-4 }, users),
    })),
  );
  assert.equal(seen === undefined ? "" : refusal(seen), undefined);
  assert.equal(
    fit([
      { users: 1, rate: 1 },
      { users: 2, rate: 2 },
    ]),
    undefined,
  );
  assert.equal(
    fit([
      { users: 5, rate: 1 },
      { users: 5, rate: 2 },
      { users: 5, rate: 3 },
    ]),
    undefined,
  );
});

const LAW = { lambda: 10, sigma: 0.01, kappa: 1e-4 };
const onTheLaw = (...users: readonly number[]): Point[] =>
  users.map((n) => ({ users: n, rate: throughput(LAW, n) }));
function fitOf(points: readonly Point[]): Fit {
  const found = fit(points);
  assert.ok(found !== undefined);
  return found;
}

test("a peak within what was tested is measured, one beyond it assumed", () => {
  const [within, beyond] = [
    fitOf(onTheLaw(1, 20, 50, 80, 120, 200)),
    fitOf(onTheLaw(1, 10, 20, 30, 50, 70)),
  ];
  about(beyond.peakUsers, 99.5, 0.01);
  assert.deepEqual([refusal(within), refusal(beyond)], [undefined, undefined]);
  assert.deepEqual([peakOrigin(within), peakOrigin(beyond)], ["measured", "assumed"]);
});

test("no peak is told of a curve that misses a step by more than 10 %", () => {
  const bent = (by: number): Point[] =>
    onTheLaw(1, 20, 50, 80, 120, 200).map((p, i) => (i === 2 ? { ...p, rate: p.rate * by } : p));
  assert.match(
    refusal(fitOf(bent(0.6))) ?? "",
    /misses a step by \d+(?:\.\d)? %: .*\(10 % may be missed\)/,
  );
  assert.equal(refusal(fitOf(bent(0.98))), undefined);
});

test("no peak is told that hangs on a single step", () => {
  // Straight but for the last step: without it nothing says that throughput ever falls.
  const found = fitOf(
    [10, 20, 30, 40, 50, 150].map((users) => ({ users, rate: users === 150 ? 90 : users })),
  );
  assert.ok(found.peakUsers <= 300 && found.worst <= 0.1, JSON.stringify(found));
  assert.equal(found.range[1], Infinity);
  assert.match(
    refusal(found) ?? "",
    /hangs on a single step: without it the peak is beyond 2 × the 150 users that were tested, or nowhere/,
  );
});

test("least squares: the line through three points, and nothing where columns are alike", () => {
  const [rise = 0, base = 0] = leastSquares([[1, 1], [2, 1], [4, 1]], [3, 5, 9]) ?? []; // prettier-ignore
  about(rise, 2, 1e-9);
  about(base, 1, 1e-9);
  assert.equal(leastSquares([[1, 2], [2, 4]], [1, 2]), undefined); // prettier-ignore
  assert.equal(leastSquares([[1, 0], [2, 0]], [1, 2]), undefined); // prettier-ignore
  assert.equal(leastSquares([], []), undefined);
});
