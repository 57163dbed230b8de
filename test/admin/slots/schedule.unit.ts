import assert from "node:assert/strict";
import test from "node:test";
import { begin, PROVEN } from "../../../src/admin/slots/schedule.ts";
import { minutes, ms, type Ms } from "../../../src/base/units.ts";
import { DAY, figures, Launch } from "./world.ts";

const days = (n: number) => ms(n * DAY);
const hours = (n: number) => minutes(60 * n);

test("4.9: 30 days of the launch presets: each step on its day, one at a time", () => {
  const j = new Launch("j1-j14");
  assert.equal(j.max, 50);
  j.pass(days(30));
  assert.deepEqual([j.raises, j.max], [["day 3: 100", "day 7: 150", "day 14: 200"], 200]);
  assert.equal(j.state.phase.is, "complete");
  const weekly = new Launch("weekly");
  assert.equal(weekly.max, 100);
  weekly.pass(days(29));
  assert.deepEqual([weekly.raises, weekly.max], [["day 8: 150"], 150]);
  weekly.pass(days(2));
  assert.deepEqual([weekly.raises, weekly.max], [["day 8: 150", "day 31: 200"], 200]);
});

test("4.9: a step waits until every guard has held for 10 minutes", () => {
  const launch = new Launch("1:50, 2:100");
  launch.pass(hours(16)); // 8:00 to midnight
  assert.equal(launch.state.phase.is, "proves");
  launch.pass(ms(PROVEN - 60_000));
  assert.equal(launch.max, 50);
  launch.pass(minutes(1));
  assert.deepEqual([launch.max, launch.raises], [100, ["day 2: 100"]]);
});

const HOLD_BACK = [
  ["the CPU is at 80 %", { cpu: 0.8 }, { cpu: 0.79 }],
  ["memory is at 85 %", { ram: 0.85 }, { ram: 0.84 }],
  ["95 % of the last minute's answers took up to 500 ms", { p95: 500 }, { p95: 499 }],
  ["4 of 1000 rows (DROVER_TOKENS_PER_MINUTE) are left this minute", { left: 4 }, { left: 5 }],
  ["the feed lags: 4 of 51 calls to Google are left this minute", { used: 47 }, { used: 46 }],
] as const;

for (const [why, over, under] of HOLD_BACK)
  test(`4.9: a guard holds a due step back, with its reason: ${why}`, () => {
    const launch = new Launch("1:50, 3:100");
    launch.readings = figures(over);
    launch.pass(days(4));
    assert.equal(launch.max, 50);
    assert.deepEqual(launch.said, [`the launch schedule does not raise the maximum to 100 slots: ${why}`], "once");
    const { phase } = launch.state;
    assert.deepEqual(phase.is === "blocked" && phase.by.map(({ said }) => said.text), [why]);
    launch.readings = figures();
    launch.pass(minutes(15));
    assert.deepEqual(launch.raises, ["day 5: 100"], "late, not lost");
    const just = new Launch("1:50, 3:100");
    just.readings = figures(under);
    just.pass(days(4));
    assert.equal(just.max, 100, "below the bound it holds");
  });

test("4.9: a short burst does not block a step, a value that can't be read does", () => {
  const burst = new Launch("1:50, 2:100");
  burst.pass(ms(hours(16) + minutes(2)));
  burst.readings = figures({ cpu: 0.95 });
  burst.do({ type: "look", now: burst.now, wall: burst.wall, today: burst.moment, stepped: false, readings: burst.readings });
  burst.readings = figures();
  burst.pass(minutes(9));
  assert.equal(burst.max, 100);
  const blind = new Launch("1:50, 2:100");
  blind.pass(hours(16));
  blind.restart(ms(0));
  blind.readings = { ...figures(), cpu: "unknown" };
  blind.pass(ms(20_000));
  blind.readings = figures();
  blind.pass(minutes(1));
  assert.deepEqual(blind.said, [], "the first seconds after a start are no alarm");
  blind.readings = { ...figures(), cpu: "unknown" };
  blind.pass(days(2));
  assert.deepEqual([blind.max, blind.said], [50, ["the launch schedule does not raise the maximum to 100 slots: cpu is not known"]]);
});

test("4.9: missed days are caught up one step at a time, each after its own 10 minutes", () => {
  const launch = new Launch("j1-j14");
  launch.pass(hours(1));
  launch.do({ type: "hold", wall: launch.wall });
  launch.do({ type: "resume" });
  launch.restart(days(20));
  assert.equal(launch.max, 50, "nothing is raised by a start");
  launch.pass(minutes(10.5));
  assert.equal(launch.max, 100);
  launch.readings = figures({ ram: 0.9 });
  launch.pass(hours(2));
  assert.equal(launch.max, 100, "and each is guarded");
  launch.readings = figures();
  launch.pass(minutes(31));
  assert.deepEqual([launch.max, launch.raises], [200, ["day 21: 100", "day 21: 150", "day 21: 200"]]);
});

test("4.9: a restart keeps the first day, the step and the hold", () => {
  const launch = new Launch("j1-j14");
  launch.pass(days(3));
  assert.equal(launch.max, 100);
  launch.do({ type: "hold", wall: launch.wall });
  launch.restart(hours(1));
  launch.pass(days(10));
  assert.deepEqual([launch.max, launch.state.progress.mode.is], [100, "held"]);
  launch.do({ type: "resume" });
  launch.pass(minutes(11));
  assert.deepEqual([launch.max, launch.raises], [150, ["day 3: 100", "day 14: 150"]]);
  launch.restart(hours(1));
  assert.equal(launch.max, 150);
});

test("4.9: an operator's maximum counts until the schedule is resumed", () => {
  const launch = new Launch("1:50, 2:100");
  launch.do({ type: "fix", max: 80, wall: launch.wall });
  launch.pass(days(3));
  assert.deepEqual([launch.max, launch.raises], [80, []]);
  launch.restart(hours(1));
  assert.equal(launch.max, 80);
  launch.do({ type: "resume" });
  assert.equal(launch.max, 50, "the step that was reached");
  launch.pass(minutes(11));
  assert.equal(launch.max, 100);
  // A drill sets another maximum, then the schedule's again: what was before the drill counts.
  launch.do({ type: "hold", wall: launch.wall });
  launch.do({ type: "fix", max: 7, wall: launch.wall });
  launch.do({ type: "fix", max: 9, wall: launch.wall });
  launch.do({ type: "fix", max: 100, wall: launch.wall });
  assert.deepEqual([launch.max, launch.state.progress.mode.is], [100, "held"]);
});

test("4.9: steps of the wall clock never lower the maximum, and a raise waits until the clock is steady", () => {
  const launch = new Launch("j1-j14");
  launch.pass(days(7));
  assert.equal(launch.max, 150);
  launch.setClock(days(-5));
  launch.pass(days(1));
  assert.deepEqual([launch.max, launch.state.phase.is], [150, "waits"]);
  launch.setClock(days(30));
  launch.pass(minutes(9));
  assert.equal(launch.max, 150);
  launch.setClock(days(-27)); // it was a mistake, and is corrected in time
  launch.pass(days(1));
  assert.equal(launch.max, 150);
});

test("4.9: a step of the wall clock begins the 10 minutes again", () => {
  const launch = new Launch("1:50, 2:100");
  launch.pass(ms(hours(16) + minutes(9)));
  launch.setClock(minutes(5));
  launch.pass(minutes(9));
  assert.equal(launch.max, 50);
  launch.pass(minutes(2));
  assert.equal(launch.max, 100);
});

const AT = "2026-12-01T08:00:00Z";
const until = (launch: Launch, day: string): Ms => ms(Date.parse(day) - launch.wall);

for (const start of ["1970-01-01T00:00:00Z", "2026-11-20T08:00:00Z", "2099-01-01T00:00:00Z"])
  test(`4.9: a clock that was wrong at the first start (${start}) costs no day of the launch and gives none`, () => {
    const launch = new Launch("j1-j14", start);
    launch.pass(minutes(5));
    launch.setClock(until(launch, AT));
    launch.pass(minutes(59));
    assert.deepEqual([launch.max, launch.day], [50, 1]);
    assert.match(
      launch.said[0] ?? "",
      /^the clock moved from .* to 2026-12-01: day 1 of the launch lasts until it has run steadily for an hour/,
    );
    launch.pass(minutes(2));
    assert.equal(launch.state.progress.first, "2026-12-01");
    assert.match(
      launch.said[1] ?? "",
      /was set from .* to 2026-12-01: it is still day 1 .*; from DATE in DROVER_SLOT_SCHEDULE removes the doubt$/,
    );
    assert.equal(launch.said.length, 2, "once each");
    launch.pass(days(1));
    assert.deepEqual(launch.raises, []);
    launch.pass(days(1));
    assert.deepEqual(launch.raises, ["day 3: 100"]);
  });

test("4.9: one look at a wrong clock moves no day: a machine that resumes, a boot in 1970", () => {
  const launch = new Launch("j1-j14");
  launch.pass(days(4));
  for (const by of [-20_000, 20]) {
    launch.setClock(days(by));
    launch.pass(ms(30_000));
    launch.setClock(days(-by));
    launch.pass(hours(2));
    assert.deepEqual([launch.state.progress.first, launch.day, launch.max], ["2026-12-01", 5, 100]);
  }
  launch.reboot(hours(1), until(launch, "1970-01-01"));
  launch.pass(minutes(3));
  assert.deepEqual([launch.state.progress.first, launch.day, launch.max], ["2026-12-01", 5, 100]);
  launch.setClock(until(launch, "2026-12-07T10:00:00Z"));
  launch.pass(minutes(30));
  assert.deepEqual([launch.day, launch.max], [5, 100], "the clock is not settled");
  launch.pass(minutes(45));
  assert.deepEqual([launch.day, launch.max, launch.state.progress.first], [7, 150, "2026-12-01"], "days without power count");
});

test("4.9: a clock in 1970 for hours after a boot moves the first day with it, and back", () => {
  const launch = new Launch("j1-j14");
  launch.pass(days(4));
  launch.reboot(hours(1), until(launch, "1970-01-01"));
  launch.pass(hours(5));
  assert.deepEqual([launch.day, launch.max], [5, 100]);
  launch.setClock(until(launch, "2026-12-05T20:00:00Z"));
  launch.pass(hours(2));
  assert.deepEqual([launch.day, launch.max, launch.state.progress.first], [5, 100, "2026-12-01"]);
});

test("4.9: a clock that was set while the daemon was off is no time off; time off is", () => {
  for (const [stop, day] of [
    [(one: Launch) => one.restart(minutes(5), days(20)), 1],
    [(one: Launch) => one.restart(minutes(5), days(-20)), 1],
    [(one: Launch) => one.restart(days(4)), 5],
    [(one: Launch) => one.reboot(days(4)), 5],
    [(one: Launch) => one.reboot(minutes(5), days(20_000)), 1],
  ] as const) {
    const launch = new Launch("1:50, 3:100, 20:150");
    launch.pass(hours(2));
    stop(launch);
    launch.pass(hours(2));
    assert.deepEqual([launch.day, launch.max], [day, day === 1 ? 50 : 100], stop.toString());
  }
  const first = new Launch("1:50, 3:100");
  first.pass(minutes(30));
  first.reboot(days(10));
  first.pass(hours(2));
  assert.deepEqual([first.day, first.max], [1, 50], "the first clock never settled: its date may be wrong");
});

test("4.9: a file without the last day seen goes on", () => {
  const launch = new Launch("j1-j14");
  launch.pass(days(3));
  const { seen: _seen, ...old } = launch.state.progress;
  launch.state = begin(old, launch.policy, launch.moment);
  launch.pass(days(4));
  assert.deepEqual([launch.day, launch.raises], [8, ["day 3: 100", "day 7: 150"]]);
});

test("4.9: a schedule with a date begins on it", () => {
  const launch = new Launch("1:50, 3:100 from 2026-12-10");
  launch.pass(days(10));
  assert.deepEqual([launch.today, launch.max], ["2026-12-11", 50]);
  launch.pass(days(1));
  assert.deepEqual([launch.raises, launch.max], [["day 3: 100"], 100]);
});

test("4.9: a changed schedule goes on from the maximum that was reached", () => {
  const launch = new Launch("j1-j14");
  launch.pass(days(7));
  assert.equal(launch.max, 150);
  launch.policy = new Launch("1:20, 2:60, 4:120, 40:180").policy;
  launch.restart(ms(0));
  assert.equal(launch.max, 120, "the highest step that is not above it");
  launch.pass(days(40));
  assert.deepEqual(launch.raises.slice(-1), ["day 40: 180"]);
});

test("4.9: model: whatever happens in 30 days, the maximum rises by one step in 10 minutes at most, and only while guards hold", () => {
  let seed = 7;
  const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
  for (let run = 0; run < 20; run += 1) {
    const launch = new Launch("j1-j14");
    for (let i = 0; i < 400; i += 1) {
      const what = random(12);
      if (what === 0) launch.readings = figures({ cpu: 0.9 });
      if (what === 1) launch.readings = figures({ used: 50 });
      if (what > 1 && what < 6) launch.readings = figures();
      if (what === 6) launch.setClock(ms((random(2) === 0 ? 30 : -30) * hours(1)));
      if (what === 7) launch.restart(hours(random(40)));
      if (what === 8) launch.do({ type: "hold", wall: launch.wall });
      if (what >= 9) launch.do({ type: "resume" });
      const bad = JSON.stringify(launch.readings) !== JSON.stringify(figures());
      const before = launch.raises.length;
      const max = launch.max;
      launch.pass(minutes(9));
      assert.ok(launch.raises.length - before <= (bad ? 0 : 1), "never while a guard trips, never twice in 9 minutes");
      assert.ok(launch.max >= max);
    }
  }
});
