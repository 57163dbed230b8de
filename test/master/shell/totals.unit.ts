import assert from "node:assert/strict";
import test from "node:test";
import { bucketOf } from "../../../src/base/histogram.ts";
import { noCounters } from "../../../src/base/counters.ts";
import type { Beat } from "../../../src/base/protocol.ts";
import { ms, type Instant } from "../../../src/base/units.ts";
import { createTotals } from "../../../src/master/shell/totals.ts";

const beat = (served: number, millis: number, requests: number): Beat => ({
  type: "beat",
  seq: 1,
  inFlight: 0,
  connections: 0,
  elu: 0,
  delay: ms(0),
  heap: 0,
  rss: 0,
  full: false,
  counters: { ...noCounters(), served },
  latency: requests === 0 ? [] : [[bucketOf(millis * 1_000), requests]],
});

function totalsAt(): { readonly totals: ReturnType<typeof createTotals>; at(millis: number): void } {
  let now = 0;
  return { totals: createTotals({ now: () => now as Instant }), at: (millis) => void (now = millis) };
}

test("the last ten seconds: over the time that has passed when it is less", () => {
  const { totals, at } = totalsAt();
  assert.deepEqual(totals.recent(), { perSecond: 0, p50: undefined, p95: undefined });
  at(2_000);
  totals.add(1, beat(100, 2, 100));
  assert.equal(totals.recent().perSecond, 50);
  at(4_000);
  totals.add(2, beat(100, 50, 100));
  assert.equal(totals.recent().perSecond, 50);
  assert.ok(Math.abs((totals.recent().p50 ?? 0) - 2) < 0.2);
  assert.ok(Math.abs((totals.recent().p95 ?? 0) - 50) < 4);
  at(12_500); // the first is too old
  assert.equal(totals.recent().perSecond, 10);
  assert.ok((totals.recent().p50 ?? 0) > 40);
  at(14_000);
  assert.deepEqual(totals.recent(), { perSecond: 0, p50: undefined, p95: undefined });
  assert.equal(totals.counters().served, 200);
});

test("a child that beats without end makes the window no longer than its bound", () => {
  const { totals, at } = totalsAt();
  at(1_000);
  for (let i = 1; i <= 20_000; i += 1) totals.add(1, beat(i, 1, 1));
  assert.ok(totals.recent().perSecond <= 8_193, `${totals.recent().perSecond}`);
});
