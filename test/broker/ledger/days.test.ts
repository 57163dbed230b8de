import assert from "node:assert/strict";
import test from "node:test";
import type { Timestamp } from "../../../src/base/units.ts";
import { Days, dayClock } from "../../../src/broker/ledger/days.ts";

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
