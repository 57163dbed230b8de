import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
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
          windows.add("a:b:c", PER, times, at(now));
          for (let i = 0; i < times; i += 1) done.push(now);
        } else if (times <= most) {
          const again = new Windows(); // looked at later, without moving the other's time
          for (const t of done) again.add("a:b:c", PER, 1, at(t));
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
  windows.add("k", PER, 3, at(0));
  windows.remove("k", PER, 2, at(1_000));
  assert.equal(windows.level(counted("k", 3), at(1_000)).used, 1);
  windows.remove("k", PER, 9, at(1_000));
  assert.deepEqual(windows.level(counted("k", 3), at(1_000)), { used: 0, resetIn: 0, waits: 0 });
  assert.equal(windows.level({ key: "k", most: 1, per: seconds(10), times: 1 }, at(1_000)).used, 0);
});

test("a flood of keys stays bounded, and pushes out its own family alone", () => {
  const windows = new Windows(1_000);
  windows.add("login:user:ada", PER, 5, at(0));
  for (let i = 0; i < 20_000; i += 1) windows.add(`write:address:10.${i >> 8}.${i & 255}`, PER, 1, at(i));
  assert.equal(windows.size, 1_001);
  assert.equal(windows.level(counted("login:user:ada", 9), at(20_000)).used, 5);
  for (let i = 0; i < 20_000; i += 1) windows.add(`family${i}:x:y`, PER, 1, at(20_000));
  assert.ok(windows.size <= 16 * 1_000 + 1_000, `${windows.size} counters of endless families`);
  windows.sweep(at(10_000_000));
  assert.equal(windows.size, 0);
});

test("a counter goes on in another process as old as it is", () => {
  const [one, other] = [new Windows(), new Windows()];
  one.add("k", PER, 2, at(100_000));
  one.add("k", PER, 3, at(130_000));
  other.restore(one.state(at(140_000)), ms(5_000), at(50)); // five seconds on the way, into a process that has just begun
  assert.equal(other.level(counted("k", 9), at(50)).used, 5);
  assert.equal(other.level(counted("k", 9), at(50 + 25_000)).used, 3, "the first two are over a minute old");
  assert.equal(other.level(counted("k", 9), at(50 + 60_000)).used, 0);
});
