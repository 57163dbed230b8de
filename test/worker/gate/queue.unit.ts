import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { ms, seconds, type Instant, type Timestamp } from "../../../src/base/units.ts";
import type { Exchange, Permit } from "../../../src/worker/exchange.ts";
import { Permits } from "../../../src/worker/gate/permits.ts";
import { AdmissionQueue, queueStage } from "../../../src/worker/gate/queue.ts";

class HandClock implements Clock {
  at = 0;
  now = (): Instant => this.at as Instant;
  wall = (): Timestamp => this.at as Timestamp;
}

const RULE = { inFlight: 1, waiting: 2, interval: seconds(2), target: ms(200) };
const never = (): AbortSignal => new AbortController().signal;
const settled = async (promise: Permit | undefined | Promise<Permit | undefined>): Promise<"permit" | "refused" | "waiting"> => {
  const result = await Promise.race([promise, new Promise<"waiting">((resolve) => setImmediate(resolve, "waiting"))]);
  return result === "waiting" ? "waiting" : result === undefined ? "refused" : "permit";
};

test("a permit is released exactly once", () => {
  const permits = new Permits(1, () => {});
  const permit = permits.take();
  assert.equal(permits.take(), undefined);
  permit?.release();
  assert.throws(() => permit?.release(), /released twice/);
  assert.equal(permits.taken, 0);
});

test("the oldest is served first in quiet times, and the queue is bounded", async () => {
  const clock = new HandClock();
  const queue = new AdmissionQueue(RULE, clock);
  const first = queue.enter(never) as Permit;
  const second = queue.enter(never);
  const third = queue.enter(never);
  assert.equal(queue.enter(never), undefined, "two may wait, not three");
  first.release();
  assert.equal(await settled(second), "permit");
  assert.equal(await settled(third), "waiting");
  (await second)?.release();
  assert.equal(await settled(third), "permit");
  (await third)?.release();
  assert.equal(queue.inFlight, 0);
});

test("under standing overload the newest is served first, the oldest is refused for it, and patience is short", async () => {
  const clock = new HandClock();
  const queue = new AdmissionQueue(RULE, clock);
  const first = queue.enter(never) as Permit;
  clock.at = 1_500;
  const oldest = queue.enter(never); // the queue was empty now: it may wait until 3.5 s
  clock.at = 3_400;
  const middle = queue.enter(never);
  clock.at = 3_501;
  queue.expire();
  assert.equal(await settled(oldest), "refused");
  clock.at = 3_550;
  const newer = queue.enter(never);
  clock.at = 3_560;
  const newest = queue.enter(never); // no room left: the oldest one waiting goes
  assert.equal(await settled(middle), "refused");
  first.release();
  assert.equal(await settled(newest), "permit");
  assert.equal(await settled(newer), "waiting");
  clock.at = 3_751;
  queue.expire();
  assert.equal(await settled(newer), "refused");
  (await newest)?.release();
});

test("a client that goes away leaves the queue, before it entered too", async () => {
  const queue = new AdmissionQueue(RULE, new HandClock());
  const first = queue.enter(never) as Permit;
  const leaving = new AbortController();
  const gone = queue.enter(() => leaving.signal);
  leaving.abort();
  assert.equal(await settled(gone), "refused");
  assert.equal(queue.waiting, 0);
  assert.equal(await settled(queue.enter(() => AbortSignal.abort())), "refused");
  first.release();
});

test("whatever happens, no more are in flight than allowed and every entry is settled", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("enter" as const), abort: fc.boolean() }),
    fc.record({ do: fc.constant("release" as const) }),
    fc.record({ do: fc.constant("pass" as const), by: fc.integer({ min: 1, max: 3_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new HandClock();
      const queue = new AdmissionQueue({ ...RULE, inFlight: 3, waiting: 5 }, clock);
      const held: Permit[] = [];
      const entries: Promise<void>[] = [];
      for (const now of steps) {
        if (now.do === "pass") {
          clock.at += now.by;
          queue.expire();
        } else if (now.do === "release") held.pop()?.release();
        else {
          const client = new AbortController();
          const entered = Promise.resolve(queue.enter(() => client.signal));
          entries.push(entered.then((permit) => void (permit !== undefined && held.push(permit))));
          if (now.abort) client.abort();
        }
        await Promise.resolve();
        assert.ok(queue.inFlight <= 3 && queue.waiting <= 5);
      }
      clock.at += 10_000;
      queue.expire();
      await Promise.all(entries);
      for (const permit of held) permit.release();
      assert.equal(queue.inFlight, 0);
    }),
    { numRuns: 300 },
  );
});

test("health checks and the operator have places of their own when all others are taken, and those are bounded too", () => {
  const clock = new HandClock();
  const rule = { ...RULE, waiting: 0 };
  const stage = queueStage(new AdmissionQueue(rule, clock), rule);
  const ask = (method: string, url: string) => {
    const exchange = { req: { method, url, signal: never() }, res: { destroyed: false }, permit: undefined } as unknown as Exchange;
    return { verdict: stage.admit(exchange), exchange };
  };
  assert.equal(ask("GET", "/api/tables/players").verdict, undefined);
  const refused = ask("GET", "/api/tables/players").verdict;
  assert.ok(refused !== undefined && !(refused instanceof Promise) && refused.status === 503);
  const vital = ["/healthz", "/healthz?x=1", "/api/admin/health", "/api/admin/slots/reap", "/metrics", "/admin"].map((url) =>
    ask("GET", url),
  );
  assert.deepEqual(
    vital.map(({ verdict }) => verdict),
    Array(6).fill(undefined),
  );
  for (let i = 6; i < 32; i += 1) assert.equal(ask("GET", "/healthz").verdict, undefined);
  assert.notEqual(ask("GET", "/healthz").verdict, undefined, "a flood of them is a flood");
  vital[0]?.exchange.permit?.release();
  assert.equal(ask("GET", "/healthz").verdict, undefined);
  for (const url of ["/healthzz", "/api/adminx", "//healthz", "/api/tables/healthz", "/%68ealthz"])
    assert.notEqual(ask("GET", url).verdict, undefined, url);
});
