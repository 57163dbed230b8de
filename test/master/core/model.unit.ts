/**
 * The supervisor against everything that can happen to it, in any order: fast-check plays machine, children and operator,
 * and the invariants are checked after every single decision.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { ROLES, type Role } from "../../../src/base/protocol.ts";
import { ms, seconds, type Ms } from "../../../src/base/units.ts";
import { deadlineOf, nextDeadline } from "../../../src/master/core/deadline.ts";
import { decide } from "../../../src/master/core/decide.ts";
import { initialMaster, type Action, type Event, type Master, type Pid, type PlaceId } from "../../../src/master/core/model.ts";
import { times } from "../../support/times.ts";
import { POLICY, World, type Options } from "./world.ts";
import { seed as seedOf } from "../../support/seed.ts";

const seed = seedOf("model of the master");
const RUNS = times(300);

const UNKNOWN = 999_999 as Pid;
const HARD_END = ms(POLICY.gracefulTimeout + POLICY.quickTimeout);

const slotsOf = (master: Master) =>
  [...master.places.values()].flatMap(({ incumbent, successor, leaving }) => [incumbent, successor, ...leaving]);
const pidsOf = (master: Master): Pid[] => slotsOf(master).flatMap((slot) => ("pid" in slot ? [slot.pid] : []));
const readyWorkers = (master: Master): number =>
  [...master.places.values()].filter((place) => place.role === "worker" && place.incumbent.is === "ready").length;

/** What must hold after every decision. */
function invariants(before: Master, event: Event, after: Master, actions: readonly Action[]): void {
  const places = [...after.places.values()];
  const workers = places.filter((place) => place.role === "worker");

  // No more workers in their seats than wanted, and one that boots beside them. (Those that leave or were killed come on top…
  const seated = workers
    .flatMap(({ incumbent, successor }) => [incumbent, successor])
    .filter((slot) => "pid" in slot && slot.is !== "killed");
  assert.ok(seated.length <= after.target + 1, `${seated.length} workers seated, ${after.target} wanted`);
  // … but a place never holds more than three that drain, whatever the operator does: before, on the way back from a reload, and now.)
  for (const { id, leaving } of places) assert.ok(leaving.filter(({ is }) => is === "draining").length <= 3, `${id} has too many draining`);
  assert.ok(places.filter(({ successor }) => successor.is !== "vacant").length <= 1, "one successor at a time");

  // Nothing old goes before the canary has lived through its trial.
  for (const place of places) {
    if (place.successor.is === "trial") assert.equal(after.roll?.current, place.id, "only the canary of a roll is on trial");
    if (after.roll?.proven === false && after.roll.back === undefined && place.role === "worker" && place.incumbent.is === "ready")
      assert.notEqual(place.generation, after.roll.generation, "no worker of an unproven generation has a seat");
  }
  if (after.mode.is === "running" && after.lastRoll?.is === "rolledBack")
    assert.ok(after.generation !== after.lastRoll.generation, "what was rolled back is not the newest");

  const pids = pidsOf(after);
  assert.equal(new Set(pids).size, pids.length, "a pid stands in one slot only");
  if (after.mode.is !== "running")
    assert.deepEqual(
      actions.filter((action) => action.do === "spawn"),
      [],
      "no spawn after stop",
    );
  if (after.mode.is === "stopped") assert.deepEqual(pids, [], "the master leaves last");

  // Back-off leaves no role without a process for longer than that.
  for (const role of ROLES) {
    const of = places.filter((place) => place.role === role && !place.closing);
    const untils = of.flatMap(({ incumbent, successor }) =>
      incumbent.is === "waiting" && successor.is === "vacant" ? [incumbent.until] : [],
    );
    if (after.mode.is !== "running" || untils.length < of.length || of.length === 0) continue;
    const latest = Math.max(...of.map(({ startedAt }) => startedAt ?? -Infinity));
    assert.ok(Math.min(...untils) <= Math.max(event.at, latest + POLICY.backoff.alone), `every ${role} waits`);
  }

  const next = nextDeadline(after);
  for (const slot of slotsOf(after)) {
    const due = deadlineOf(slot);
    if (!("pid" in slot)) continue;
    assert.ok(due !== undefined && Number.isFinite(due), `${slot.is} has a deadline`);
    assert.ok(next !== undefined && next <= due, "the timer fires no later than any deadline");
  }
  if (event.type === "tick") assert.ok(next === undefined || next > event.at, "a tick leaves nothing overdue: the timer can't spin");

  for (const type of ["ready", "beat"] as const) assert.equal(decide(after, { type, at: event.at, pid: UNKNOWN }, POLICY)[0], after);
  const stranger = { type: "exited", at: event.at, pid: UNKNOWN, code: 3, signal: null, fatal: undefined } as const;
  assert.equal(decide(after, stranger, POLICY)[0], after, "a stranger's exit changes nothing");
  assert.ok(before.mode.is !== "stopped" || after === before, "stopped is the end");
}

/** The state's pids and the living processes are the same set: nobody is forgotten, nobody is imagined. */
function sameProcesses(w: World): void {
  const mine = pidsOf(w.master).sort((a, b) => a - b);
  assert.deepEqual(
    mine,
    [...w.processes.keys()].sort((a, b) => a - b),
  );
}

const newWorld = (options: Options = {}): World => new World({ watch: invariants, ...options });

/** What fast-check needs to know of the run beside the world itself. */
interface Model {
  stopAt: number | undefined;
  quickAt: number | undefined;
}
type Act = fc.Command<Model, World>;

const act = (name: string, run: (w: World, m: Model) => void): Act => ({
  check: () => true,
  toString: () => name,
  run(m, w) {
    run(w, m);
    sameProcesses(w);
    stopEndsInTime(w, m);
  },
});

/** Whatever children do, a stop is over after its time and the reaping of what was killed. */
function stopEndsInTime(w: World, m: Model): void {
  if (w.master.mode.is === "running") return;
  m.stopAt ??= w.now;
  const over = (m.quickAt !== undefined && w.now > m.quickAt + POLICY.quickTimeout) || w.now > m.stopAt + HARD_END;
  if (!over) return;
  w.reap();
  assert.equal(w.master.mode.is, "stopped", "the stop is over");
  assert.equal(w.of("exit").length, 1, "the master exits once");
}

/** The n-th of them, if there is any. */
const nth = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];
const pick = (pids: readonly Pid[], n: number, use: (pid: Pid) => void): void => {
  const pid = nth(pids, n);
  if (pid !== undefined) use(pid);
};
const nat = fc.nat({ max: 63 });
const placeOf = (n: number, w: World): PlaceId => nth([...w.master.places.keys()], n) ?? "worker/0";
const FATALS = [1, 3, 4, 78].map((exit) => ({ exit, code: "DROVER_E_BOOT", message: "no" }));

const time = fc.constantFrom<Ms[]>(ms(1), ms(400), seconds(1), seconds(3), seconds(11), seconds(31), seconds(70));
const kindly: fc.Arbitrary<Act>[] = [
  nat.map((n) => act(`boot ${n}`, (w) => pick(w.starting(), n, (pid) => w.ready(pid)))),
  fc.constant(act("boot all", (w) => void w.bootAll())),
  time.map((by) => act(`advance ${by}, all beat`, (w) => void w.advance(by, "all"))),
  nat.map((n) => act(`leave ${n}`, (w) => pick(w.pids("draining"), n, (pid) => w.exit(pid, { code: 0 })))),
  fc.constant(act("leave", (w) => void w.leave())),
  fc.constant(act("reap", (w) => void w.reap())),
  fc.constant(act("reload", (w) => w.feed({ type: "reload", workers: undefined }))),
  nat.map((n) => act(`recycle ${n}`, (w) => w.feed({ type: "recycle", place: placeOf(n, w), why: "max_requests" }))),
  fc.boolean().map((short) => act(`memory ${short}`, (w) => w.feed({ type: "memory", short }))),
  fc.boolean().map((ok) => act(`probed ${ok}`, (w) => w.probed(ok))),
  nat.map((n) =>
    act(`successor dies ${n}`, (w) => {
      const booting = [...w.master.places.values()].flatMap(({ successor }) => ("pid" in successor ? [successor.pid] : []));
      pick(booting, n, (pid) => w.exit(pid, { code: 3 }));
    }),
  ),
];

const scaling: fc.Arbitrary<Act>[] = [
  fc.constant(act("grow", (w) => w.feed({ type: "grow" }))),
  fc.constant(act("shrink", (w) => w.feed({ type: "shrink" }))),
  fc.integer({ min: -1, max: 10 }).map((to) => act(`scale ${to}`, (w) => w.feed({ type: "scale", to }))),
  fc.integer({ min: 1, max: 6 }).map((workers) => act(`reload with ${workers}`, (w) => w.feed({ type: "reload", workers }))),
  fc.constantFrom<Role[]>("broker", "emulator", "worker").map((role) => act(`need ${role}`, (w) => w.feed({ type: "need", role }))),
];

const harm: fc.Arbitrary<Act>[] = [
  fc
    .tuple(nat, fc.constantFrom(undefined, ...FATALS))
    .map(([n, fatal]) =>
      act(`exit ${n} ${fatal?.exit ?? ""}`, (w) =>
        pick([...w.processes.keys()], n, (pid) => w.exit(pid, { code: fatal?.exit ?? n % 5, ...(fatal ? { fatal } : {}) })),
      ),
    ),
  nat.map((n) => act(`kill -9 ${n}`, (w) => pick([...w.processes.keys()], n, (pid) => w.exit(pid, { signal: "SIGKILL" })))),
  time.map((by) => act(`advance ${by}, silence`, (w) => void w.advance(by))),
  fc.tuple(nat, time).map(([n, by]) =>
    act(
      `advance ${by}, some beat ${n}`,
      (w) =>
        void w.advance(
          by,
          w.pids("ready").filter((pid) => (pid + n) % 2),
        ),
    ),
  ),
  fc.constantFrom(seconds(1), seconds(20), seconds(3_600)).map((by) => act(`sleep ${by}`, (w) => void w.sleep(by))),
  nat.map((n) => act(`report ${n}`, (w) => pick(w.pids("examined"), n, (pid) => w.feed({ type: "report", pid, verdict: "spinning" })))),
  nat.map((n) =>
    act(`starved ${n}`, (w) => pick(w.pids("examined"), n, (pid) => w.feed({ type: "report", pid, verdict: "starved", starved: true }))),
  ),
  nat.map((n) => act(`recovers ${n}`, (w) => pick(w.pids("examined"), n, (pid) => w.beat(pid)))),
  nat.map((n) => act(`beat of any ${n}`, (w) => pick([...w.processes.keys()], n, (pid) => w.beat(pid)))),
  nat.map((n) => act(`ready of any ${n}`, (w) => pick([...w.processes.keys()], n, (pid) => w.ready(pid)))),
  fc.integer({ min: 1, max: 4 }).map((n) => act(`forks fail ${n}`, (w) => void (w.forksFail = n))),
];

const stopping: fc.Arbitrary<Act>[] = [
  fc
    .constantFrom(undefined, 70)
    .map((exit) => act(`stop ${exit ?? ""}`, (w) => w.feed({ type: "stop", quick: false, ...(exit === undefined ? {} : { exit }) }))),
  fc.constant(
    act("stop quickly", (w, m) => {
      m.quickAt ??= w.now;
      w.feed({ type: "stop", quick: true });
    }),
  ),
];

const starts = fc.record({
  workers: fc.integer({ min: 1, max: 5 }),
  services: fc.constantFrom<Role[][]>([], ["broker"], ["broker", "emulator"]),
  booted: fc.boolean(),
  headStart: fc.constantFrom(ms(0), seconds(2)),
  rollSettle: fc.constantFrom(ms(0), seconds(2), seconds(40)),
  probe: fc.constantFrom(undefined, seconds(5)),
});
type Start = typeof starts extends fc.Arbitrary<infer T> ? T : never;

function begin({ workers, services, booted, headStart, rollSettle, probe }: Start): { w: World; m: Model } {
  const w = newWorld({ headStart, rollSettle, probe }).start(workers, ...services);
  if (booted) w.bootAll();
  return { w, m: { stopAt: undefined, quickAt: undefined } };
}

const played = (start: Start, acts: Iterable<Act>): World => {
  const { w, m } = begin(start);
  fc.modelRun(() => ({ model: m, real: w }), acts);
  return w;
};

const settings = { numRuns: RUNS, seed } as const;
const sequence = (...kinds: fc.Arbitrary<Act>[][]) => fc.commands(kinds.flat(), { maxCommands: 60, size: "max" });

test("whatever happens in whatever order, the invariants hold and a stop ends in time", () => {
  fc.assert(
    fc.property(starts, sequence(kindly, kindly, scaling, harm, stopping), (start, acts) => {
      const w = played(start, acts);
      // The same seed and events give the same state and actions.
      let again = initialMaster(1);
      const repeated: Action[] = [];
      for (const event of w.history) {
        const [next, actions] = decide(again, event, w.policy);
        again = next;
        repeated.push(...actions);
      }
      assert.deepEqual(again, w.master);
      assert.deepEqual(repeated, w.actions);
      // And whatever state it is in: it stops.
      w.feed({ type: "stop", quick: false });
      w.advance(ms(HARD_END + 1), "all");
      w.reap();
      assert.equal(w.master.mode.is, "stopped");
      assert.equal(w.processes.size, 0);
    }),
    settings,
  );
});

test("after any sequence without a stop, children that boot and beat well bring every wanted worker back", () => {
  fc.assert(
    fc.property(starts, sequence(kindly, scaling, harm), (start, acts) => {
      const w = played(start, acts);
      w.forksFail = 0;
      w.feed({ type: "memory", short: false });
      for (let i = 0; i < 60; i += 1) {
        w.reap().bootAll().probed(true);
        w.leave().advance(seconds(5), "all");
      }
      if (!w.master.booted) return assert.notEqual(w.master.mode.is, "running", "the first boot failed, or it succeeds");
      assert.equal(readyWorkers(w.master), w.master.target);
      assert.equal(w.master.roll, undefined, "the roll is over");
      assert.deepEqual(w.master.recycles, []);
      const workers = [...w.master.places.values()].filter(({ role }) => role === "worker").map(({ nr }) => nr);
      assert.deepEqual(
        workers.sort((a, b) => a - b),
        Array.from({ length: w.master.target }, (_, nr) => nr),
        "numbers are 0 … N−1",
      );
    }),
    { ...settings, numRuns: RUNS / 2 },
  );
});

test("rolls and recycling never leave fewer ready workers than wanted, even when successors die", () => {
  fc.assert(
    fc.property(starts, sequence(kindly), (start, acts) => {
      const w = new World({
        headStart: start.headStart,
        rollSettle: start.rollSettle,
        probe: start.probe,
        watch: (before, event, after, actions) => {
          invariants(before, event, after, actions);
          if (after.booted) assert.equal(readyWorkers(after), after.target);
        },
      });
      w.start(start.workers, ...start.services).bootAll();
      fc.modelRun(() => ({ model: { stopAt: undefined, quickAt: undefined }, real: w }), acts);
    }),
    settings,
  );
});

test("any event in any order, even one the shell would never send, is answered", () => {
  const pid = fc.integer({ min: 1, max: 6 }).map((n) => n as Pid);
  const place = fc.constantFrom<PlaceId[]>("worker/0", "worker/1", "worker/7", "broker/0", "emulator/0");
  const seat = fc.constantFrom("incumbent" as const, "successor" as const);
  const event = fc.oneof(
    fc.record({ type: fc.constant("start"), roles: fc.constant<Role[]>(["broker"]), workers: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ type: fc.constant("spawned"), place, seat, pid, generation: fc.nat(3), beatTimeout: fc.constant(seconds(30)) }),
    fc.record({ type: fc.constant("spawnFailed"), place, seat, message: fc.constant("ENOMEM") }),
    fc.record({ type: fc.constantFrom("ready", "beat"), pid }),
    fc.record({ type: fc.constant("probed"), pid, ok: fc.boolean(), message: fc.constant("GET / was answered") }),
    fc.record({ type: fc.constant("report"), pid, verdict: fc.constant("blocked"), starved: fc.boolean() }),
    fc.record({
      type: fc.constant("exited"),
      pid,
      code: fc.constantFrom(null, 0, 1, 3, 78),
      signal: fc.constantFrom(null, "SIGKILL"),
      fatal: fc.constant(undefined),
    }),
    fc.record({ type: fc.constant("tick"), late: fc.constantFrom(0, 16_000) }),
    fc.record({ type: fc.constant("stop"), quick: fc.boolean() }),
    fc.record({ type: fc.constant("reload"), workers: fc.constantFrom(undefined, 2, Number.NaN) }),
    fc.record({ type: fc.constant("scale"), to: fc.constantFrom(-3, 0, 2, 2.5, Number.NaN, Infinity, 1e9) }),
    fc.record({ type: fc.constantFrom("grow", "shrink") }),
    fc.record({ type: fc.constant("recycle"), place, why: fc.constant("asked") }),
    fc.record({ type: fc.constant("need"), role: fc.constantFrom("worker", "broker", "emulator") }),
    fc.record({ type: fc.constant("memory"), short: fc.boolean() }),
  );
  const strange = fc.array(fc.tuple(event, fc.nat(20_000)), { maxLength: 80, size: "max" });
  fc.assert(
    fc.property(strange, (events) => {
      const policy = { ...POLICY, rollSettle: seconds(2), probe: seconds(5) };
      let master = initialMaster(1);
      let at = 0;
      for (const [one, wait] of events) {
        at += wait;
        [master] = decide(master, { ...one, at } as unknown as Event, policy);
        const pids = pidsOf(master);
        assert.equal(new Set(pids).size, pids.length);
        for (const slot of slotsOf(master)) assert.ok(!("pid" in slot) || deadlineOf(slot) !== undefined);
      }
    }),
    settings,
  );
});
