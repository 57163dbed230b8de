import assert from "node:assert/strict";
import test from "node:test";
import type { Timestamp } from "../../../src/base/units.ts";
import { dayClock } from "../../../src/base/day.ts";
import { Days, type DayCount } from "../../../src/broker/ledger/days.ts";
import { randoms } from "../time.ts";

const at = (iso: string): Timestamp => Date.parse(iso) as Timestamp;

test("a day is the operator's: summer time, odd zones, leap day", () => {
  const rows = [
    ["UTC", "2026-11-21T23:59:59.999Z", "2026-11-21", "2026-11-22T00:00:00Z", 24],
    ["Europe/Paris", "2026-11-21T23:30:00Z", "2026-11-22", "2026-11-22T23:00:00Z", 24],
    ["Europe/Paris", "2026-03-29T10:00:00Z", "2026-03-29", "2026-03-29T22:00:00Z", 23],
    ["Europe/Paris", "2026-10-25T10:00:00Z", "2026-10-25", "2026-10-25T23:00:00Z", 25],
    ["Asia/Kathmandu", "2026-01-01T18:14:59Z", "2026-01-01", "2026-01-01T18:15:00Z", 24],
    ["America/St_Johns", "2028-02-29T12:00:00Z", "2028-02-29", "2028-03-01T03:30:00Z", 24],
  ] as const;
  for (const [zone, now, day, until, hours] of rows) {
    const found = dayClock(zone)(at(now));
    assert.deepEqual([found.day, found.until, (found.until - found.from) / 3_600_000], [day, at(until), hours], `${zone} ${now}`);
  }
});

test("counts begin again with the day, wherever the clock goes, and stay bounded", () => {
  const days = new Days("Europe/Paris", 3);
  days.add("day:user:ada", 4, at("2026-11-21T22:00:00Z"));
  days.add("day:user:ada", -1, at("2026-11-21T22:30:00Z"));
  assert.equal(days.used("day:user:ada", at("2026-11-21T22:59:59Z")), 3);
  assert.equal(days.resetIn(at("2026-11-21T22:59:00Z")), 60_000);
  assert.equal(days.used("day:user:ada", at("2026-11-21T23:00:00Z")), 0);
  days.add("day:user:ada", -5, at("2026-11-21T23:00:00Z"));
  assert.equal(days.used("day:user:ada", at("2026-11-21T23:00:00Z")), 0, "never less than none");
  for (const name of ["b", "c", "d"]) days.add(name, 1, at("2026-11-22T10:00:00Z"));
  assert.equal(days.get("day:user:ada"), undefined, "the one that was not used for longest");
  days.sweep(at("2026-11-24T10:00:00Z"));
  assert.equal(days.get("d"), undefined);
});

test("a clock that is set back resets no count, also after a restart; an operator can", () => {
  const days = new Days("Europe/Paris");
  const [yesterday, today, tomorrow] = ["2026-11-20T12:00:00Z", "2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z"].map(at);
  assert.ok(yesterday !== undefined && today !== undefined && tomorrow !== undefined);
  days.add("day:user:ada", 50, today);
  days.sweep(yesterday);
  assert.equal(days.used("day:user:ada", yesterday), 50);
  assert.equal(days.resetIn(yesterday), 35 * 3_600_000, "until the day that is counted ends");
  assert.equal(days.ahead(yesterday), 1);
  const stored = [...days.unsaved()].flatMap((key) => days.get(key) ?? []);
  const next = new Days("Europe/Paris");
  next.restore(stored);
  next.add("day:user:ada", 1, yesterday);
  assert.equal(next.used("day:user:ada", today), 51);
  next.sweep(tomorrow);
  assert.deepEqual([next.used("day:user:ada", tomorrow), next.ahead(tomorrow)], [0, 0]);
  const after = [...next.unsaved()].flatMap((key) => next.get(key) ?? []);
  const third = new Days("Europe/Paris");
  third.restore(after);
  assert.equal(third.current(today).day, "2026-11-22", "kept, though nothing was counted on it");
  third.reset(today);
  assert.equal(third.current(today).day, "2026-11-21");
});

test("model: what is counted here and what a file holds add up, whatever was saved before", () => {
  const [today] = [at("2026-11-21T12:00:00Z")];
  for (let seed = 0; seed < 200; seed += 1) {
    const random = randoms(seed + 1);
    const pick = (n: number): number => Math.floor(random() * n);
    const file = new Map<string, DayCount>();
    let days = new Days("UTC");
    let [truth, hasRead] = [0, true];
    for (let step = 0; step < 30; step += 1) {
      const what = pick(3);
      if (what === 0) {
        const times = pick(5);
        days.add("k", times, today);
        truth += times;
      } else if (what === 1 && hasRead) {
        for (const key of days.unsaved()) file.set(key, days.get(key) as DayCount);
        days.saved();
        if (pick(2) === 0) [days, hasRead] = [new Days("UTC"), false]; // a successor
      } else {
        days.restore([...file.values()]);
        hasRead = true;
      }
    }
    days.restore([...file.values()]);
    assert.equal(days.used("k", today), truth, `seed ${seed}`);
  }
});
