import assert from "node:assert/strict";
import test from "node:test";
import { ms, seconds } from "../../../src/base/units.ts";
import { booted, world, type World } from "./world.ts";

const stop = (w: World, quick = false): void => w.feed({ type: "stop", quick });
const drained = (w: World): [string, number][] => w.of("drain").map(({ pid, within }) => [w.processes.get(pid)?.place ?? "gone", within]);

test("a graceful stop: the workers drain, then the broker, then the emulator, then the master leaves with 0", () => {
  const w = booted(2, {}, "broker", "emulator");
  stop(w);
  assert.deepEqual(drained(w), [
    ["worker/0", 30_000],
    ["worker/1", 30_000],
  ]);
  assert.equal(w.of("announce").at(-1)?.what, "stopping");
  w.advance(seconds(2), "all");
  w.exit(w.pids("draining")[0]!, { code: 0 });
  assert.equal(w.of("drain").length, 2, "one worker still needs the broker");
  w.exit(w.pids("draining")[0]!, { code: 0 });
  assert.deepEqual(drained(w).at(-1), ["broker/0", 33_000]);
  w.leave();
  assert.deepEqual(drained(w).at(-1), ["emulator/0", 33_000]);
  w.leave();
  assert.equal(w.master.mode.is, "stopped");
  assert.deepEqual(w.of("exit"), [{ do: "exit", code: 0 }]);
});

test("workers that don't leave are killed after the graceful timeout, and the services still get their time", () => {
  const w = booted(2, {}, "broker");
  stop(w);
  w.advance(seconds(30), "all");
  assert.deepEqual(
    w.of("kill").map(({ why }) => why),
    ["drain-timeout", "drain-timeout"],
  );
  assert.deepEqual(drained(w).at(-1), ["broker/0", 5_000]);
  w.advance(seconds(5));
  assert.equal(w.master.mode.is, "stopped", "whatever they do");
});

test("a quick stop drains everything at once and ends within its time", () => {
  const w = booted(2, {}, "broker");
  stop(w, true);
  assert.equal(w.of("drain").length, 3);
  assert.ok(w.of("drain").every(({ within }) => within === 5_000));
  w.advance(seconds(5));
  assert.equal(w.master.mode.is, "stopped");
});

test("a quick stop hurries a graceful one; a second quick one kills at once; another graceful one changes nothing", () => {
  const w = booted(1, {}, "broker");
  stop(w);
  w.advance(seconds(1), "all");
  const before = w.master;
  stop(w);
  assert.equal(w.master, before);
  stop(w, true);
  assert.deepEqual(drained(w).slice(1), [
    ["broker/0", 5_000],
    ["worker/0", 5_000],
  ]);
  stop(w);
  assert.deepEqual(w.of("kill"), []);
  stop(w, true);
  assert.equal(w.of("kill").length, 2);
  stop(w, true);
  assert.equal(w.of("kill").length, 2);
  w.reap();
  assert.equal(w.master.mode.is, "stopped");
});

test("a quick stop late in a graceful one gives nobody more time", () => {
  const w = booted(1, {}, "broker");
  stop(w);
  w.advance(seconds(28), "all");
  stop(w, true);
  w.advance(seconds(2), "all");
  assert.equal(w.of("kill").length, 1, "the worker's own end has come");
  w.advance(seconds(3));
  assert.equal(w.master.mode.is, "stopped");
});

test("a machine that slept through the whole stop finds everything killed, the services too", () => {
  const w = booted(2, {}, "broker");
  stop(w);
  w.sleep(seconds(100));
  assert.equal(w.of("kill").length, 3);
  w.reap();
  assert.equal(w.master.mode.is, "stopped");
});

test("what boots at a stop is killed, nothing is spawned again, and a roll is over", () => {
  const w = booted(2);
  w.feed({ type: "reload", workers: undefined });
  w.feed({ type: "recycle", place: "worker/1", why: "asked" });
  w.exit(w.pid("worker/1"));
  w.spawned();
  stop(w);
  assert.equal(w.of("kill").length, 2, "at once: it serves nobody");
  assert.match((w.master.lastRoll as { why: string }).why, /stops/);
  w.reap();
  for (const type of ["grow", "shrink"] as const) w.feed({ type });
  w.feed({ type: "reload", workers: 4 });
  w.feed({ type: "need", role: "broker" });
  w.leave();
  assert.deepEqual(w.spawned(), []);
  assert.equal(w.master.mode.is, "stopped");
});

test("a stop decided between two answers of the shell: the child that was just forked is killed, and waited for", () => {
  const w = world({ crashLimit: { crashes: 0, within: seconds(60), unborn: 0 } });
  w.forksFail = 1;
  w.start(2);
  assert.equal(w.of("spawn").length, 2);
  assert.deepEqual([w.of("kill").length, w.of("exit")], [1, []]);
  w.reap();
  assert.deepEqual(w.of("exit"), [{ do: "exit", code: 3 }]);
});

test("the broker's crash during a graceful stop brings none back", () => {
  const w = booted(1, {}, "broker");
  stop(w);
  w.exit(w.pid("broker/0"));
  w.leave();
  assert.equal(w.master.mode.is, "stopped");
});

test("a stop before anything was started ends at once, with the exit code asked for", () => {
  const w = world();
  w.feed({ type: "stop", quick: false, exit: 70 });
  assert.deepEqual(w.of("exit"), [{ do: "exit", code: 70 }]);
  w.start(1);
  assert.equal(w.processes.size, 0);
});

test("a child that survives SIGKILL keeps the master, which says so", () => {
  const w = booted(1);
  stop(w, true);
  for (let i = 0; i < 4; i += 1) {
    w.now = (w.now + 5_000) as typeof w.now;
    w.feed({ type: "tick", late: ms(0) });
  }
  assert.equal(w.of("kill").length, 1);
  assert.equal(w.logged(/survives SIGKILL/), 3);
  w.reap();
  assert.equal(w.master.mode.is, "stopped");
});
