/** The arithmetic of the engine: chance, pauses, arrivals, ramps, counts, cookies. */
import assert from "node:assert/strict";
import test from "node:test";
import { bucketOf, upperBound } from "../../../../src/base/histogram.ts";
import { untilNext } from "../../../../src/tools/load/engine/arrivals.ts";
import { Cookies } from "../../../../src/tools/load/engine/cookies.ts";
import { Counts } from "../../../../src/tools/load/engine/counts.ts";
import { along } from "../../../../src/tools/load/engine/engine.ts";
import { pick, random } from "../../../../src/tools/load/engine/random.ts";
import { intended } from "../../../../src/tools/load/engine/user.ts";
import { pause } from "../../../../src/tools/load/engine/users.ts";
import { fc } from "../../../support/fast-check.ts";
import { OK } from "../measured.ts";

test("the same seed and user choose alike; another seed does not; shares come out as weighted", () => {
  const draw = (seed: number, user: number): number[] =>
    Array.from({ length: 5 }, random(seed, user));
  assert.deepEqual(draw(1, 7), draw(1, 7));
  assert.notDeepEqual(draw(1, 7), draw(2, 7));
  assert.notDeepEqual(draw(1, 7), draw(1, 8));
  const chance = random(3);
  const counts = { read: 0, write: 0, export: 0 };
  const mix = [
    { name: "read", weight: 60 },
    { name: "write", weight: 30 },
    { name: "export", weight: 10 },
  ] as const;
  for (let i = 0; i < 20_000; i += 1) counts[pick(mix, chance).name] += 1;
  for (const { name, weight } of mix)
    assert.ok(Math.abs(counts[name] / 200 - weight) < 1.5, `${name}: ${counts[name]}`);
});

test("pauses and arrivals keep their mean, and nothing is negative", () => {
  const chance = random(9);
  const average = (of: () => number): number =>
    Array.from({ length: 50_000 }, of).reduce((a, b) => a + b, 0) / 50_000;
  assert.ok(Math.abs(average(() => pause(1_000, chance)) - 1_000) < 10);
  assert.ok(Math.abs(average(() => untilNext(200, chance)) - 5) < 0.1);
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0.01, max: 1e5, noNaN: true }), (seed, rate) => {
      const wait = untilNext(rate, random(seed));
      return wait >= 0 && Number.isFinite(wait);
    }),
  );
});

test("a late timer is forgiven two milliseconds and not more: beyond it counts from the intended moment", () => {
  assert.deepEqual(
    [intended(100, 100.5), intended(100, 102), intended(100, 103), intended(100, 900)],
    [100.5, 102, 100, 100],
  );
});

test("a ramp is a straight line that ends where it says", () => {
  const line = { from: 0, to: 300, overMs: 600 };
  assert.deepEqual(
    [-5, 0, 300, 600, 900].map((at) => along(line, at)),
    [0, 0, 150, 300, 300],
  );
});

test("a latency is at most 1/128 too high", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 3.4e10, noNaN: true }), (micros) => {
      const bound = upperBound(bucketOf(micros, 7), 7);
      return bound >= Math.floor(micros) && bound <= micros * (1 + 1 / 128) + 1;
    }),
  );
  const counts = new Counts();
  for (let i = 1; i <= 1_000; i += 1) counts.record(OK, i);
  const p95 = counts.latency.quantile(0.95) ?? 0;
  assert.ok(p95 >= 950 && p95 <= 958, `${p95}`);
});

test("latencies are those of good answers; a flood of reasons is bounded", () => {
  const counts = new Counts();
  counts.record(OK, 5);
  counts.record({ ...OK, retried: true }, 500);
  counts.record({ outcome: "refused", reason: "queue" }, 1);
  counts.record({ outcome: "timeout", reason: "timeout" }, 10_000);
  const { requests, failed, retried, minMs, maxMs, sumMs, latency } = counts;
  assert.deepEqual([requests, failed, retried, minMs, maxMs, sumMs], [4, 1, 1, 5, 500, 505]);
  assert.equal(latency.count, 2);
  assert.deepEqual([...counts.reasons], [["refused: queue", 1], ["timeout", 1]]); // prettier-ignore
  for (let i = 0; i < 1_000; i += 1) counts.record({ outcome: "error", reason: `E${i}` }, 1);
  assert.ok(counts.reasons.size <= 41);
});

test("cookies: taken, replaced, taken away by age and date, and never more than a browser keeps", () => {
  const jar = new Cookies();
  jar.take(["sid=a=b; Path=/; HttpOnly", "  lang = fr ", "broken", "=nameless"]);
  assert.deepEqual([jar.header], ["sid=a=b; lang=fr"]);
  jar.take(["lang=; Max-Age=0", "sid=c; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  assert.deepEqual([jar.header], [undefined]);
  jar.take(Array.from({ length: 500 }, (_, i) => `c${i}=1`));
  jar.take([`big=${"x".repeat(5_000)}`]);
  assert.equal(jar.header?.split("; ").length, 50);
});
