import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { ms, seconds, type Instant, type Ms } from "../../src/base/units.ts";
import { floorFor, recurring, Stretch, type Paced } from "../../src/broker/stretch.ts";

const paced = (ttl: number, spreadsheet = "s", bytes = 1_000): Paced => ({ spreadsheet, ttl: seconds(ttl), bytes });
const at = (s: number): Instant => seconds(s) as number as Instant;
/** Calls a minute with a floor under the TTLs: a tenth more than one a TTL, because rows are asked for early. */
const cost = (calls: readonly Ms[], floor: number): number => calls.reduce((sum, ttl) => sum + 60_000 / (Math.max(ttl, floor) * 0.9), 0);

test("all tables of a spreadsheet are one call, at the shortest TTL; what is over 2 MB is another, at its own", () => {
  assert.deepEqual(recurring([paced(120), paced(5), paced(30)]), [5_000]);
  assert.deepEqual(recurring([paced(5), paced(5, "other"), paced(60, "other")]), [5_000, 5_000]);
  const big = [paced(5), paced(30, "s", 1_500_000), paced(60, "s", 1_500_000), paced(90, "s", 9_000_000), paced(100)];
  assert.deepEqual(recurring(big), [5_000, 60_000, 90_000, 100_000]);
});

test("the floor, in figures", () => {
  const cases: readonly (readonly [number[], number, number])[] = [
    [[30], 45, 0],
    [[1.5], 45, 0],
    [[1], 45, 1_500], // 66.7 calls a minute → 60 / (0.9 · 1.5) = 44.4
    [[0.1], 45, 1_500],
    [[5, 5, 5, 5], 45, 6_000], // 53.3 → 44.4
    [[5, 60], 8, 10_000], // only the shorter one is stretched: 6.7 + 1.1
    [[5, 6, 300], 10, 14_000], // both that are below, the long one not
    [[30, 30], 1, 134_000],
  ];
  for (const [ttls, budget, floor] of cases) assert.equal(floorFor(ttls.map(seconds), budget), floor, JSON.stringify([ttls, budget]));
});

test("just enough: whatever the TTLs and the budget, the calls fit, and a step less would be too many", () => {
  const ttl = fc.integer({ min: 100, max: 600_000 }).map(ms);
  fc.assert(
    fc.property(fc.array(ttl, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 250 }), (ttls, budget) => {
      const calls = ttls.toSorted((a, b) => a - b);
      const floor = floorFor(calls, budget);
      assert.ok(cost(calls, floor) <= budget + 1e-9);
      const step = floor <= 2_000 ? 100 : 1_000;
      if (floor > 0) assert.ok(cost(calls, floor - step) > budget);
    }),
  );
});

test("it grows at once, and shrinks back every 10 s at most", () => {
  const stretch = new Stretch();
  assert.equal(stretch.plan([paced(5)], 45, at(0)), false);
  assert.equal(stretch.plan([paced(5)], 8, at(1)), true);
  assert.equal(stretch.report.floor, 9_000);
  assert.equal(stretch.plan([paced(5)], 4, at(2)), true);
  assert.equal(stretch.report.floor, 17_000);
  assert.equal(stretch.plan([paced(5)], 8, at(3)), false, "not every second another one");
  assert.equal(stretch.plan([paced(5)], 8, at(12)), true);
  assert.deepEqual([stretch.report.floor, stretch.plan([paced(5)], 45, at(22)), stretch.report.floor], [9_000, true, 0]);
  assert.equal(stretch.plan([paced(5)], -20, at(23)), true);
  assert.deepEqual(stretch.report.budget, 1, "others have used it all: once a minute it is");
});
