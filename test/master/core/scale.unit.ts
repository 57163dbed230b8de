import assert from "node:assert/strict";
import test from "node:test";
import { seconds } from "../../../src/base/units.ts";
import { booted, world } from "./world.ts";

test("grow adds the next number at once, shrink drains the highest, and numbers are used again", () => {
  const w = booted(2);
  w.feed({ type: "grow" });
  assert.equal(w.place("worker/2").incumbent.is, "starting");
  w.bootAll();
  w.feed({ type: "shrink" });
  assert.deepEqual(
    w.of("drain").map(({ why }) => why),
    ["shrink"],
  );
  assert.equal(w.place("worker/2").closing, true);
  w.feed({ type: "grow" });
  assert.equal(w.place("worker/2").incumbent.is, "starting", "beside the one that still drains");
  w.bootAll().leave();
  assert.equal(w.processes.size, 3);
});

test("1 … maxWorkers: beyond that the nearest is taken, and said", () => {
  const w = booted(1);
  w.feed({ type: "shrink" });
  assert.equal(w.master.target, 1);
  assert.equal(w.logged(/0 is outside 1 … 8, 1 is taken/), 1);
  for (let i = 0; i < 500; i += 1) w.feed({ type: "grow" });
  assert.equal(w.processes.size, 8);
  for (const to of [Number.NaN, 2.5, Infinity]) w.feed({ type: "scale", to });
  assert.equal(w.master.target, 8);
  assert.equal(w.logged(/is no whole number/), 3);
});

test("2.4: TTOU, TTIN and scale stay within the fewest and the most workers", () => {
  const w = world({ minWorkers: 2, maxWorkers: 4 }).start(3);
  for (const to of [1, 2, 9]) w.feed({ type: "scale", to });
  assert.equal(w.master.target, 4);
  assert.equal(w.logged(/1 is outside 2 … 4, 2 is taken/), 1);
  for (let i = 0; i < 5; i += 1) w.feed({ type: "shrink" });
  assert.equal(w.master.target, 2);
});

test("what still boots is killed when its place goes; a place without a process goes at once", () => {
  const w = booted(1);
  w.feed({ type: "scale", to: 3 });
  w.forksFail = 1;
  w.exit(w.pid("worker/2"));
  w.feed({ type: "scale", to: 1 });
  assert.deepEqual(
    w.of("kill").map(({ why }) => why),
    ["shrink"],
  );
  assert.deepEqual([...w.master.places.keys()], ["worker/0", "worker/1"]);
  w.reap();
  assert.deepEqual([...w.master.places.keys()], ["worker/0"]);
});

test("shrinking and growing without end does not pile up children that drain", () => {
  const w = booted(2);
  for (let i = 0; i < 20; i += 1) {
    w.feed({ type: "shrink" });
    w.feed({ type: "grow" });
    w.bootAll();
  }
  assert.equal(w.pids("draining").length, 2);
  w.advance(seconds(31), "all").bootAll();
  assert.equal(w.pids("ready").length, 2, "and the place is filled when they have left");
});
