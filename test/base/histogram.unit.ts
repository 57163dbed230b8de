import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../support/fast-check.ts";
import { bucketOf, Histogram, upperBound } from "../../src/base/histogram.ts";

test("a bucket's bounds hold what falls into it, and are wrong by at most a sixteenth", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 35 - 1 }), (micros) => {
      const bucket = bucketOf(micros);
      assert.ok(upperBound(bucket) >= micros);
      assert.ok(bucket === 0 || upperBound(bucket - 1) < micros);
      assert.ok(upperBound(bucket) <= micros + Math.max(1, micros / 16));
    }),
  );
});

test("deltas add up to the whole, whatever is recorded between them", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { maxLength: 20 }), { maxLength: 8 }), (rounds) => {
      const child = new Histogram();
      const master = new Histogram();
      for (const round of rounds) {
        for (const millis of round) child.record(millis);
        master.merge(child.takeDelta());
      }
      assert.equal(master.count, child.count);
      for (const q of [0, 0.5, 0.95, 0.99, 1]) assert.equal(master.quantile(q), child.quantile(q));
    }),
  );
});

test("nothing recorded has no quantile; negative and huge durations are kept inside", () => {
  const histogram = new Histogram();
  assert.equal(histogram.quantile(0.5), undefined);
  histogram.record(-5);
  histogram.record(1e12);
  assert.equal(histogram.count, 2);
  assert.equal(histogram.quantile(0), 0);
});
