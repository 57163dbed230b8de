import assert from "node:assert/strict";
import test from "node:test";
import { isCountName, MOST_NAMES, watchNode, type BeatFigures } from "../../src/base/figures.ts";
import { watchLoop } from "../../src/base/loopdelay.ts";
import { noCounters } from "../../src/base/counters.ts";
import { readFromChild } from "../../src/base/fromchild.ts";
import type { Beat } from "../../src/base/protocol.ts";
import { ms } from "../../src/base/units.ts";

const beat = (figures: unknown): unknown => ({
  type: "beat",
  seq: 1,
  inFlight: 0,
  connections: 0,
  elu: 0,
  delay: ms(0),
  heap: 1,
  rss: 1,
  full: false,
  counters: noCounters(),
  latency: [],
  figures,
});
const sound: BeatFigures = { counts: { "shed.full": 2, "calls.read.ok": 1 }, spans: { queue: [[3, 1]] } };

test("what this process tells of itself can be read again", () => {
  const loop = watchLoop();
  const node = watchNode(loop);
  const figures = { ...sound, node: node.figures() };
  const read = readFromChild(JSON.parse(JSON.stringify(beat(figures)))) as Beat | undefined;
  assert.deepEqual(read?.figures, figures);
  const { heapTotal, heapUsed, spaces, lag } = figures.node;
  assert.ok(heapTotal >= heapUsed * 0.5 && heapUsed > 1e6 && spaces.length > 3 && lag.p99 >= lag.p50);
  loop.stop();
  node.stop();
});

test("pauses for garbage are told once", async () => {
  const loop = watchLoop();
  const node = watchNode(loop);
  const waste = (): number => Array.from({ length: 200_000 }, (_, i) => ({ i })).length;
  let seen: unknown[] = [];
  for (let i = 0; i < 100 && seen.length === 0; i += 1) {
    waste();
    await new Promise((resolve) => setImmediate(resolve));
    seen = Object.values(node.pauses());
  }
  assert.ok(seen.length > 0);
  node.stop();
  loop.stop();
  assert.deepEqual(node.pauses(), {});
});

test("figures that are none make the beat none: an application has the other end of the channel", () => {
  const node = { heapTotal: 1, heapUsed: 1, external: 1, spaces: [], lag: watchLagOf(0), resources: {} };
  const many = Object.fromEntries(Array.from({ length: MOST_NAMES + 1 }, (_, i) => [`shed.x${i}`, 1]));
  for (const figures of [
    null,
    [],
    {},
    { counts: {} },
    { counts: [], spans: {} },
    { counts: { "shed.full": -1 }, spans: {} },
    { counts: { "shed.full": "1" }, spans: {} },
    { counts: { 'shed.x"} 1\ndrover_info': 1 }, spans: {} },
    { counts: { "__proto__.x": 1 }, spans: {} },
    { counts: { "wages.total": 1 }, spans: {} },
    { counts: many, spans: {} },
    { counts: {}, spans: { queue: [[1]] } },
    { counts: {}, spans: { queue: "no" } },
    { ...sound, node: {} },
    { ...sound, node: { ...node, heapTotal: Infinity } },
    { ...sound, node: { ...node, lag: {} } },
    { ...sound, node: { ...node, spaces: [{ name: "a b", size: 1, used: 1, available: 1 }] } },
    { ...sound, node: { ...node, resources: { 'a"': 1 } } },
    { ...sound, node: { ...node, resources: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`r${i}`, 1])) } },
  ])
    assert.equal(readFromChild(beat(figures)), undefined, JSON.stringify(figures)?.slice(0, 80));
  const strange = readFromChild(beat({ counts: {}, spans: { queue: [[1, 1]], more: "ignored" }, extra: 1 })) as Beat | undefined;
  assert.deepEqual(strange?.figures, { counts: {}, spans: { queue: [[1, 1]] } }, "what is not asked for does not come in");
});

const watchLagOf = (value: number) => ({ min: value, max: value, mean: value, stddev: value, p50: value, p90: value, p99: value });

test("names of counts are of our families and plain", () => {
  assert.ok(["shed.taken-over", "calls.write.locked"].every(isCountName));
  assert.ok(!["shed.", "shed", "shed.A", "shed.x y", "sheds.x", `shed.${"x".repeat(49)}`, "shed.x\n"].some(isCountName));
});

test("a beat without resident memory is a beat: the figure is unknown, not 0", () => {
  const { rss: _, ...unread } = beat(sound) as Beat;
  const read = readFromChild(JSON.parse(JSON.stringify(unread))) as Beat | undefined;
  assert.ok(read !== undefined && !("rss" in read));
  assert.equal(readFromChild({ ...unread, rss: "much" }), undefined);
});
