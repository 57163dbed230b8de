/** From what the master knows to what is told: the alerts of the daemon, over time. */
import assert from "node:assert/strict";
import test from "node:test";
import { createAlerts } from "../../../src/admin/alerts/alerts.ts";
import { ALERT_NAMES } from "../../../src/admin/alerts/model.ts";
import { rulesOf, type Thresholds } from "../../../src/admin/alerts/rules.ts";
import type { Notice } from "../../../src/admin/alerts/view.ts";
import type { ScheduleView } from "../../../src/admin/slots/view.ts";
import { said } from "../../../src/admin/said.ts";
import { noCounters } from "../../../src/base/counters.ts";
import type { Measured } from "../../../src/base/measured.ts";
import { mebibytes, minutes, ms, seconds, type Instant, type Ms, type Timestamp } from "../../../src/base/units.ts";
import type { Status } from "../../../src/cli/snapshot.ts";
import { child, NOW, place, statusWith } from "../../cli/statuses.ts";
import { measured, upstream } from "../given.ts";

const THRESHOLDS: Thresholds = {
  alert_threshold: 80,
  alert_urgent: 95,
  alert_latency: ms(500),
  alert_latency_for: minutes(3),
  alert_cpu: 80,
  alert_ram: 80,
  alert_quota: 70,
  alert_restarts: 3,
  alert_disk: 90,
  alert_slots_time: minutes(60),
  alert_errors: 1,
  alert_refusals: 1,
  alert_worker_memory: mebibytes(400),
};

interface World {
  readonly status?: Partial<Status>;
  readonly figures?: Partial<Measured>;
  readonly refused?: string;
  readonly schedule?: ScheduleView;
  readonly above80?: Ms;
}

/** Alerts with a clock that is moved by hand. */
function alerts(thresholds: () => Thresholds = () => THRESHOLDS) {
  let at = 0;
  const told: Notice[] = [];
  const clock = { now: () => at as Instant, wall: () => (NOW + at) as Timestamp };
  const made = createAlerts({ clock, thresholds, tell: (notice) => told.push(notice) });
  const sound: Partial<Status> = { upstream: upstream(), slots: { used: 10, max: 200, status: "LOW" } };
  const look = ({ status, figures, refused, schedule, above80 = ms(0) }: World = {}, during: Ms = ms(0)): void => {
    for (const end = at + during; at <= end; at += 5_000)
      made.look({
        snapshot: statusWith({ ...sound, ...status }),
        measured: measured({ counts: {}, ...figures }),
        refusedReload: refused ?? null,
        schedule: schedule ?? null,
        above80,
      });
  };
  const words = (): string[] => told.splice(0).map(({ alert, event, level }) => `${alert} ${event} ${level}`);
  return { made, look, told, words };
}

/** A table that can't be refreshed. @param version of its rows; 0: it has none. */
const failing = (version: number) => ({ name: "log", rows: 0, version, checkedAt: 0 as Timestamp, warnings: 0, failure: "no header row" });

test("there is a rule for every name, in rising bands", () => {
  const rules = rulesOf(THRESHOLDS);
  assert.deepEqual(
    rules.map(({ name }) => name),
    [...ALERT_NAMES],
  );
  for (const { bands } of rules) assert.ok(bands.every(({ from }, i) => i === 0 || from > (bands[i - 1]?.from ?? 0)));
});

test("2.10: latency is the p95 of 60 s, not an average, above 500 ms for 3 periods; calm for as long as it varies", () => {
  const rule = rulesOf(THRESHOLDS).find(({ name }) => name === "latency");
  assert.deepEqual([rule?.bands, rule?.for], [[{ level: "warning", from: 500 }], minutes(3)], "threshold, and periods × period");
  const { look, words } = alerts();
  const minute = (p95: number) => ({ figures: { minuteP95: ms(p95) } });
  for (const p95 of [600, 600, 400, 600, 600, 400]) look(minute(p95), minutes(1));
  assert.deepEqual(words(), [], "never three in a row");
  look(minute(600), minutes(4));
  assert.deepEqual(words(), ["latency raised warning"]);
});

test("4.10: 160 of 200 slots warn, 190 are urgent, 200 critical; once at each edge, and 5 points lower on the way down", () => {
  const { look, words } = alerts();
  const slots = (used: number) => ({
    status: { slots: { used, max: 200, status: used < 200 ? ("WARNING" as const) : ("FULL" as const) } },
  });
  const after = (used: number): string[] => (look(slots(used), minutes(2)), words());
  assert.deepEqual(after(159), []);
  assert.deepEqual(after(160), ["capacity raised warning"]);
  assert.deepEqual(after(165), []);
  assert.deepEqual(after(190), ["capacity escalated urgent"]);
  assert.deepEqual(after(200), ["capacity escalated critical"]);
  assert.deepEqual(after(191), [], "above 95 % it stays critical");
  assert.deepEqual(after(185), ["capacity eased urgent"]);
  assert.deepEqual(after(150), ["capacity eased warning"]);
  assert.deepEqual(after(149), ["capacity cleared warning"]);
});

const SCHEDULE: ScheduleView = {
  state: "waits",
  day: 3,
  step: 1,
  steps: 4,
  max: 50,
  scheduled: 50,
  next: { max: 100, day: 3, on: "2026-12-03" },
  text: "the launch schedule does not raise the maximum to 100 slots: the CPU is at 85 %",
  said: said`the launch schedule does not raise the maximum to ${100} slots: ${said`the CPU is at ${85} %`}`,
};

test("4.9: a launch schedule that a guard holds back raises an alert with the reason, until it goes on", () => {
  const { look, told, words } = alerts();
  look({ schedule: SCHEDULE }, minutes(1));
  assert.deepEqual(words(), []);
  look({ schedule: { ...SCHEDULE, state: "blocked" } }, minutes(1));
  assert.deepEqual(
    told.map(({ text }) => text),
    [SCHEDULE.text],
  );
  assert.deepEqual(words(), ["slot-schedule raised warning"]);
  look({ schedule: { ...SCHEDULE, state: "proves" } }, minutes(1));
  assert.deepEqual(words(), ["slot-schedule cleared warning"]);
});

test("4.8: time_above_80pct alerts from DROVER_ALERT_SLOTS_TIME on, and clears when the day is past", () => {
  const { look, told, words } = alerts();
  look({ above80: ms(minutes(60) - 1_000) }, minutes(1));
  assert.deepEqual(words(), []);
  look({ above80: minutes(90) }, minutes(1));
  assert.equal(told[0]?.text, "80 % of the slots or more were taken for 1.5 hours of the last 24");
  assert.deepEqual(words(), ["time_above_80pct raised warning"]);
  look({ above80: minutes(60) }, minutes(1));
  look({ above80: minutes(20) }, minutes(1));
  assert.deepEqual(words(), ["time_above_80pct cleared warning"]);
});

/** A daemon that answers: each look follows 5 s of traffic. */
function answering() {
  const { look, told, words } = alerts();
  const counters = noCounters();
  const serve = (during: Ms, each: { readonly answers: number; readonly errors?: number; readonly refusals?: number }): string[] => {
    for (let passed = 0; passed < during; passed += 5_000) {
      const { answers, errors = 0, refusals = 0 } = each;
      counters.served += answers;
      counters.status5xx += errors + refusals;
      counters.refused5xx += refusals;
      look({ status: { counters: { ...counters } } });
    }
    return words();
  };
  return { serve, told };
}

test("2.10: errors are the share of the last minute's answers, from 1 % a warning and from 5 % critical, for 3 periods of a minute", () => {
  const rule = rulesOf(THRESHOLDS).find(({ name }) => name === "errors");
  assert.deepEqual([rule?.bands.map(({ level, from }) => [level, from]), rule?.for], [[["warning", 1], ["critical", 5]], minutes(3)]); // prettier-ignore
  const { serve, told } = answering();
  assert.deepEqual(serve(minutes(10), { answers: 1_000, errors: 9 }), [], "0.9 %");
  assert.deepEqual(serve(minutes(2), { answers: 1_000, errors: 20 }), [], "not for 3 minutes yet");
  assert.deepEqual(serve(minutes(2), { answers: 1_000, errors: 20 }), ["errors raised warning"]);
  assert.deepEqual(serve(minutes(5), { answers: 1_000, errors: 500 }), ["errors escalated critical"]);
  assert.deepEqual(serve(minutes(3), { answers: 1_000 }), ["errors cleared critical"]);
  assert.deepEqual(serve(minutes(5), { answers: 1_000, errors: 1_000 }), ["errors raised critical"], "an application that always fails");
  assert.equal(told.length, 0);
});

test("2.10: errors need 20 answers within the minute: one failure of three is no alarm", () => {
  const { serve } = answering();
  assert.deepEqual(serve(minutes(10), { answers: 1, errors: 1 }), [], "12 answers a minute");
  assert.deepEqual(serve(minutes(6), { answers: 2, errors: 2 }), ["errors raised critical"], "24 answers a minute");
  assert.deepEqual(serve(minutes(10), { answers: 1, errors: 1 }), [], "too few to tell: it is not over");
  assert.deepEqual(serve(minutes(5), { answers: 0 }), ["errors cleared critical"], "nobody asks any more");
});

test("0.11: refusals with 503 warn from 1 % on, for 3 minutes, and are no errors", () => {
  const { serve } = answering();
  assert.deepEqual(serve(minutes(10), { answers: 1_000, refusals: 9 }), []);
  assert.deepEqual(serve(minutes(6), { answers: 1_000, refusals: 300 }), ["refusals raised warning"]);
  assert.deepEqual(serve(minutes(3), { answers: 1_000 }), ["refusals cleared warning"]);
});

test("0.11: a worker above DROVER_ALERT_WORKER_MEMORY for 5 minutes raises worker-memory; 0: never", () => {
  const places = (rss: number) => ({ status: { places: [place(0), place(1, { child: child({ rss }) })] } });
  const { look, told, words } = alerts();
  look(places(mebibytes(150)), minutes(10));
  look(places(mebibytes(500)), minutes(4));
  look(places(mebibytes(150)), minutes(2));
  assert.deepEqual(words(), [], "a peak of 4 minutes");
  look(places(mebibytes(500)), minutes(6));
  assert.deepEqual([told[0]?.text, told[0]?.threshold], ["worker/1 takes 500 MiB of memory", 400]);
  assert.deepEqual(words(), ["worker-memory raised warning"]);
  look(places(mebibytes(150)), minutes(2));
  assert.deepEqual(words(), ["worker-memory cleared warning"]);
  const off = alerts(() => ({ ...THRESHOLDS, alert_worker_memory: mebibytes(0) }));
  off.look(places(mebibytes(5_000)), minutes(20));
  assert.deepEqual(off.words(), []);
});

test("all is well: nothing is told in ten minutes", () => {
  const { look, words, made } = alerts();
  look({}, minutes(10));
  assert.deepEqual([words(), made.firing(), made.raised()], [[], [], {}]);
});

const read = { used: 4, limit: 51, lockedUntil: 0 as Timestamp };
const writes = upstream().writes;
assert.ok(writes);
const SLOW: readonly (readonly [what: string, world: World, wait: Ms, told: string])[] = [
  ["160 of 200", { status: { slots: { used: 160, max: 200, status: "WARNING" } } }, ms(0), "capacity raised warning"],
  ["190 of 200", { status: { slots: { used: 190, max: 200, status: "WARNING" } } }, ms(0), "capacity raised urgent"],
  ["200 of 200", { status: { slots: { used: 200, max: 200, status: "FULL" } } }, ms(0), "capacity raised critical"],
  ["p95 of 600 ms", { figures: { minuteP95: ms(600) } }, minutes(3), "latency raised warning"],
  ["CPU at 85 %", { status: { machine: { cpu: 0.85, ram: 0.2, ramUsed: 1, ramTotal: 5 } } }, minutes(1), "cpu raised warning"],
  ["memory at 85 %", { status: { machine: { cpu: 0.1, ram: 0.85, ramUsed: 1, ramTotal: 5 } } }, seconds(30), "memory raised warning"],
  ["memory at 96 %", { status: { machine: { cpu: 0.1, ram: 0.96, ramUsed: 1, ramTotal: 5 } } }, seconds(30), "memory raised critical"],
  ["one worker of two", { status: { workers: { ready: 1, target: 2 } } }, seconds(30), "workers raised warning"],
  ["no worker", { status: { workers: { ready: 0, target: 2 } } }, seconds(30), "workers raised critical"],
  ["no broker", { status: { health: { ...statusWith().health, broker: "away" } } }, seconds(30), "broker raised urgent"],
  ["36 of 51 calls", { status: { upstream: upstream({ quota: { ...read, used: 36 } }) } }, minutes(1), "quota raised warning"],
  [
    "Redis is away",
    { status: { sessionStore: { place: "redis://127.0.0.1:6379", problem: "it does not answer", errors: 3 } } },
    seconds(10),
    "session-store raised urgent",
  ],
  [
    "Google is down",
    { status: { upstream: upstream({ state: "down", message: "no answer within 10000 ms" }) } },
    minutes(1),
    "google raised urgent",
  ],
  [
    "the key is refused",
    { status: { upstream: upstream({ state: "denied", message: "not shared" }) } },
    ms(0),
    "credentials raised critical",
  ],
  [
    "the certificate is not believed",
    { status: { upstream: upstream({ state: "down", message: "no answer: certificate has expired" }) } },
    ms(0),
    "credentials raised critical",
  ],
  ["writes wait", { status: { upstream: upstream({ writes: { ...writes, oldest: seconds(301) } }) } }, ms(0), "backlog raised warning"],
  [
    "the journal fills",
    { status: { upstream: upstream({ writes: { ...writes, waitingBytes: mebibytes(62) } }) } },
    ms(0),
    "journal raised critical",
  ],
  [
    "a table fills",
    {
      status: {
        upstream: upstream({ tables: [{ name: "log", rows: 16_000, fill: 80, version: 1, checkedAt: 0 as Timestamp, warnings: 0 }] }),
      },
    },
    ms(0),
    "table-size raised warning",
  ],
  ["a table can't be refreshed", { status: { upstream: upstream({ tables: [failing(7)] }) } }, minutes(1), "tables raised warning"],
  [
    "a table has no rows at all",
    { status: { upstream: upstream({ tables: [failing(7), failing(0)] }) } },
    minutes(1),
    "tables raised critical",
  ],
  ["the disk fills", { figures: { disks: [{ directory: "data", size: 100, free: 9 }] } }, ms(0), "disk raised warning"],
  ["the disk is full", { figures: { disks: [{ directory: "log", size: 100, free: 1 }] } }, ms(0), "disk raised critical"],
  [
    "no inode is left",
    { figures: { disks: [{ directory: "data", size: 100, free: 90, inodes: { total: 200, free: 0 } }] } },
    ms(0),
    "disk raised critical",
  ],
  ["a reload was refused", { refused: "a setting is wrong:\n  workers" }, ms(0), "reload raised warning"],
  [
    "a reload was rolled back",
    { status: { lastRoll: { is: "rolledBack", generation: 2, why: "the probe failed" } } },
    ms(0),
    "reload raised warning",
  ],
];

test("what ends is not told as if it lasted, and the last restart is one of those that are counted", () => {
  const { look, told } = alerts();
  look({ refused: "a setting is wrong" });
  look({}, minutes(1));
  assert.deepEqual(
    told.splice(0).map(({ event, text }) => [event, text]),
    [
      ["raised", "the last reload was refused: a setting is wrong"],
      ["cleared", "was: the last reload was refused: a setting is wrong"],
    ],
  );
  const died = (minutesAgo: number, name: string) => ({
    lastDeath: { name, how: "x", expected: false, pid: 1, generation: 1, at: (NOW - minutes(minutesAgo)) as Timestamp },
  });
  const places = (restarts: number) => [place(0, { ...died(60, "stuck"), restarts }), place(1, { ...died(0, "crash"), restarts: 0 })];
  look({ status: { places: places(0) } });
  look({ status: { places: places(4) } });
  assert.equal(told.at(-1)?.text, "4 unexpected restarts within 5 minutes; the last: worker/1 crash");
  const old = alerts(() => ({ ...THRESHOLDS, alert_restarts: 0 }));
  old.look({ status: { places: [place(0, { ...died(60, "stuck"), restarts: 0 })] } });
  old.look({ status: { places: [place(0, { ...died(60, "stuck"), restarts: 1 })] } });
  assert.equal(old.told.at(-1)?.text, "1 unexpected restart within 5 minutes", "its place was rolled since: no older death stands in");
});

test("the alert of the CPU names drover's own share", () => {
  const { look, told } = alerts();
  look({ status: { machine: { cpu: 0.97, ownCpu: 0.03, ram: 0.1, ramUsed: 1, ramTotal: 5 } } }, minutes(2));
  assert.equal(told.find(({ alert }) => alert === "cpu")?.text, "the CPU is at 97 %: drover uses 3 %, other processes 94 %");
});

for (const [what, world, wait, expected] of SLOW)
  test(`${what}: ${expected}, not before its time, once; and over half a minute after it has passed`, () => {
    const { look, words } = alerts();
    look();
    if (wait > 0) {
      look(world, ms(wait - 10_000));
      assert.deepEqual(words(), [], "not yet");
    }
    look(world, minutes(5));
    assert.deepEqual(words(), [expected]);
    look({}, minutes(2));
    assert.deepEqual(words(), [expected.replace("raised", "cleared")]);
  });

test("4.10: 160 of 200 slots is a warning, 190 urgent, 200 critical; each is sent once, and the level clears with hysteresis", () => {
  const { look, words, told } = alerts();
  const taken = (used: number): World => ({ status: { slots: { used, max: 200, status: "HEALTHY" } } });
  const sent = (used: number): string[] => (look(taken(used), minutes(2)), words());
  assert.deepEqual(sent(159), []);
  assert.deepEqual(sent(160), ["capacity raised warning"]);
  assert.deepEqual(sent(189), []);
  look(taken(190));
  assert.match(told[0]?.text ?? "", /190 of 200 slots are taken \(95 %\)/);
  assert.deepEqual(words(), ["capacity escalated urgent"]);
  assert.deepEqual(sent(200), ["capacity escalated critical"]);
  assert.deepEqual(sent(191), [], "5 points below the band, not less");
  assert.deepEqual(sent(181), ["capacity eased urgent"]);
  assert.deepEqual(sent(155), ["capacity eased warning"]);
  assert.deepEqual(sent(149), ["capacity cleared warning"]);
});

test("edges: what grows is told once, what was parked before the daemon is not, and it is over when it has stopped for a while", () => {
  const restarts = (n: number): World => ({ status: { places: [place(0, { restarts: n })] } });
  const parked = (n: number): World => ({ status: { upstream: upstream({ writes: { ...writes, parked: n } }) } });
  const limited = (n: number): World => ({ figures: { counts: { "calls.read.locked": n } } });
  for (const [name, world, quiet, first] of [
    ["restarts", restarts, 4, 0],
    ["parked", parked, 1, 7],
    ["rate-limited", limited, 1, 0],
  ] as const) {
    const { look, words } = alerts();
    look(world(first), minutes(1));
    look(world(first + quiet - 1), minutes(1));
    assert.deepEqual(words(), [], `${name}: not yet`);
    look(world(first + quiet), minutes(1));
    look(world(first + 1 + quiet), minutes(1));
    assert.deepEqual(words(), [`${name} raised warning`]);
    look(world(first + 1 + quiet), minutes(12));
    assert.deepEqual(words(), [`${name} cleared warning`]);
  }
});

test("fewer places after a scale are no restarts, and hide none", () => {
  const { look, words } = alerts();
  const places = (...restarts: number[]): World => ({ status: { places: restarts.map((n, i) => place(i, { restarts: n })) } });
  look(places(0, 2), minutes(1));
  look(places(0), minutes(1));
  look(places(1), seconds(10));
  assert.deepEqual(words(), []);
  look(places(2), seconds(10));
  assert.deepEqual(words(), ["restarts raised warning"]);
});

test("restarts before the first look count", () => {
  const { look, words } = alerts();
  look({ status: { places: [place(0, { restarts: 4 })] } });
  assert.deepEqual(words(), ["restarts raised warning"]);
});

test("restarts: the last death that is named is one of those that count", () => {
  const { look, told } = alerts();
  const death = (name: string, at: number) => ({
    name,
    how: "",
    expected: name !== "crash",
    pid: 1,
    generation: 1,
    at: (NOW + at) as Timestamp,
  });
  const places = [place(0, { restarts: 4, lastDeath: death("crash", 1) }), place(1, { lastDeath: death("rolled", 2) })];
  look({ status: { places } });
  assert.match(JSON.stringify(told), /4 unexpected restarts within 5 minutes; the last: worker\/0 crash/);
});

test("a stopping or starting daemon misses no worker", () => {
  const { look, words } = alerts();
  for (const state of ["starting", "stopping"] as const) look({ status: { state, workers: { ready: 0, target: 2 } } }, minutes(2));
  assert.deepEqual(words(), []);
});

test("what is told has its figures, its times and a name of its own; the view has the same", () => {
  const { look, told, made } = alerts();
  look({ status: { slots: { used: 164, max: 200, status: "WARNING" } } });
  const [raised] = told;
  assert.deepEqual(
    { ...raised, id: "" },
    {
      id: "",
      alert: "capacity",
      event: "raised",
      level: "warning",
      text: "164 of 200 slots are taken (82 %)",
      value: 82,
      threshold: 80,
      at: NOW,
      since: NOW,
      lasted: null,
    },
  );
  const [view] = made.firing();
  assert.deepEqual([view?.name, view?.level, view?.value, view?.acked], ["capacity", "warning", 82, null]);
  assert.ok(made.ack("capacity") && !made.ack("nothing") && !made.ack("disk"));
  assert.notEqual(made.firing()[0]?.acked, null);
  look({}, minutes(1));
  const cleared = told.at(-1);
  assert.deepEqual([cleared?.event, cleared?.text, cleared?.lasted], ["cleared", "10 of 200 slots are taken (5 %)", 35_000]);
  assert.equal(new Set(told.map(({ id }) => id)).size, told.length);
  assert.deepEqual(made.raised(), { capacity: 1 });
});

test("an alert eases only to a level that its value still has: a disk with room again is over, not a warning", () => {
  const { look, told } = alerts();
  const disk = (free: number): World => ({ figures: { disks: [{ directory: "data", size: 100, free }] } });
  look(disk(1), seconds(10)); // critical
  look(disk(7), seconds(10)); // a warning, on the way
  look(disk(80), minutes(2)); // room again
  assert.deepEqual(
    told.map(({ event, level, value }) => `${event} ${level} ${value}`),
    ["raised critical 99", "cleared critical 20"],
  );
  told.splice(0);
  look(disk(1), seconds(10));
  look(disk(80), seconds(10));
  look(disk(7), minutes(2));
  assert.deepEqual(
    told.map(({ event, level, value }) => `${event} ${level} ${value}`),
    ["raised critical 99", "eased warning 93"],
  );
});

test("thresholds move with a reload", () => {
  let now = THRESHOLDS;
  const { look, words } = alerts(() => now);
  look({ status: { slots: { used: 120, max: 200, status: "HEALTHY" } } });
  now = { ...now, alert_threshold: 60 };
  look({ status: { slots: { used: 120, max: 200, status: "HEALTHY" } } });
  assert.deepEqual(words(), ["capacity raised warning"]);
});

test("time to full follows the slots", () => {
  const { look, made } = alerts();
  for (let used = 100; used < 140; used += 1) look({ status: { slots: { used, max: 200, status: "HEALTHY" } } }, seconds(25));
  const left = made.fullIn();
  assert.ok(left !== null && left > minutes(25) && left < minutes(35), `${left}`);
});

test("what only the broker can tell fires on while it is away, and says that it is not known; without tables it is over", () => {
  const { look, made, words } = alerts();
  const health = (broker: "away" | "none") => ({ ...statusWith({}).health, broker });
  look({ status: { upstream: upstream({ state: "down", message: "no answer within 10000 ms" }) } }, minutes(2));
  assert.deepEqual(words(), ["google raised urgent"]);
  look({ status: { upstream: null, health: health("away") } }, minutes(10));
  assert.deepEqual(words(), ["broker raised urgent"]);
  const google = made.firing().find(({ name }) => name === "google");
  assert.equal(google?.text, "Google does not answer: no answer within 10000 ms; for 10 minutes it has not been known whether it goes on");
  look({ status: { upstream: null, slots: null, health: health("none") } }, minutes(2));
  assert.deepEqual(words().toSorted(), ["broker cleared urgent", "google cleared urgent"]);
});
