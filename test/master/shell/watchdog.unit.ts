import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeLogger } from "../../../src/base/log.ts";
import { after, ms, seconds, type Instant, type Ms } from "../../../src/base/units.ts";
import type { Agenda } from "../../../src/master/shell/agenda.ts";
import { feedWatchdog, sickness, watchdogInterval, type Pulse } from "../../../src/master/shell/watchdog.ts";

const quiet = makeLogger({ role: "master" }, "silent", { write: () => {} });
const at = (n: number): Instant => n as Instant;

describe("whether systemd watches", () => {
  const asked = (env: NodeJS.ProcessEnv): [Ms | undefined, NodeJS.ProcessEnv] => [watchdogInterval(env, 42, quiet), env];

  test("the interval, and nothing is left for a child to believe", () => {
    assert.deepEqual(asked({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "42", X: "y" }), [seconds(60), { X: "y" }]);
    assert.deepEqual(asked({ WATCHDOG_USEC: "1500000" }), [ms(1_500), {}], "without a pid it is whoever reads it");
  });

  test("not this process, not at all, or not a number", () => {
    assert.deepEqual(asked({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "41" }), [undefined, {}]);
    assert.deepEqual(asked({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "" }), [undefined, {}]);
    assert.deepEqual(asked({ WATCHDOG_PID: "42" }), [undefined, {}]);
    for (const text of ["", "0", "-1", "1e6", "60s", "9".repeat(40)])
      assert.deepEqual(asked({ WATCHDOG_USEC: text }), [undefined, {}], text);
  });

  test("a number that can't be read is said aloud", () => {
    let said = "";
    watchdogInterval({ WATCHDOG_USEC: "60s" }, 42, makeLogger({ role: "master" }, "info", { write: (line) => void (said += line) }));
    assert.match(said, /WATCHDOG_USEC is \\"60s\\"/);
  });
});

describe("what counts as healthy", () => {
  const slack = seconds(15);
  const on = { at: at(100_000), late: ms(0) };
  const next = { at: at(106_000), late: ms(3) };
  const fine: Pulse = { decidedAt: at(105_000), deadline: at(107_000) };

  test("the loop turns, the timer is on time, the core decides", () => {
    assert.equal(sickness(on, next, fine, slack), undefined);
    assert.equal(sickness(on, next, { decidedAt: on.at, deadline: undefined }, slack), undefined);
    assert.equal(sickness(on, next, { decidedAt: on.at, deadline: at(105_999) }, slack), undefined, "due since a moment: its tick follows");
  });

  test("one late turn is a machine that was suspended or starved; two are a loop that limps", () => {
    const late = { at: at(146_000), late: seconds(40) };
    const woken = { decidedAt: at(100_001), deadline: at(101_000) };
    assert.equal(sickness(on, late, woken, slack), undefined, "it wakes, and says so before its first tick");
    assert.equal(
      sickness(late, { at: at(152_000), late: ms(1) }, { ...fine, decidedAt: at(151_000), deadline: undefined }, slack),
      undefined,
    );
    assert.match(
      sickness(late, { at: at(172_000), late: seconds(20) }, { decidedAt: at(172_000), deadline: undefined }, slack) ?? "",
      /40000 and then 20000 ms late/,
    );
  });

  test("timers fire and the supervisor does nothing", () => {
    assert.match(sickness(on, next, { decidedAt: at(99_999), deadline: undefined }, slack) ?? "", /decided nothing for 6001 ms/);
    assert.match(
      sickness(on, next, { decidedAt: at(105_000), deadline: at(99_999) }, slack) ?? "",
      /not dealt with what was due 6001 ms ago/,
    );
  });
});

describe("signs of life", () => {
  /** Runs the job as often as `turns` says, each so many ms after the one before; gives when signs of life were sent. */
  function fed(interval: Ms, turns: readonly number[], pulse: (now: Instant) => Pulse): { sent: number[]; said: string[] } {
    let now = at(0);
    let job = (): void => assert.fail("no job");
    const said: string[] = [];
    const sent: number[] = [];
    const agenda: Agenda = { every: (_every, run) => void (job = run), arm: () => {}, stop: () => {} };
    const log = makeLogger({ role: "master" }, "info", { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) });
    feedWatchdog(
      { clock: { now: () => now, wall: () => 0 as never }, log, interval, pulse: () => pulse(now), alive: () => sent.push(now) },
      agenda,
    );
    for (const turn of turns) {
      now = after(now, ms(turn));
      job();
    }
    return { sent, said };
  }
  const lively = (now: Instant): Pulse => ({ decidedAt: now, deadline: undefined });

  test("about every half of the interval, never later than that", () => {
    const { sent, said } = fed(
      seconds(60),
      Array.from({ length: 20 }, () => 6_000),
      lively,
    );
    assert.deepEqual(sent, [24_000, 48_000, 72_000, 96_000, 120_000]);
    assert.deepEqual(said, []);
  });

  test("a machine that slept is served on: the first turn after it gives one", () => {
    assert.deepEqual(fed(seconds(60), [6_000, 6_000, 50_000, 6_000], lively).sent, [62_000]);
  });

  test("a loop that limps gives none, once it is well again it does, and both are said once", () => {
    const { sent, said } = fed(seconds(60), [25_000, 25_000, 25_000, 25_000, 6_000, 6_000], lively);
    assert.deepEqual(sent, [25_000, 106_000]);
    assert.equal(said.length, 2);
    assert.match(said[0] ?? "", /no sign of life .*its loop is slow/);
    assert.match(said[1] ?? "", /healthy again/);
  });

  test("a supervisor that no longer decides gives none, however well the timers fire", () => {
    const { sent, said } = fed(
      seconds(2),
      Array.from({ length: 50 }, () => 200),
      (now) => ({ decidedAt: at(Math.min(now, 3_000)), deadline: undefined }),
    );
    assert.ok(sent.length > 0 && sent.every((n) => n <= 3_200), sent.join(" "));
    assert.equal(said.length, 1);
  });
});
