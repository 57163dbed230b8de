import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../support/fast-check.ts";
import { ms, seconds, type Instant } from "../../src/base/units.ts";
import { Windows } from "../../src/base/window.ts";

const PER = seconds(60);
const at = (n: number): Instant => n as Instant;
const counted = (key: string, most: number, times = 1) => ({ key, most, per: PER, times });

test("never more than the limit in any window, and a place is free again a twelfth late at most", () => {
  const steps = fc.array(fc.record({ after: fc.integer({ min: 0, max: 20_000 }), times: fc.integer({ min: 1, max: 4 }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 6 }), fc.integer({ min: -100_000, max: 10_000_000 }), (list, most, start) => {
      const windows = new Windows();
      const done: number[] = [];
      let now = start;
      for (const { after, times } of list) {
        now += after;
        const { waits, used } = windows.level(counted("a:b:c", most, times), at(now));
        const inside = done.filter((t) => t > now - PER).length;
        assert.ok(used >= inside, "what counts is never forgotten early");
        if (waits === 0) {
          assert.ok(inside + times <= most);
          windows.add({ key: "a:b:c", per: PER, times }, at(now));
          for (let i = 0; i < times; i += 1) done.push(now);
        } else if (times <= most) {
          const again = new Windows(); // looked at later, without moving the other's time
          for (const t of done) again.add({ key: "a:b:c", per: PER, times: 1 }, at(t));
          assert.equal(again.level(counted("a:b:c", most, times), at(now + waits)).waits, 0, "after the wait there is room");
          const leaves = done[done.length - 1 - most + times] ?? Number.NaN; // with it, enough have gone
          assert.ok(now + waits <= leaves + (PER * 13) / 12 + 1, `${waits} is no more than a twelfth too long`);
        } else assert.equal(waits, PER, "more than fit into a window never pass");
      }
    }),
    { numRuns: 200 },
  );
});

test("what was taken back is free, another length is another counter", () => {
  const windows = new Windows();
  windows.add({ key: "k", per: PER, times: 3 }, at(0));
  windows.remove({ key: "k", per: PER, times: 2 }, at(1_000));
  assert.equal(windows.level(counted("k", 3), at(1_000)).used, 1);
  windows.remove({ key: "k", per: PER, times: 9 }, at(1_000));
  assert.deepEqual(windows.level(counted("k", 3), at(1_000)), { used: 0, resetIn: 0, waits: 0 });
  assert.equal(windows.level({ key: "k", most: 1, per: seconds(10), times: 1 }, at(1_000)).used, 0);
});

test("a flood of keys stays bounded, and pushes out its own family alone", () => {
  const windows = new Windows(1_000);
  windows.add({ key: "login:user:ada", per: PER, times: 5 }, at(0));
  for (let i = 0; i < 20_000; i += 1) windows.add({ key: `write:address:10.${i >> 8}.${i & 255}`, per: PER, times: 1 }, at(i));
  assert.equal(windows.size, 1_001);
  assert.equal(windows.level(counted("login:user:ada", 9), at(20_000)).used, 5);
  for (let i = 0; i < 20_000; i += 1) windows.add({ key: `family${i}:x:y`, per: PER, times: 1 }, at(20_000));
  assert.ok(windows.size <= 16 * 1_000 + 1_000, `${windows.size} counters of endless families`);
  windows.sweep(at(10_000_000));
  assert.equal(windows.size, 0);
});

test("a counter goes on in another process as old as it is", () => {
  const [one, other] = [new Windows(), new Windows()];
  one.add({ key: "k", per: PER, times: 2 }, at(100_000));
  one.add({ key: "k", per: PER, times: 3 }, at(130_000));
  other.restore(one.state(at(140_000)), ms(5_000), at(50)); // five seconds on the way, into a process that has just begun
  assert.equal(other.level(counted("k", 9), at(50)).used, 5);
  assert.equal(other.level(counted("k", 9), at(50 + 25_000)).used, 3, "the first two are over a minute old");
  assert.equal(other.level(counted("k", 9), at(50 + 60_000)).used, 0);
});

const RATE = { most: 100, burst: 200, per: PER };
const bucket = (times = 1) => ({ key: "b", ...RATE, times });

test("2.3: a bucket admits never more than burst + rate × t in any span", () => {
  const rate = fc.record({ most: fc.integer({ min: 1, max: 50 }), more: fc.integer({ min: 0, max: 50 }) });
  const steps = fc.array(fc.record({ after: fc.double({ min: 0, max: 20_000, noNaN: true }), times: fc.integer({ min: 1, max: 60 }) }), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(rate, steps, fc.double({ min: -100_000, max: 1e7, noNaN: true }), ({ most, more }, list, start) => {
      const windows = new Windows();
      const limit = { key: "b", most, per: PER, burst: most + more };
      const done: { readonly at: number; readonly times: number }[] = [];
      let now = start;
      for (const { after, times } of list) {
        now += after;
        const { waits } = windows.level({ ...limit, times }, at(now));
        if (times > limit.burst) assert.ok(waits > 0, "more than fit into the bucket never pass");
        else if (waits > 0) assert.equal(windows.level({ ...limit, times }, at((now += waits))).waits, 0, "after the wait there is room");
        if (windows.level({ ...limit, times }, at(now)).waits > 0) continue;
        windows.add({ key: "b", per: PER, refill: most, times }, at(now));
        done.push({ at: now, times });
        let sum = 0;
        for (const one of done.toReversed()) {
          sum += one.times;
          const span = now - one.at + 1; // instants count by whole milliseconds
          assert.ok(sum <= limit.burst + (most * span) / PER, `${sum} within ${span} ms`);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("2.3: a client below the rate is never refused by a bucket", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 150 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 }), gaps, (most, more, list) => {
      const windows = new Windows();
      const sent: number[] = [];
      let now = 0;
      for (const gap of list) {
        now += gap;
        // At most `most` in any minute, and as early as that allows.
        const oldest = sent[sent.length - most];
        if (oldest !== undefined) now = Math.max(now, oldest + PER);
        assert.equal(windows.level({ key: "b", most, per: PER, burst: most + more, times: 1 }, at(now)).waits, 0);
        windows.add({ key: "b", per: PER, refill: most, times: 1 }, at(now));
        sent.push(now);
      }
    }),
    { numRuns: 200 },
  );
});

test("a bucket: what was taken back is free, another rate is another counter, and it goes on in another process", () => {
  const [one, other] = [new Windows(), new Windows()];
  const tally = { key: "b", per: PER, refill: 100 };
  one.add({ ...tally, times: 200 }, at(0));
  assert.deepEqual(one.level(bucket(), at(0)), { used: 200, resetIn: 120_000, waits: 600 });
  one.remove({ ...tally, times: 5 }, at(0));
  assert.deepEqual(one.level(bucket(5), at(0)), { used: 195, resetIn: 117_000, waits: 0 });
  assert.equal(one.level({ ...bucket(), most: 50 }, at(0)).used, 0);
  assert.equal(one.level({ key: "b", most: 100, per: PER, times: 1 }, at(0)).used, 0, "without a burst it is a window");
  assert.deepEqual(one.state(at(30_000)), [{ key: "b", per: PER, refill: 100, counts: [[0, 145]] }]);
  other.restore(one.state(at(30_000)), ms(30_000), at(7));
  assert.equal(other.level(bucket(), at(7)).used, 95, "it has filled on the way, although that was longer than any window's slice");
  other.restore(one.state(at(30_000)), ms(90_000), at(7));
  assert.equal(other.level(bucket(), at(7)).used, 95, "one that has filled up is nothing");
  one.sweep(at(200_000));
  assert.equal(one.size, 0);
});
