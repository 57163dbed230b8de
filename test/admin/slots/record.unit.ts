import assert from "node:assert/strict";
import test from "node:test";
import {
  daysOf,
  hourOf,
  KEPT_DAYS,
  observe,
  readRecord,
  recordJson,
  timeAbove,
  type UsageRecord,
} from "../../../src/admin/slots/record.ts";
import { usageView } from "../../../src/admin/slots/view.ts";
import { dayClock } from "../../../src/base/day.ts";
import { bytes, minutes, ms, seconds, type Ms, type Timestamp } from "../../../src/base/units.ts";

const LOOK = seconds(5);
const HOUR = minutes(60);
const GIB = 1_073_741_824;
const dayOf = dayClock("Europe/Paris");

/** Looks every 5 s on a clock that is moved by hand. */
class Days {
  wall = Temporal.Instant.from("2026-12-01T00:00:00+01:00").epochMilliseconds as Timestamp;
  record: UsageRecord = [];
  steady = ms(2 * HOUR);

  look(used: number, span: Ms, load: { readonly cpu?: number; readonly memory?: number; readonly max?: number } = {}): void {
    for (let left = span as number; left > 0; left -= LOOK) {
      const { cpu = 0.3, memory = 0.4, max = 200 } = load;
      this.record = observe(this.record, { wall: this.wall, since: LOOK, steady: this.steady, used, max, comfort: 150, cpu, memory });
      this.wall = (this.wall + LOOK) as Timestamp;
    }
  }

  /** Goes to an hour of the next day. */
  nextDay(hour: number): void {
    this.wall = (dayOf(this.wall).until + hour * HOUR) as Timestamp;
  }

  above(days: number): number {
    return timeAbove(this.record, "above80", { wall: this.wall, days }) / 60_000;
  }

  view(max = 200, gib = 4) {
    return usageView(this.record, { wall: this.wall, dayOf, max, memory: bytes(gib * GIB), schedule: null });
  }
}

test("4.8: time_above_80pct adds up the time from 80 % of the slots on, in the last 24 hours", () => {
  const days = new Days();
  days.look(159, minutes(30));
  assert.equal(days.above(1), 0);
  days.look(160, minutes(20));
  days.look(190, minutes(5));
  assert.equal(days.above(1), 25);
  days.nextDay(0);
  days.look(100, minutes(1));
  assert.deepEqual([days.above(1), days.above(7)], [0, 25], "yesterday's hour is over 24 hours ago");
  const [first, second] = daysOf(days.record, dayOf);
  assert.deepEqual([first?.peak, first?.peakAt, first?.above90, second?.peak], [190, 0, minutes(5), 100]);
  assert.equal(first?.comfort, minutes(55), "150 are comfortable on 4 GB");
});

test("4.8: a pause of the master counts for no time, and no hour has more than 3600 s", () => {
  const look = { steady: minutes(120), used: 200, max: 200, comfort: 150, cpu: 0.2, memory: 0.2 };
  let record: UsageRecord = [];
  const wall = 1_800_000_000_000 as Timestamp;
  record = observe(record, { ...look, wall, since: minutes(300) });
  assert.equal(record[0]?.above80, seconds(30));
  for (let i = 0; i < 2_000; i += 1) record = observe(record, { ...look, wall, since: seconds(5) });
  assert.equal(record[0]?.above80, HOUR, "a clock that was set back adds to an hour that had been counted");
});

test("4.8: 35 days are kept, however long it runs, and a file brings them back", () => {
  const days = new Days();
  for (let day = 0; day < 60; day += 1)
    for (let hour = 0; hour < 24; hour += 1) {
      days.look(170, LOOK);
      days.wall = (days.wall + HOUR - LOOK) as Timestamp;
    }
  assert.equal(days.record.length, KEPT_DAYS * 24);
  const json = recordJson(days.record);
  assert.deepEqual(readRecord(json), days.record);
  assert.ok(json.length < 65_536, `${json.length} bytes`);
  for (const text of [
    "null",
    "{}",
    '{"version":2,"hours":[]}',
    '{"version":1,"hours":[[1,2]]}',
    '{"version":1,"hours":[[1,2,3,4,5,6,7,-8]]}',
  ])
    assert.equal(readRecord(text), undefined, text);
});

test("4.8: steps of the clock: nothing is forgotten before it has been steady for an hour", () => {
  const days = new Days();
  days.look(170, minutes(10));
  const before = days.record;
  days.steady = ms(0);
  days.wall = (days.wall + 1_000 * 24 * HOUR) as Timestamp; // a mistake
  days.look(170, minutes(10));
  assert.equal(days.record[0], before[0], "nothing is lost by it");
  days.wall = (days.wall - 1_000 * 24 * HOUR) as Timestamp;
  days.look(170, minutes(1));
  assert.equal(days.above(1), 11, "the hour ahead does not count");
  days.wall = (days.wall - 40 * 24 * HOUR) as Timestamp; // another mistake, the other way
  days.look(170, minutes(1));
  assert.equal(days.record.length, 3, "and still nothing is lost");
  days.wall = (days.wall + 40 * 24 * HOUR) as Timestamp;
  days.look(170, minutes(1));
  assert.equal(days.above(1), 12);
  days.steady = ms(2 * HOUR);
  days.look(170, LOOK);
  assert.deepEqual(
    days.record.map(({ hour }) => hour),
    [hourOf(days.wall)],
  );
});

test("4.8: one or two full evenings are no advice, three in a week are", () => {
  const days = new Days();
  for (let day = 0; day < 2; day += 1) {
    days.nextDay(20);
    days.look(170, minutes(30));
  }
  assert.equal(days.view().regular, null);
  days.nextDay(20);
  days.look(170, minutes(4));
  assert.equal(days.view().regular, null, "4 minutes are a burst");
  days.nextDay(20);
  days.look(170, minutes(6));
  const { regular } = days.view();
  assert.equal(
    `${regular?.reason.text}; ${regular?.step.text}`,
    "160 of 200 slots or more were taken on 3 of the last 7 days, with CPU up to 70 % and memory up to 80 % for most of that time; " +
      "set DROVER_MAX_SLOTS=250: the machine carries more",
  );
  for (let day = 0; day < 5; day += 1) days.nextDay(1);
  assert.equal(days.view().regular, null, "a week later it is over");
});

test("4.8: above 180 of 200 regularly with a busy machine: the next size, 8 GB with 300 slots", () => {
  for (const [load, words] of [
    [{ cpu: 0.71 }, "the CPU above 70 %"],
    [{ memory: 0.81 }, "memory above 80 %"],
    [{ cpu: 0.9, memory: 0.9 }, "the CPU above 70 % and memory above 80 %"],
  ] as const) {
    const days = new Days();
    for (let day = 0; day < 3; day += 1) {
      days.nextDay(20);
      days.look(185, minutes(30), load);
    }
    const { regular } = days.view();
    assert.equal(regular?.reason.text, `180 of 200 slots or more were taken on 3 of the last 7 days, with ${words} for most of that time`);
    assert.equal(regular.step.text, "a machine with 8 GB carries about 300: move there, then set DROVER_MAX_SLOTS=300");
  }
});

test("4.8: above 180 of 200 regularly while the machine has room: more slots now, and the next size in view", () => {
  const days = new Days();
  for (let day = 0; day < 4; day += 1) {
    days.nextDay(20);
    days.look(185, minutes(30), { cpu: 0.69, memory: 0.79 });
  }
  const { regular } = days.view();
  assert.deepEqual([regular?.above, regular?.of, regular?.days], [180, 200, 4]);
  assert.equal(regular?.step.text, "set DROVER_MAX_SLOTS=250: the machine carries more; plan a machine with 8 GB, which carries about 300");
});

test("4.8: a normal hour at 100 and a peak at 180 leave MAX at 200", () => {
  const days = new Days();
  for (let day = 0; day < 7; day += 1) {
    days.nextDay(12);
    days.look(100, minutes(60));
    days.look(180, minutes(2));
  }
  assert.equal(days.view().regular, null);
  assert.equal(days.view().days.length, 7);
});
