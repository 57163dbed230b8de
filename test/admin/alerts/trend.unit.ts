import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { remember, theilSen, timeTo, type Point } from "../../../src/admin/alerts/trend.ts";
import { minutes, type Instant } from "../../../src/base/units.ts";

/** A value every 20 s. */
const line = (n: number, value: (i: number) => number): Point[] =>
  Array.from({ length: n }, (_, i) => ({ at: (i * 20_000) as Instant, value: value(i) }));
/** A small generator: the same noise at every run. */
const noise = (seed: number): (() => number) => {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648 - 0.5;
};

test("one more a minute, 100 of 200 taken: full in 100 minutes", () => {
  assert.equal(
    timeTo(
      line(31, (i) => 90 + i / 3),
      200,
    ),
    minutes(100),
  );
});

test("no end is foreseen: level, falling, too few values, beyond a day, a jump to and fro", () => {
  assert.equal(
    timeTo(
      line(60, () => 100),
      200,
    ),
    null,
  );
  assert.equal(
    timeTo(
      line(60, (i) => 190 - i),
      200,
    ),
    null,
  );
  assert.equal(
    timeTo(
      line(11, (i) => 100 + i),
      200,
    ),
    null,
  );
  assert.equal(
    timeTo(
      line(90, (i) => 100 + i / 1_000),
      200,
    ),
    null,
  );
  assert.equal(
    timeTo(
      line(90, (i) => (i % 2 === 0 ? 100 : 180)),
      200,
    ),
    null,
  );
  assert.equal(timeTo([], 200), null);
});

test("full is 0", () =>
  assert.equal(
    timeTo(
      line(2, () => 200),
      200,
    ),
    0,
  ));

test("random walks without a trend are called one seldom; a rise in the same noise almost always is", () => {
  let [false_, found] = [0, 0];
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = noise(seed);
    if (
      timeTo(
        line(60, () => 100 + 10 * random()),
        200,
      ) !== null
    )
      false_ += 1;
    if (
      timeTo(
        line(60, (i) => 100 + i / 2 + 10 * random()),
        200,
      ) !== null
    )
      found += 1;
  }
  console.log(`of 200: ${false_} false trends in noise, ${found} true ones found`);
  assert.ok(false_ <= 6, `${false_}`);
  assert.ok(found >= 195, `${found}`);
});

test("a quarter of the values may be wild: the slope stays", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 12, maxLength: 12 }),
      (per, wild) => {
        const points = line(60, (i) => i * per);
        const odd = points.map((point, i) =>
          i % 5 === 2 ? { ...point, value: point.value + (wild[Math.floor(i / 5)] ?? 0) * 10 } : point,
        );
        const { slope } = theilSen(odd);
        const true_ = per / 20_000;
        assert.ok(slope > true_ * 0.7 && slope < true_ * 1.3, `${slope} of ${true_}`);
      },
    ),
    { numRuns: 100 },
  );
});

test("only half an hour is kept, a value every 20 s", () => {
  let points: readonly Point[] = [];
  for (let at = 0; at < 7_200_000; at += 5_000) points = remember(points, { at: at as Instant, value: at });
  assert.ok(points.length <= 91 && points.length >= 90, `${points.length}`);
});
