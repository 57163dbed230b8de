import assert from "node:assert/strict";
import test from "node:test";
import { ms, seconds } from "../../../src/base/units.ts";
import { booted, type Options, type World } from "./world.ts";

const CAREFUL: Options = { rollSettle: seconds(2), probe: seconds(5) };
const APP = { exit: 4, code: "DROVER_E_APP", message: "typo" };

const reload = (w: World): World => {
  w.actions.length = 0;
  w.feed({ type: "reload", workers: undefined });
  return w;
};
const generations = (w: World): number[] =>
  [...w.master.places.values()].map(({ incumbent }) => ("generation" in incumbent ? incumbent.generation : 0));
/** A reload whose canary, in worker/0, is on trial. */
const trying = (workers: number, options: Options = CAREFUL): World => {
  const w = reload(booted(workers, options));
  w.ready(w.pid("worker/0", "successor"));
  return w;
};
/** A reload whose canary has just proved the generation. */
const proven = (workers: number, ...services: readonly "broker"[]): World => {
  const w = reload(booted(workers, {}, ...services));
  for (let i = 0; i <= services.length; i += 1) w.ready(w.starting()[0]!);
  assert.equal(w.master.roll?.proven, true);
  return w;
};
const why = (w: World): string => {
  assert.equal(w.master.roll, undefined, "the roll is over");
  assert.equal(w.master.lastRoll?.is, "rolledBack");
  return w.master.lastRoll.why;
};

test("the canary serves beside the old worker until it has settled; only then the old one goes and the others follow", () => {
  const w = trying(2);
  assert.equal(w.place("worker/0").successor.is, "trial");
  assert.deepEqual(w.of("probe"), [{ do: "probe", pid: w.pid("worker/0", "successor"), within: 5_000 }]);
  w.probed(true);
  w.advance(ms(1_999), "all");
  assert.deepEqual([generations(w), w.starting(), w.of("drain")], [[1, 1], [], []]);
  w.advance(ms(1), "all");
  assert.deepEqual(generations(w), [2, 1]);
  assert.equal(w.of("drain").length, 1);
  w.bootAll();
  assert.deepEqual(generations(w), [2, 2], "the others are not tried");
  assert.deepEqual(w.master.lastRoll, { is: "done", generation: 2, took: 2_000 });
});

test("a probe that is answered late is waited for, one that is asked twice counts once", () => {
  const w = trying(1);
  w.advance(seconds(3), "all");
  assert.equal(w.place("worker/0").successor.is, "trial");
  w.probed(true);
  assert.deepEqual(generations(w), [2]);
  const before = w.master;
  w.feed({ type: "probed", pid: w.pid("worker/0"), ok: false, message: "too late" });
  assert.equal(w.master, before);
});

for (const [name, fail, says] of [
  ["crashes", (w: World) => w.exit(w.pid("worker/0", "successor"), { code: 1 }), /worker 0: its successor exited with code 1/],
  ["fails its probe", (w: World) => w.probed(false), /its probe failed: GET \/ was answered with 500/],
  ["does not answer its probe", (w: World) => w.advance(seconds(5), "all"), /its probe was not answered in time/],
  ["goes silent", (w: World) => void (w.probed(true), w.advance(seconds(9), w.pids("ready"))), /was silent for 3 s/],
] as const)
  test(`a canary that ${name} on trial: nothing old has gone, and the roll is over`, () => {
    const w = trying(3, { ...CAREFUL, ...(name === "goes silent" ? { beatTimeout: seconds(3), rollSettle: seconds(20) } : {}) });
    const old = w.pids("ready");
    fail(w);
    assert.match(why(w), says);
    assert.deepEqual(
      w.of("drain").filter(({ pid }) => old.includes(pid)),
      [],
    );
    assert.deepEqual(w.pids("ready"), old);
    assert.equal(w.logged(/rolled back/), 1, "one line");
    assert.equal(w.master.generation, 1);
    assert.equal(w.place("worker/0").crashes.length, 0, "the new code's fault is not the place's");
  });

for (const [name, fail, says] of [
  ["crashes at boot", (w: World) => w.exit(w.starting()[0]!, { code: 4, fatal: APP }), /code 4: DROVER_E_APP: typo/],
  ["is not ready in time", (w: World) => w.advance(seconds(60), "all"), /not ready within 60 s/],
] as const)
  test(`a canary that ${name}: a broker that has changed already changes back, new before old`, () => {
    const w = reload(booted(2, {}, "broker"));
    w.ready(w.starting()[0]!);
    assert.deepEqual(generations(w), [2, 1, 1]);
    fail(w);
    assert.equal(w.master.roll?.back === undefined, false);
    assert.equal(w.place("broker/0").incumbent.is, "ready", "it serves until the other is ready");
    w.bootAll();
    assert.match(why(w), says);
    assert.deepEqual(generations(w), [1, 1, 1]);
    reload(w).reap().leave().bootAll();
    assert.deepEqual(generations(w), [3, 3, 3], "a number is not used twice");
  });

test("a new broker that dies before the generation is proven: the old generation's is started again, and the canary goes", () => {
  const w = reload(booted(1, CAREFUL, "broker"));
  w.ready(w.starting()[0]!);
  w.ready(w.starting()[0]!);
  w.exit(w.pid("broker/0"), { code: 1 });
  assert.match(why(w), /broker exited with code 1/);
  assert.deepEqual(w.spawned().slice(-1), ["broker/0 1"]);
  assert.equal(w.place("worker/0").successor.is, "vacant");
  assert.equal(w.pids("draining").length, 2, "the canary drains: it may have clients; the first broker went before");
});

test("after the canary a child may fail twice; the third time everything goes back, new before old", () => {
  const w = proven(3, "broker");
  for (let i = 0; i < 2; i += 1) {
    w.exit(w.starting()[0]!, { code: 3 });
    assert.equal(w.starting().length, 1, "it is tried again");
  }
  w.exit(w.starting()[0]!, { code: 3 });
  assert.deepEqual(w.master.roll?.left, ["broker/0", "worker/0"]);
  assert.equal(w.master.generation, 1);
  while (w.master.roll !== undefined) {
    assert.equal(w.pids("ready").length, 4, "nobody leaves before");
    w.ready(w.starting()[0]!);
  }
  assert.match(why(w), /exited with code 3/);
  assert.deepEqual(generations(w), [1, 1, 1, 1]);
});

test("a worker of the new generation that crashes in its seat counts too", () => {
  const w = proven(3);
  for (let i = 0; i < 3; i += 1) {
    w.exit(w.pid("worker/0"), { code: 1 });
    if (w.master.roll?.back === undefined) w.ready(w.pid("worker/0"));
  }
  assert.equal(w.master.roll, undefined, "it was the only one that had changed");
  w.reap().bootAll();
  assert.deepEqual(generations(w), [1, 1, 1]);
});

test("a way back that can't be gone ends where it is: everybody serves on", () => {
  const w = proven(2);
  for (let i = 0; i < 6; i += 1) w.exit(w.starting()[0]!, { code: 3 });
  assert.match(why(w), /generation 1 can't be started again, 1 children stay as they are/);
  assert.deepEqual(generations(w), [2, 1]);
  assert.equal(w.pids("ready").length, 2);
});

test("a reload that is asked for on the way back follows it", () => {
  const w = proven(2);
  for (let i = 0; i < 3; i += 1) w.exit(w.starting()[0]!, { code: 3 });
  for (let i = 0; i < 50; i += 1) w.feed({ type: "reload", workers: undefined });
  w.bootAll().leave().bootAll().leave().bootAll();
  assert.deepEqual([generations(w), w.master.roll], [[3, 3], undefined]);
});

test("a stop ends a trial: the canary drains like the others", () => {
  const w = trying(2);
  w.feed({ type: "stop", quick: false });
  assert.equal(w.pids("draining").length, 3);
  w.leave();
  assert.equal(w.master.mode.is, "stopped");
});

test("a master that slept does not judge the canary at once", () => {
  const w = trying(1);
  w.sleep(seconds(100));
  assert.equal(w.place("worker/0").successor.is, "trial");
});
