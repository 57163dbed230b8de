/** When a child that ended unasked is started again, with the policy of the daemon and on a virtual clock. */
import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { policyOf } from "../../../src/cli/state.ts";
import { mebibytes, ms, seconds, type Ms } from "../../../src/base/units.ts";
import type { Pid, PlaceId, Policy } from "../../../src/master/core/model.ts";
import type { Settings } from "../../../src/settings/table.ts";
import { times } from "../../support/times.ts";
import { booted, world, type World } from "./world.ts";

const DAEMON: Policy = policyOf({
  min_workers: 1,
  max_workers: 256,
  boot_timeout: seconds(60),
  timeout: seconds(30),
  graceful_timeout: seconds(30),
  roll_settle: ms(0),
  workers: 16,
  memory: mebibytes(8_192),
  bind: [] as Settings["bind"],
} as Settings);
const STEP = ms(50);

/** How a child fares: how long it boots, how long it lives then, and how it ends. */
interface Life {
  readonly boot: Ms;
  readonly served: Ms;
  readonly end: { readonly code: number } | { readonly signal: string };
}

interface Course {
  /** When each place's children were started. */
  readonly starts: ReadonlyMap<PlaceId, readonly number[]>;
  /** The longest time in which no worker was ready, or booted. */
  readonly idle: number;
}

/** @param life of the next child. */
function play(w: World, within: Ms, life: (pid: Pid) => Life | undefined): Course {
  const starts = new Map<PlaceId, number[]>([...w.master.places.keys()].map((id) => [id, []]));
  const births = new Map<Pid, { readonly at: number; readonly life: Life | undefined }>();
  const end = w.now + within;
  let [idle, busyAt] = [0, w.now as number];
  for (; w.now < end; w.advance(STEP, "all")) {
    for (const { pid, place } of w.processes.values()) {
      if (births.has(pid)) continue;
      births.set(pid, { at: w.now, life: life(pid) });
      starts.get(place)?.push(w.now);
    }
    for (const [pid, { at, life: its }] of births) {
      if (!w.processes.has(pid) || its === undefined) continue;
      if (w.starting().includes(pid) && w.now - at >= its.boot) w.ready(pid);
      if (w.now - at >= its.boot + its.served) w.exit(pid, its.end);
    }
    if (w.processes.size > 0) busyAt = w.now;
    idle = Math.max(idle, w.now - busyAt);
  }
  return { starts, idle };
}

/** The most starts within any 30 s. */
const mostIn30s = (starts: readonly number[]): number =>
  Math.max(0, ...starts.map((from) => starts.filter((at) => at >= from && at - from < 30_000).length));

const workers = (n: number, seed = 1): World => booted(n, { ...DAEMON, seed });
const CRASH = { code: 1 };

test("a kill from outside is no crash: 15 kills of healthy workers in 10 s, and no place waits for longer than a second", () => {
  const w = workers(3);
  w.advance(seconds(60), "all");
  for (let i = 0; i < 15; i += 1) {
    const ready = w.pids("ready");
    const victim = ready[i % ready.length];
    assert.ok(victim !== undefined, `kill ${i}: a worker is ready`);
    w.exit(victim, { signal: "SIGKILL" });
    for (const { incumbent } of w.master.places.values())
      assert.ok(incumbent.is !== "waiting" || incumbent.until - w.now <= 1_000, `kill ${i}: nobody waits for long`);
    w.advance(ms(400), "all").bootAll().advance(ms(267), "all");
  }
  assert.deepEqual(
    [...w.master.places.values()].map(({ crashes }) => crashes.length),
    [0, 0, 0],
  );
});

test("a place whose children are killed over and over is filled once a second, and ever less often after five kills in a minute", () => {
  const w = workers(1);
  const { starts } = play(w, seconds(30), () => ({ boot: ms(100), served: ms(100), end: { signal: "SIGKILL" } }));
  const at = starts.get("worker/0") ?? [];
  const gaps = at.slice(1).map((one, i) => one - (at[i] ?? 0));
  assert.deepEqual(
    gaps.slice(1, 7).map((gap) => Math.round(gap / 1_000)),
    [1, 1, 1, 1, 2, 4],
  );
  assert.ok(at.length <= 10, `${at.length}`);
});

test("faults of the process itself are crashes, whatever signal they end with", () => {
  for (const signal of ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS"]) {
    const w = workers(1);
    w.exit(w.pid("worker/0"), { signal });
    assert.equal(w.place("worker/0").crashes.length, 1, signal);
  }
});

test("at the first boot a kill counts as any failure: drover ends after too many", () => {
  const w = world(DAEMON).start(1);
  for (let i = 0; i < 6; i += 1) w.exit(w.pid("worker/0"), { signal: "SIGKILL" });
  assert.equal(w.master.mode.is, "stopped");
});

test("what throws 50 ms after READY is started 8 times in 30 s at most, and at least every 8 s", (t) => {
  for (let seed = 1; seed <= times(50); seed += 1) {
    const w = workers(1, seed);
    const { starts, idle } = play(w, seconds(300), () => ({ boot: ms(300), served: ms(50), end: CRASH }));
    const most = mostIn30s(starts.get("worker/0") ?? []);
    if (seed === 1) t.diagnostic(`${most} starts in 30 s, ${starts.get("worker/0")?.length} in 300 s, idle for ${idle} ms at most`);
    assert.ok(most <= 8, `seed ${seed}: ${most} starts in 30 s`);
    assert.ok(idle <= 8_000, `seed ${seed}: nothing ran for ${idle} ms`);
  }
});

test("whatever crashes by itself, at any age and in any number of places: 8 starts of a place in 30 s, and never 8 s without a process", () => {
  const course = fc.record({
    n: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(),
    boot: fc.integer({ min: 50, max: 2_000 }),
    served: fc.oneof(fc.integer({ min: 0, max: 6_000 }), fc.integer({ min: 0, max: 20_000 })),
  });
  fc.assert(
    fc.property(course, ({ n, seed, boot, served }) => {
      const life: Life = { boot: ms(boot), served: ms(served), end: CRASH };
      const { starts, idle } = play(workers(n, seed), seconds(90), () => life);
      for (const [id, at] of starts) assert.ok(mostIn30s(at) <= 8, `${id}: ${mostIn30s(at)} starts in 30 s`);
      assert.ok(idle <= 8_000, `nothing ran for ${idle} ms`);
    }),
    { numRuns: times(60) },
  );
});

test("the only worker that crashes once it has served is started at once, however often", () => {
  for (const served of [seconds(6), seconds(20)]) {
    const { starts, idle } = play(workers(1), seconds(300), () => ({ boot: ms(300), served, end: CRASH }));
    assert.ok(idle <= STEP, `served for ${served} ms: nothing ran for ${idle} ms`);
    assert.ok(mostIn30s(starts.get("worker/0") ?? []) <= 8);
  }
});

test("all workers crash, and again soon after their start: for three more tries one is started a second after the one before", () => {
  for (const n of [1, 4]) {
    const w = workers(n);
    const { idle } = play(w, seconds(20), (pid) => ({ boot: ms(300), served: pid <= 102 + 2 * n ? ms(50) : seconds(60), end: CRASH }));
    assert.ok(idle <= 1_000, `${n} workers: nothing ran for ${idle} ms`);
  }
});

test("while no worker lives, one place is tried at a time; when its child serves, the others follow within 8 s, two at a time", () => {
  const w = workers(8);
  const { starts, idle } = play(w, seconds(60), () => ({ boot: ms(300), served: ms(50), end: CRASH }));
  const all = [...starts.values()].flat().length;
  assert.ok(all <= 36, `${all} starts of 8 places in 60 s`);
  assert.ok(idle <= 8_000, `nothing ran for ${idle} ms`);
  play(w, seconds(8), () => ({ boot: ms(300), served: seconds(60), end: CRASH }));
  const { starts: later } = play(w, seconds(11), () => ({ boot: ms(300), served: seconds(60), end: CRASH }));
  assert.equal(w.pids("ready").length, 8, `${[...later.values()].flat().length} starts`);
});

test("a child that served for 5 s resets the back-off", () => {
  const w = workers(2);
  for (let i = 0; i < 5; i += 1) {
    if (w.place("worker/0").incumbent.is === "waiting") w.advance(seconds(16), "all");
    w.exit(w.pid("worker/0"));
  }
  assert.ok(w.place("worker/0").backoffs >= 3);
  w.advance(seconds(30), "all").bootAll().advance(seconds(5), "all");
  w.exit(w.pid("worker/0"));
  const { incumbent } = w.place("worker/0");
  assert.ok(incumbent.is === "starting" || (incumbent.is === "waiting" && incumbent.until - w.now <= 1_000), incumbent.is);
});

test("the last place of a role does not wait while another one could serve, and hears of its role's latest start", () => {
  const w = workers(2);
  for (let i = 0; i < 6; i += 1) {
    if (w.place("worker/0").incumbent.is === "waiting") w.advance(seconds(30), "all");
    w.exit(w.pid("worker/0"));
  }
  const slow = w.place("worker/0").incumbent;
  assert.ok(slow.is === "waiting" && slow.until - w.now > 8_000, "worker 1 serves: worker 0 may wait");
  w.exit(w.pid("worker/1"));
  w.exit(w.pid("worker/1"));
  const least = Math.min(...[...w.master.places.values()].map(({ incumbent }) => (incumbent.is === "waiting" ? incumbent.until : w.now)));
  assert.ok(least - w.now <= 8_000);
});

test("fork is refused again and again: the last place tries every 8 s at least, and never in a spin", () => {
  const w = workers(1);
  w.forksFail = 1_000;
  w.exit(w.pid("worker/0"));
  const tries = w.of("spawn").length;
  w.advance(seconds(120), "all");
  const more = w.of("spawn").length - tries;
  assert.ok(more >= 120 / 8 - 1 && more <= 25, `${more} tries in 120 s`);
});
