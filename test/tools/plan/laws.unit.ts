/** Cache renewal, queues of loops: against figures that are known otherwise. */
import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import {
  callsPerMinute,
  hitRatio,
  shortestTtl,
  waitsForRefresh,
} from "../../../src/tools/plan/model/cache.ts";
import {
  closedRate,
  logNormal,
  loopLatency,
  mixture,
} from "../../../src/tools/plan/model/latency.ts";

const about = (actual: number, expected: number, part: number): void =>
  assert.ok(
    Math.abs(actual - expected) <= part * Math.abs(expected),
    `${actual} is not ${expected} ± ${part * 100} %`,
  );

test("1.2: 10 requests/s, a TTL of 30 s: in each of 16 or 32 workers, or shared", () => {
  about(hitRatio(10 / 16, 30), 0.9494, 0.0001);
  about(hitRatio(10 / 32, 30), 0.9036, 0.0001);
  about(hitRatio(10, 30), 0.9967, 0.0001);
  about(callsPerMinute({ rate: 10, ttl: 30, caches: 16, keys: 1 }), 30.4, 0.001);
  about(callsPerMinute({ rate: 10, ttl: 30, caches: 32, keys: 1 }), 57.8, 0.001);
  about(callsPerMinute({ rate: 10, ttl: 30, caches: 1, keys: 1 }), 1.99, 0.002);
  assert.deepEqual(
    [1, 3, 5].map((k) => Math.round(shortestTtl(k, 16, 42))),
    [23, 69, 114],
  );
  assert.equal(callsPerMinute({ rate: 0, ttl: 30, caches: 1, keys: 1 }), 0);
});

test("calls grow with the load up to one a TTL, and fall with the TTL", () => {
  const rate = fc.double({ min: 0.0001, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(rate, rate, fc.double({ min: 0.1, max: 86_400, noNaN: true }), (a, b, ttl) => {
      const calls = (r: number, t = ttl): number =>
        callsPerMinute({ rate: r, ttl: t, caches: 4, keys: 3 });
      assert.ok(
        calls(Math.min(a, b)) <= calls(Math.max(a, b)) &&
          calls(a) <= (60 * 12) / ttl &&
          calls(a, ttl * 2) <= calls(a),
      );
      assert.ok(waitsForRefresh(a, ttl, 30) <= 1 - hitRatio(a, ttl) + 1e-12);
    }),
  );
});

const quiet = { p50: 1, p95: 2, p99: 4 };

test("answers get slower with the load, never faster, and have no time at full load", () => {
  const at = (rate: number): ReturnType<typeof loopLatency> =>
    loopLatency({ rate, servers: 2, service: 1, quiet });
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1_999, noNaN: true }),
      fc.double({ min: 0, max: 1_999, noNaN: true }),
      (a, b) => {
        const [less, more] = [at(Math.min(a, b)), at(Math.max(a, b))];
        for (const name of ["p50", "p95", "p99"] as const)
          assert.ok(Number.isFinite(more[name]) && less[name] <= more[name]);
        assert.ok(more.p50 <= more.p95 && more.p95 <= more.p99);
      },
    ),
  );
  assert.deepEqual(at(0), quiet);
  assert.equal(at(2_000).p99, Infinity);
});

test("users who all wait stand in the queues as Little's law has it: at full load an answer takes N / X − Z", () => {
  const closed = { users: 3_000, thinkMs: 1_000 };
  const rate = closedRate(closed.users, closed.thinkMs, 1, 2);
  about(rate, 2_000, 0.01);
  const { p50, p99 } = loopLatency({
    rate,
    servers: 2,
    service: 1,
    quiet: { p50: 0, p95: 0, p99: 0 },
    closed,
  });
  about(p50, closed.users / 2 - closed.thinkMs, 0.02);
  assert.ok(p99 > p50 && p99 < 1.5 * p50, String(p99));
  const few = { users: 20, thinkMs: 10_000 };
  assert.ok(
    loopLatency({ rate: closedRate(20, 10_000, 1, 2), servers: 2, service: 1, quiet, closed: few })
      .p99 <
      quiet.p99 + 0.1,
  );
});

test("M/M/1: at ρ = 0.9 the p99 of the answers is ln(100) / (μ − λ), the median ln(2) / (μ − λ)", () => {
  const alone = { p50: Math.log(2), p95: Math.log(20), p99: Math.log(100) };
  const { p50, p99 } = loopLatency({ rate: 900, servers: 1, service: 1, quiet: alone });
  about(p99, Math.log(100) / 0.1, 1e-9);
  about(p50, Math.log(2) / 0.1, 1e-9);
});

test("users who think: as many as come, until the server is full", () => {
  about(closedRate(100, 9_990, 0.04, 2), 10.01, 0.001);
  about(closedRate(1_000, 0, 1, 2), 2_000, 0.001);
  about(closedRate(1, 0, 5, 4), 200, 1e-9);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.double({ min: 0, max: 1e4, noNaN: true }),
      fc.integer({ min: 1, max: 64 }),
      (n, think, c) => {
        const [here, more] = [closedRate(n, think, 2, c), closedRate(n + 1, think, 2, c)];
        assert.ok(
          here <= more * (1 + 1e-9) &&
            more <= c * 500 * (1 + 1e-9) &&
            here <= ((n * 1_000) / (think + 2)) * (1 + 1e-9),
        );
      },
    ),
  );
});

test("a mixture lies between its parts and follows what is rare only where it reaches", () => {
  const slow = logNormal(1_000, 2_000);
  const mixed = mixture([
    { share: 0.97, latency: quiet },
    { share: 0.03, latency: slow },
  ]);
  assert.ok(mixed.p50 < 2 && mixed.p95 < 1_000 && mixed.p99 > 900, JSON.stringify(mixed));
  assert.deepEqual(
    mixture([
      { share: 1, latency: quiet },
      { share: 0, latency: slow },
    ]),
    quiet,
  );
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (a, b) => {
        const of = (share: number): ReturnType<typeof mixture> =>
          mixture([
            { share: 1 - share, latency: quiet },
            { share, latency: slow },
          ]);
        const [less, more] = [of(Math.min(a, b)), of(Math.max(a, b))];
        for (const name of ["p50", "p95", "p99"] as const)
          assert.ok(less[name] <= more[name] + 1e-6, `${name} ${a} ${b}`);
      },
    ),
  );
});
