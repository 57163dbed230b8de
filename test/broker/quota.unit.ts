import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { later, perMinute, seconds } from "../../src/base/units.ts";
import { Ledger } from "../../src/broker/quota.ts";
import { FakeTime } from "./time.ts";

test("0.17: 60 a minute less the reserve: the 52nd call waits until the first is a minute old", async () => {
  const time = new FakeTime();
  const quota = new Ledger(perMinute(60), time);
  for (let i = 0; i < 51; i += 1) {
    assert.equal(quota.next(), time.now());
    quota.spend();
    await time.advance(100);
  }
  assert.deepEqual(quota.report(), { used: 51, limit: 51, lockedUntil: 0 });
  assert.equal(quota.next(), 1_000 + 60_000);
  await time.advance(quota.next() - time.now());
  assert.equal(quota.next(), time.now());
});

test("0.17: in no minute, wherever it begins, are there more calls than the limit (property)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 }), async (gaps) => {
      const time = new FakeTime();
      const quota = new Ledger(perMinute(10), time);
      const calls: number[] = [];
      for (const gap of gaps) {
        await time.advance(gap);
        if (quota.next() > time.now()) continue;
        quota.spend();
        calls.push(time.now());
      }
      for (const at of calls) assert.ok(calls.filter((other) => other >= at && other < at + 60_000).length <= 8);
    }),
    { numRuns: 200 },
  );
});

test("a lock-out closes the ledger until it ends, and no longer than it can last", async () => {
  const time = new FakeTime();
  const quota = new Ledger(perMinute(60), time);
  quota.lock(later(time.wall(), seconds(42)));
  assert.equal(quota.next() - time.now(), 42_000);
  assert.equal(quota.report().lockedUntil, time.wall() + 42_000);
  quota.lock(later(time.wall(), seconds(10))); // an earlier end does not shorten it
  assert.equal(quota.next() - time.now(), 42_000);
  quota.lock(later(time.wall(), seconds(9_999)));
  assert.equal(quota.next() - time.now(), 180_000);
});

test("a successor goes on where its predecessor was", async () => {
  const time = new FakeTime();
  const quota = new Ledger(perMinute(2), time);
  quota.spend();
  quota.lock(later(time.wall(), seconds(30)));
  const next = new Ledger(perMinute(2), new FakeTime(77, time.wall() + 10_000), quota.state());
  assert.deepEqual([next.report().used, next.next()], [1, 77 + 50_001]); // a call counts as a millisecond younger than it may be
  const backwards = new Ledger(perMinute(2), new FakeTime(77, time.wall() - 1e9), quota.state());
  assert.ok(backwards.next() - 77 <= 180_000, "a clock that was set back does not lock for ever");
});

test("a successor counts the calls of a predecessor whose clock was ahead, as made now", async () => {
  const time = new FakeTime();
  const quota = new Ledger(perMinute(60), time);
  for (let i = 0; i < 51; i += 1) quota.spend();
  const clock = new FakeTime(77, time.wall() - 86_400_000);
  const next = new Ledger(perMinute(60), clock, quota.state());
  assert.equal(next.report().used, 51);
  assert.ok(next.next() >= 77 + 60_000 && next.next() <= 77 + 60_001, "a whole minute, and no longer");
  await clock.advance(60_001);
  assert.deepEqual([next.report().used, next.next()], [0, clock.now()]);
});

test("a successor counts no call as older than it is, at whatever fraction of a millisecond (property)", () => {
  const moment = fc.double({ min: 0, max: 59_000, noNaN: true });
  fc.assert(
    fc.property(moment, moment, (made, gone) => {
      const [before, wall] = [new FakeTime(1_000 + made), 1_800_000_000_000 + made];
      const quota = new Ledger(perMinute(2), new FakeTime(before.now(), wall));
      quota.spend();
      const now = before.now() + gone;
      const next = new Ledger(perMinute(2), new FakeTime(now, wall + gone), quota.state());
      assert.ok(next.next() >= before.now() + 60_000, `${next.next()} < ${before.now() + 60_000}`);
      assert.ok(next.next() <= before.now() + 60_001.01);
    }),
    { numRuns: 1_000, examples: [[0, 59_765.763504]] },
  );
});

test("each class leaves a part of the quota to those above it, and what is no refresh is not planned with", async () => {
  const time = new FakeTime();
  const quota = new Ledger(perMinute(60), time);
  const open = (): string => (["urgent", "refresh", "export"] as const).filter((priority) => quota.next(priority) <= time.now()).join(" ");
  const at: Record<number, string> = {};
  for (let used = 0; used <= 51; used += 1) {
    at[used] = open();
    if (used < 51) quota.spend(used < 30 ? "refresh" : "other");
  }
  assert.deepEqual(
    [at[39], at[40], at[44], at[45], at[50], at[51]],
    ["urgent refresh export", "urgent refresh", "urgent refresh", "urgent", "urgent", ""],
  );
  assert.deepEqual([quota.others(), quota.budget()], [21, 45 - 21]);
  await time.advance(60_000);
  assert.deepEqual([quota.others(), quota.budget(), open()], [0, 45, "urgent refresh export"]);
  const small = new Ledger(perMinute(1), time);
  assert.equal(small.next("export"), time.now(), "a small quota is not divided away");
});
