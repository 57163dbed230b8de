/** The slots of a running daemon on a fake clock: the real files, a broker by hand, restarts. */
import assert from "node:assert/strict";
import fs, { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { pino } from "pino";
import type { Question } from "../../../src/base/protocol.ts";
import { slotsState, type SlotsState } from "../../../src/base/slots.ts";
import { minutes, ms, seconds, type Instant, type Ms, type Timestamp } from "../../../src/base/units.ts";
import { createAdjustments } from "../../../src/cli/adjustments.ts";
import { createSlotKeeper, type SlotKeeper } from "../../../src/cli/slots/keeper.ts";
import { scheduleOrder } from "../../../src/cli/slots/order.ts";
import type { Settings } from "../../../src/settings/table.ts";
import { resolved } from "../../settings/given.ts";
import { statusWith } from "../statuses.ts";

const LOOK = seconds(5);
const DAY = minutes(24 * 60);

class Daemon {
  readonly dir: string;
  readonly lines: string[] = [];
  readonly asked: Question[] = [];
  now = 1_000_000 as Instant;
  /** Since the machine's boot. */
  up = minutes(90);
  wall = Date.parse("2026-12-01T08:00:00Z") as Timestamp;
  slots: SlotsState | null = slotsState(10, 50);
  machine = { cpu: 0.2, ram: 0.3, ramUsed: 1, ramTotal: 2 };
  p95 = ms(20);
  env: Record<string, string> = { DROVER_SLOT_SCHEDULE: "1:50, 3:100", DROVER_MAX_SLOTS: "200" };
  /** The broker answers. */
  hears = true;
  keeper: SlotKeeper;

  constructor(t: TestContext) {
    this.dir = mkdtempSync(join(tmpdir(), "drover-slots-"));
    t.after(() => {
      chmodSync(this.dir, 0o700);
      rmSync(this.dir, { recursive: true });
    });
    this.keeper = this.#keeper();
  }

  settings(): Settings {
    return resolved({ env: { DROVER_TIME_ZONE: "UTC", ...this.env }, flags: { data_dir: this.dir, memory: "4g" } }).settings;
  }

  pass(span: Ms): void {
    const settings = this.settings();
    for (let left = span as number; left > 0; left -= LOOK) {
      this.now = (this.now + LOOK) as Instant;
      this.wall = (this.wall + LOOK) as Timestamp;
      this.up = ms(this.up + LOOK);
      this.#settings = settings;
      this.keeper.look(statusWith({ slots: this.slots, machine: this.machine }), this.p95);
    }
    this.#settings = undefined;
  }

  /** Off for a while. `killed`: without a moment to write. */
  restart(off: Ms = ms(0), killed = false): void {
    if (!killed) this.keeper.close();
    this.wall = (this.wall + off) as Timestamp;
    this.up = ms(this.up + off);
    this.now = 5_000 as Instant;
    this.keeper = this.#keeper();
  }

  /** A write in the background has ended. */
  async written(): Promise<void> {
    while (!existsSync(join(this.dir, "slot-usage.json")) || existsSync(join(this.dir, "slot-usage.json.next")))
      await new Promise((resolve) => setImmediate(resolve));
  }

  text(): string {
    return this.lines.splice(0).join("\n");
  }

  #settings: Settings | undefined;
  #keeper(): SlotKeeper {
    const clock = { now: () => this.now, wall: () => this.wall };
    const log = pino({ level: "debug", base: null }, { write: (line: string) => void this.lines.push(line) });
    const ask = async (question: Question) => {
      this.asked.push(question);
      if (!this.hears) return { ok: false, message: "there is no broker now" } as const;
      const { used, max, closed } = this.slots ?? slotsState(0, 1);
      if (question.do === "max") this.slots = slotsState(used, question.max, closed);
      if (question.do === "close") this.slots = slotsState(used, max, question.why ?? undefined);
      return { ok: true, message: "" } as const;
    };
    return createSlotKeeper({
      clock,
      boot: () => ({ id: "boot", up: this.up }),
      log,
      settings: () => this.#settings ?? this.settings(),
      ask,
    });
  }
}

test("4.9: the broker gets a raised maximum, and again until it has it; people who are in stay in", (t) => {
  const daemon = new Daemon(t);
  daemon.pass(minutes(5));
  assert.deepEqual(daemon.asked, []);
  daemon.hears = false;
  daemon.restart(ms(2 * DAY));
  daemon.pass(minutes(11));
  assert.deepEqual([daemon.slots?.max, daemon.asked.at(-1)], [50, { do: "max", max: 100 }]);
  daemon.hears = true;
  daemon.pass(LOOK);
  assert.equal(daemon.slots?.max, 100);
  assert.match(daemon.text(), /day 3 of the launch: 100 slots from now on, 50 before/);
  daemon.slots = slotsState(90, 100);
  assert.match(scheduleOrder(daemon.keeper, { order: "max", max: 60 }).message, /^an operator has set the maximum to 60/);
  assert.deepEqual([daemon.slots.used, daemon.slots.max], [90, 60], "30 more than there are slots, and no session is ended");
});

test("4.9: hold, resume and max survive a kill; the status says so", (t) => {
  const daemon = new Daemon(t);
  assert.equal(daemon.keeper.schedule()?.state, "waits", "before the first look, too");
  assert.deepEqual(scheduleOrder(daemon.keeper, { order: "hold" }), {
    ok: true,
    message: "an operator holds the launch schedule at 50 slots",
  });
  daemon.restart(ms(5 * DAY), true);
  daemon.pass(minutes(30));
  assert.deepEqual([daemon.keeper.schedule()?.state, daemon.keeper.schedule()?.max], ["held", 50]);
  assert.match(
    scheduleOrder(daemon.keeper, { order: "show" }).message,
    /^an operator holds .*\nstep 1 of 2: 50 slots\nnext: 100 slots on day 3 \(2026-12-03\)$/,
  );
  scheduleOrder(daemon.keeper, { order: "resume" });
  scheduleOrder(daemon.keeper, { order: "max", max: 75 });
  daemon.restart(ms(0), true);
  daemon.pass(minutes(30));
  assert.equal(daemon.slots?.max, 75);
  scheduleOrder(daemon.keeper, { order: "resume" });
  daemon.pass(minutes(11));
  assert.equal(daemon.slots?.max, 100);
  for (const body of [{ order: "max", max: 0 }, { order: "max" }, { order: "stop" }, {}])
    assert.equal(scheduleOrder(daemon.keeper, body).ok, false, JSON.stringify(body));
});

test("4.9: what a new generation begins with is the schedule's maximum; without a schedule all is as before", (t) => {
  const daemon = new Daemon(t);
  const adjustments = createAdjustments(daemon.keeper);
  const planned = (): unknown => adjustments.adjusted({ settings: daemon.settings() } as never).settings.max_slots;
  assert.equal(planned(), 50);
  const answer = adjustments.setMaxSlots(70, daemon.settings());
  assert.match(answer?.message ?? "", /maximum to 70 instead of the launch schedule's 50/, "who sets it hears that the schedule waits");
  assert.deepEqual([planned(), daemon.keeper.schedule()?.state], [70, "fixed"], "an operator's maximum of the dashboard");
  adjustments.setMaxSlots(50, daemon.settings());
  assert.equal(daemon.keeper.schedule()?.state, "waits");
  daemon.env = { DROVER_MAX_SLOTS: "200" };
  daemon.pass(LOOK);
  assert.equal(planned(), 200);
  adjustments.setMaxSlots(70, daemon.settings());
  assert.equal(planned(), 70);
  assert.equal(existsSync(join(daemon.dir, "slot-schedule.json")), false, "a schedule that is set again begins with day 1");
  assert.deepEqual(scheduleOrder(daemon.keeper, { order: "hold" }), {
    ok: false,
    message: "there is no launch schedule: DROVER_SLOT_SCHEDULE is off",
  });
});

test("4.9: settings of another generation are asked for their maximum without any effect on the schedule", (t) => {
  const daemon = new Daemon(t);
  daemon.pass(LOOK);
  daemon.restart(ms(3 * DAY));
  daemon.pass(minutes(11));
  assert.equal(daemon.slots?.max, 100);
  const { env } = daemon;
  for (const schedule of ["1:20, 2:60, 3:110", "off"]) {
    daemon.env = { ...env, DROVER_SLOT_SCHEDULE: schedule };
    assert.equal(daemon.keeper.maximum(daemon.settings()), schedule === "off" ? undefined : 60);
  }
  daemon.env = env;
  daemon.pass(minutes(1));
  assert.equal(daemon.slots.max, 100);
});

test("4.9: an order that can't be written is not reported as done, and is written as soon as the disk takes it", (t) => {
  const daemon = new Daemon(t);
  daemon.pass(LOOK);
  const file = join(daemon.dir, "slot-schedule.json");
  rmSync(file);
  rmSync(daemon.dir, { recursive: true });
  const { ok, message } = scheduleOrder(daemon.keeper, { order: "hold" });
  assert.equal(ok, false);
  assert.match(message, /holds the launch schedule at 50 slots, until a restart: .*slot-schedule\.json can't be written: .*ENOENT/);
  mkdirSync(daemon.dir);
  daemon.pass(LOOK);
  assert.match(readFileSync(file, "utf8"), /"is":"held"/);
});

test("4.9: a damaged file is set aside, and the schedule begins with its first step", (t) => {
  const daemon = new Daemon(t);
  daemon.restart();
  for (const text of [
    "{",
    "[]",
    '{"first":"2026-13-01","step":1,"max":100,"mode":{"is":"follows"}}',
    '{"first":"2026-12-01","step":1,"max":100,"mode":{"is":"fixed"}}',
  ]) {
    writeFileSync(join(daemon.dir, "slot-schedule.json"), text);
    daemon.restart();
    assert.equal(daemon.keeper.maximum(daemon.settings()), 50, text);
    assert.match(daemon.text(), /slot-schedule\.json can't be read and is set aside as .*slot-schedule\.json\.unreadable/);
  }
});

/** Opening some file fails until the returned function is called. */
function failing(t: TestContext, path: string, code: "EIO" | "EACCES" | "EMFILE", times = Infinity): () => void {
  const open = fs.openSync;
  let left = times;
  const mocked = t.mock.method(fs, "openSync", (...args: Parameters<typeof open>) => {
    if (args[0] === path && left-- > 0) throw Object.assign(new Error(`${code}: it fails, open`), { code, errno: -5, syscall: "open" });
    return open(...args);
  });
  syncBuiltinESMExports();
  const restore = (): void => (mocked.mock.restore(), syncBuiltinESMExports());
  t.after(restore);
  return restore;
}

for (const code of ["EIO", "EACCES", "EMFILE"] as const)
  test(`4.9: a schedule whose file can't be read (${code}) is held until it can, and the file stays`, (t) => {
    const daemon = new Daemon(t);
    const file = join(daemon.dir, "slot-schedule.json");
    daemon.pass(LOOK);
    daemon.restart(ms(3 * DAY));
    daemon.pass(minutes(11));
    assert.equal(daemon.slots?.max, 100);
    const restore = failing(t, file, code);
    daemon.text();
    daemon.restart(ms(0), true);
    daemon.pass(minutes(30));
    assert.equal(daemon.slots.max, 100, "the broker keeps its maximum");
    assert.equal(daemon.keeper.maximum(daemon.settings()), 50, "a new broker begins with the first step");
    assert.deepEqual([daemon.keeper.schedule()?.state, daemon.keeper.schedule()?.max], ["held", 50]);
    assert.match(
      scheduleOrder(daemon.keeper, { order: "show" }).message,
      new RegExp(`^the launch schedule is held: .*can't be read: ${code}`),
    );
    const { ok, message } = scheduleOrder(daemon.keeper, { order: "hold" });
    assert.equal(ok, false);
    assert.match(message, /^nothing was changed: .*can't be read/);
    daemon.slots = slotsState(10, 50); // a new broker
    daemon.pass(LOOK);
    restore();
    daemon.pass(LOOK);
    assert.deepEqual([daemon.slots.max, daemon.keeper.schedule()?.state], [100, "complete"]);
    assert.deepEqual(readdirSync(daemon.dir).sort(), ["slot-schedule.json", "slot-usage.json"]);
    const said: readonly string[] = daemon.text().match(/[^"]*slot-schedule\.json can[^"]*/g) ?? [];
    assert.equal(said.length, 2, said.join("\n"));
    assert.match(said.join("\n"), /it is left as it is and read again every few seconds: E[^]* can be read again$/);
  });

test("4.9: a process without a free descriptor reads its schedule with the reserve", (t) => {
  const daemon = new Daemon(t);
  daemon.pass(LOOK);
  scheduleOrder(daemon.keeper, { order: "hold" });
  failing(t, join(daemon.dir, "slot-schedule.json"), "EMFILE", 1);
  daemon.restart(ms(0), true);
  assert.equal(daemon.keeper.schedule()?.state, "held");
  assert.doesNotMatch(daemon.text(), /can't be read/);
});

test("4.8: a record of the days that can't be read is not replaced, and goes on when it can", async (t) => {
  const daemon = new Daemon(t);
  daemon.env = { DROVER_MAX_SLOTS: "200" };
  daemon.slots = slotsState(170, 200);
  daemon.pass(minutes(10));
  await daemon.written();
  daemon.keeper.close();
  const file = join(daemon.dir, "slot-usage.json");
  const before = readFileSync(file, "utf8");
  const restore = failing(t, file, "EIO");
  daemon.restart(ms(0), true);
  daemon.pass(minutes(3));
  daemon.keeper.close();
  restore();
  assert.equal(readFileSync(file, "utf8"), before);
  daemon.pass(minutes(3));
  assert.ok(daemon.keeper.usage().timeAbove80pct["1d"] >= minutes(12), "the days before, and what followed");
});

test("4.8: the record of the days survives restarts and kills, but for the last minute", async (t) => {
  const daemon = new Daemon(t);
  daemon.env = { DROVER_MAX_SLOTS: "200" };
  daemon.slots = slotsState(170, 200);
  for (let day = 0; day < 3; day += 1) {
    daemon.pass(minutes(10));
    await daemon.written();
    daemon.restart(DAY);
  }
  daemon.pass(LOOK);
  const { timeAbove80pct: above, regular } = daemon.keeper.usage();
  assert.ok(above["7d"] >= minutes(30) - 4 * LOOK && above["7d"] <= minutes(30), `${above["7d"]}`);
  assert.deepEqual([regular?.above, regular?.of, regular?.days], [160, 200, 3]);
  daemon.pass(minutes(3));
  await daemon.written();
  const before = daemon.keeper.usage().timeAbove80pct["7d"];
  daemon.restart(ms(0), true);
  assert.ok(before - daemon.keeper.usage().timeAbove80pct["7d"] <= minutes(4));
  writeFileSync(join(daemon.dir, "slot-usage.json"), "{}");
  daemon.restart(ms(0), true);
  assert.deepEqual(daemon.keeper.usage().days, []);
  assert.match(daemon.text(), /slot-usage\.json can't be read and is set aside/);
});

test("4.13: DROVER_SLOT_GUARD closes the service while CPU is short; it is off unless it is set", (t) => {
  const daemon = new Daemon(t);
  daemon.env = { DROVER_MAX_SLOTS: "50" };
  daemon.machine = { ...daemon.machine, cpu: 0.95 };
  daemon.pass(minutes(5));
  assert.equal(daemon.slots?.closed, undefined);
  daemon.env = { ...daemon.env, DROVER_SLOT_GUARD: "on" };
  daemon.pass(seconds(40));
  assert.equal(daemon.slots?.closed, "cpu");
  assert.match(daemon.text(), /new sessions are refused: the CPU is at 95 %/);
  daemon.slots = slotsState(10, 50); // another broker
  daemon.pass(LOOK);
  assert.equal(daemon.slots.closed, "cpu", "the new broker learns it");
  daemon.machine = { ...daemon.machine, cpu: 0.7 };
  daemon.pass(seconds(70));
  assert.equal(daemon.slots.closed, undefined);
  daemon.machine = { ...daemon.machine, cpu: 0.95 };
  daemon.pass(seconds(40));
  daemon.env = { DROVER_MAX_SLOTS: "50" };
  daemon.pass(LOOK);
  assert.equal(daemon.slots.closed, undefined, "switched off");
});

test("4.13: DROVER_SLOT_GUARD closes the service while answers are slower than DROVER_ALERT_LATENCY", (t) => {
  const daemon = new Daemon(t);
  daemon.env = { DROVER_MAX_SLOTS: "50", DROVER_SLOT_GUARD: "on", DROVER_ALERT_LATENCY: "300ms" };
  daemon.p95 = ms(400);
  daemon.pass(seconds(40));
  assert.equal(daemon.slots?.closed, "latency");
  assert.match(daemon.text(), /new sessions are refused: 95 % of the last minute's answers took up to 400 ms/);
  daemon.env = { ...daemon.env, DROVER_ALERT_LATENCY: "2s" };
  daemon.pass(seconds(70));
  assert.equal(daemon.slots.closed, undefined, "a reload moves the bound");
});
