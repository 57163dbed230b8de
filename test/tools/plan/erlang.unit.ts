import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import {
  erlangB,
  erlangC,
  inside,
  meanWait,
  serversFor,
  waitQuantile,
} from "../../../src/tools/plan/model/erlang.ts";

const near = (actual: number, expected: number, digits: number): void =>
  assert.ok(
    Math.abs(actual - expected) <= 0.5 * 10 ** -digits,
    `${actual} is not ${expected} to ${digits} digits`,
  );

test("Erlang B as the tables print it: the load that n servers carry at a blocking", () => {
  // Columns of the classic table (Angus 2001, "An Introduction to Erlang B and Erlang C"; Cooper 1981): n, blocking, erlangs.
  const table = [
    [1, 0.01, 0.0101],
    [1, 0.05, 0.0526],
    [2, 0.01, 0.153],
    [5, 0.01, 1.361],
    [5, 0.05, 2.218],
    [10, 0.01, 4.461],
    [10, 0.02, 5.084],
    [20, 0.01, 12.03],
    [50, 0.01, 37.9],
    [100, 0.01, 84.06],
    [100, 0.02, 87.97],
  ] as const;
  for (const [servers, blocking, erlangs] of table)
    near(erlangB(servers, erlangs) / blocking, 1, 2);
});

test("1.3: Erlang C by hand: 1 server is ρ, 2 servers are 2ρ²/(1+ρ)", () => {
  for (const load of [0.1, 0.5, 0.9, 0.999]) {
    near(erlangC(1, load), load, 12);
    near(erlangC(2, 2 * load), (2 * load * load) / (1 + load), 12);
  }
  near(erlangC(16, 10), 0.05734, 5);
  near(meanWait(16, 10, 1_000), 9.557, 3);
});

test("what explains the usual alarms at 160, 180 and 200 of 200 slots", () => {
  near(erlangB(200, 160), 0.0003, 4);
  near(erlangB(200, 180), 0.0103, 4);
  near(erlangB(200, 200), 0.0544, 4);
});

test("edges: nothing to do, no servers, overload, thousands of servers", () => {
  assert.deepEqual([erlangB(0, 5), erlangB(0, 0), erlangB(3, 0), erlangC(4, 0)], [1, 1, 0, 0]);
  assert.deepEqual(
    [erlangC(9, 10), erlangC(10, 10), meanWait(10, 10, 1), waitQuantile(0.99, 9, 10, 1)],
    [1, 1, Infinity, Infinity],
  );
  near(erlangB(1, 1e9), 1, 8);
  assert.equal(erlangB(100_000, 1), 0);
  // At full load B tends to √(2/πn): with 100,000 servers 0.2523 %.
  near(erlangB(100_000, 100_000) / Math.sqrt(2 / (Math.PI * 100_000)), 1, 2);
  assert.ok(erlangC(100_000, 99_900) > 0.5 && erlangC(100_000, 99_900) < 1);
  assert.equal(serversFor(0, 0.01), 0);
  assert.equal(serversFor(100, 0.01), 117);
  assert.equal(inside(10, 0.1), 1);
});

const load = fc.double({ min: 0.001, max: 5_000, noNaN: true });
const servers = fc.integer({ min: 1, max: 5_000 });

test("blocking and waiting are parts, grow with the load and fall with servers", () => {
  fc.assert(
    fc.property(servers, load, load, (n, a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      for (const part of [erlangB, erlangC]) {
        const [low, high, roomier] = [part(n, less), part(n, more), part(n + 1, more)];
        for (const p of [low, high, roomier]) assert.ok(p >= 0 && p <= 1, `${p}`);
        assert.ok(low <= high + 1e-12 && roomier <= high + 1e-12);
      }
      assert.ok(erlangC(n, a) >= erlangB(n, a) - 1e-12);
      assert.ok(waitQuantile(0.5, n, a, 1) <= waitQuantile(0.99, n, a, 1));
    }),
    { numRuns: 200 },
  );
});

test("serversFor finds the fewest", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 500, noNaN: true }),
      fc.double({ min: 0.0001, max: 0.5, noNaN: true }),
      (a, blocking) => {
        const n = serversFor(a, blocking);
        assert.ok(erlangB(n, a) <= blocking && (n === 0 || erlangB(n - 1, a) > blocking));
      },
    ),
    { numRuns: 200 },
  );
});
