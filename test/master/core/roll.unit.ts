import assert from "node:assert/strict";
import test from "node:test";
import { ms, seconds } from "../../../src/base/units.ts";
import { booted, world, type World } from "./world.ts";

const reload = (w: World, workers?: number): void => {
  w.actions.length = 0;
  w.feed({ type: "reload", workers });
};
const announced = (w: World): string[] => w.of("announce").map(({ what }) => what);
const generations = (w: World): number[] =>
  [...w.master.places.values()].map(({ incumbent }) => ("generation" in incumbent ? incumbent.generation : 0));

test("a reload rolls the broker first, then the workers one at a time, new before old; not the emulator", () => {
  const w = booted(2, {}, "broker", "emulator");
  const order: string[] = [];
  reload(w);
  assert.deepEqual(announced(w), ["reloading"]);
  while (w.master.roll !== undefined) {
    const [pid, ...others] = w.starting();
    assert.deepEqual(others, [], "one at a time");
    order.push(w.processes.get(pid!)!.place);
    assert.equal(w.pids("ready").length, 4, "nobody leaves before");
    w.ready(pid!);
  }
  assert.deepEqual(order, ["broker/0", "worker/0", "worker/1"]);
  assert.deepEqual(
    w.of("drain").map(({ why, within }) => [why, within]),
    [
      ["roll", 30_000],
      ["roll", 30_000],
      ["roll", 30_000],
    ],
  );
  assert.deepEqual(announced(w), ["reloading", "ready"]);
  assert.deepEqual(generations(w), [1, 2, 2, 2]);
  assert.equal(w.master.generation, 2);
  assert.deepEqual(w.master.lastRoll, { is: "done", generation: 2, took: 0 });
  w.leave();
  assert.equal(w.processes.size, 4);
});

test("old children that don't leave in time are killed; the roll does not wait for them", () => {
  const w = booted(2);
  reload(w);
  w.bootAll();
  assert.equal(w.master.roll, undefined);
  w.advance(ms(29_999), "all");
  assert.deepEqual(w.of("kill"), []);
  w.advance(ms(1), "all");
  assert.deepEqual(
    w.of("kill").map(({ why }) => why),
    ["drain-timeout", "drain-timeout"],
  );
  assert.equal(w.processes.size, 2);
});

test("fork refused for the canary ends the roll", () => {
  const w = booted(1);
  w.forksFail = 1;
  reload(w);
  assert.match((w.master.lastRoll as { why: string }).why, /can't be started: EAGAIN/);
  assert.equal(w.master.generation, 1);
});

test("50 reloads during a roll are one more roll", () => {
  const w = booted(2);
  reload(w);
  for (let i = 0; i < 50; i += 1) w.feed({ type: "reload", workers: undefined });
  w.bootAll();
  assert.ok(w.processes.size <= 5, "at most two generations and one that boots");
  w.leave().bootAll();
  w.leave().bootAll();
  assert.deepEqual(generations(w), [3, 3]);
  assert.equal(w.master.roll, undefined);
});

test("a place whose old child still drains waits with the next roll: two generations live at a time, not three", () => {
  const w = booted(1);
  reload(w);
  w.bootAll();
  reload(w);
  assert.deepEqual(w.starting(), []);
  w.leave();
  assert.equal(w.starting().length, 1);
});

test("a reload before the first boot is over begins when it is", () => {
  const w = world().start(1);
  w.feed({ type: "reload", workers: undefined });
  assert.equal(w.starting().length, 1);
  w.ready(w.starting()[0]!);
  assert.deepEqual(announced(w), ["ready", "reloading"]);
  w.bootAll();
  assert.deepEqual(announced(w), ["ready", "reloading", "ready"]);
});

test("an incumbent that crashes on its place's turn leaves the seat to its successor; another comes back as it was", () => {
  const w = booted(2);
  reload(w);
  w.exit(w.pid("worker/1"));
  assert.equal(w.master.places.get("worker/1")?.incumbent.is, "starting");
  w.actions.length = 0;
  w.exit(w.pid("worker/0"));
  assert.deepEqual(w.spawned(), []);
  w.ready(w.pid("worker/0", "successor"));
  assert.deepEqual(generations(w), [2, 1]);
});

test("an incumbent that died during its turn is started again in its own generation when the successor fails", () => {
  const w = booted(1);
  reload(w);
  w.exit(w.pid("worker/0"));
  w.exit(w.pid("worker/0", "successor"), { code: 3 });
  w.bootAll();
  assert.deepEqual(generations(w), [1]);
});

test("a reload rescues a place that backs off, and forgets its crashes", () => {
  const w = booted(1);
  for (let i = 0; i < 4; i += 1) w.exit(w.pid("worker/0"));
  assert.equal(w.place("worker/0").incumbent.is, "waiting");
  reload(w);
  w.advance(seconds(2));
  assert.equal(w.place("worker/0").incumbent.is, "vacant", "its time is over, but the successor is on its way");
  w.bootAll();
  assert.deepEqual(generations(w), [2]);
  assert.deepEqual(w.place("worker/0").crashes, []);
});

test("while memory is short the roll waits, said once; what boots goes on", () => {
  const w = booted(2);
  reload(w);
  w.feed({ type: "memory", short: true });
  w.feed({ type: "memory", short: true });
  w.bootAll();
  assert.deepEqual(generations(w), [2, 1]);
  w.advance(seconds(100), "all");
  assert.equal(w.logged(/the reload waits/), 1);
  w.feed({ type: "memory", short: false });
  w.bootAll();
  assert.deepEqual(generations(w), [2, 2]);
});

test("scaling during a roll: new places are of the newest proven generation, closing ones leave the roll", () => {
  const w = booted(2);
  reload(w);
  w.feed({ type: "grow" });
  assert.equal(w.place("worker/2").generation, 1, "generation 2 has proved nothing yet");
  assert.deepEqual(w.master.roll?.left, ["worker/0", "worker/1", "worker/2"]);
  w.ready(w.pid("worker/0", "successor"));
  w.feed({ type: "grow" });
  assert.equal(w.place("worker/3").generation, 2);
  assert.equal(w.master.roll?.left.includes("worker/3"), false);
  w.feed({ type: "scale", to: 1 });
  assert.equal(w.master.roll, undefined, "nothing is left to roll");
  assert.equal(w.master.lastRoll?.is, "done");
  w.reap().leave();
  assert.deepEqual([...w.master.places.keys()], ["worker/0"]);
});

test("a reload may bring another number of workers", () => {
  const w = booted(1);
  reload(w, 3);
  w.bootAll();
  assert.deepEqual(generations(w), [2, 2, 2]);
  reload(w, 2);
  w.reap().leave().bootAll();
  w.leave();
  assert.equal(w.processes.size, 2);
});

test("recycling is a roll of one place, in the same generation, one at a time", () => {
  const w = booted(3);
  w.actions.length = 0;
  for (const place of ["worker/1", "worker/1", "worker/2"] as const) w.feed({ type: "recycle", place, why: "max_requests" });
  assert.deepEqual(w.spawned(), ["worker/1 1"]);
  w.ready(w.pid("worker/1", "successor"));
  assert.equal(w.of("drain")[0]?.why, "recycle");
  assert.deepEqual(w.spawned(), ["worker/2 1"]);
  w.bootAll();
  assert.deepEqual(w.master.recycles, []);
});

test("workers that reached a limit go one at a time: the next successor starts when the last one has drained", () => {
  const w = booted(3);
  const why = "it has served 1000 requests (DROVER_MAX_REQUESTS)";
  w.spawned();
  for (const place of ["worker/0", "worker/1"] as const) w.feed({ type: "recycle", place, why });
  assert.deepEqual(w.spawned(), ["worker/0 1"]);
  w.bootAll();
  assert.deepEqual(w.spawned(), [], "worker 0's former process drains");
  w.leave();
  assert.deepEqual(w.spawned(), ["worker/1 1"]);
});

test("a worker that reached a limit and drains does not have its replacement recycled", () => {
  const w = booted(1);
  const old = w.pid("worker/0");
  const worn = { type: "recycle", place: "worker/0", pid: old, why: "it is 60 s old (DROVER_MAX_LIFETIME)" } as const;
  w.feed(worn);
  w.bootAll();
  w.spawned();
  w.feed(worn); // looked at again while it drains
  w.leave();
  assert.deepEqual(w.spawned(), []);
  assert.deepEqual(w.master.recycles, []);
});

test("workers that an operator recycles do not wait for each other's drains", () => {
  const w = booted(3);
  w.spawned();
  for (const place of ["worker/0", "worker/1"] as const) w.feed({ type: "recycle", place, why: "asked for by the operator" });
  w.bootAll();
  assert.deepEqual(w.spawned(), ["worker/0 1", "worker/1 1"]);
});

test("recycling is refused while memory is short, for places that aren't there, and after too many crashes", () => {
  const w = booted(2);
  w.actions.length = 0;
  w.feed({ type: "memory", short: true });
  w.feed({ type: "recycle", place: "worker/0", why: "asked" });
  w.feed({ type: "memory", short: false });
  w.feed({ type: "recycle", place: "worker/9", why: "asked" });
  for (let i = 0; i < 10; i += 1) {
    w.feed({ type: "recycle", place: "worker/0", why: "max_rss" });
    for (const pid of w.starting()) w.exit(pid, { code: 3 });
  }
  assert.equal(w.spawned().length, 3, "a replacement that can't boot is tried three times in a window");
  assert.equal(w.pids("ready").length, 2);
});

test("a reload ends a recycling under way; the emulator's is done afterwards, old before new", () => {
  const w = booted(2, {}, "broker", "emulator");
  w.feed({ type: "recycle", place: "worker/0", why: "asked" });
  w.feed({ type: "recycle", place: "emulator/0", why: "asked" });
  reload(w);
  assert.deepEqual(
    w.of("kill").map(({ why }) => why),
    ["abandoned"],
  );
  w.reap().bootAll();
  assert.equal(w.place("emulator/0").incumbent.is, "draining");
  w.actions.length = 0;
  w.exit(w.pid("emulator/0"), { code: 0 });
  assert.deepEqual(w.spawned(), ["emulator/0 2"]);
  assert.equal(w.place("emulator/0").crashes.length, 0);
});
