import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "../../../src/base/clock.ts";
import { ms, type Instant, type Timestamp } from "../../../src/base/units.ts";
import type { Exchange } from "../../../src/worker/exchange.ts";
import { shedStage } from "../../../src/worker/gate/shed.ts";
import type { Refusal } from "../../../src/worker/gate/stage.ts";

const SHEDDABLE = [
  ["GET", "/api/tables/players/export"],
  ["POST", "/api/tables/players"],
  ["GET", "/api/tables/players?q=a"],
] as const;

/** Timers run when the test lets them, `late` behind their time. */
function world(t: TestContext, chance = () => 0.5) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let at = 0;
  const clock: Clock = { now: () => at as Instant, wall: () => at as Timestamp };
  const turns = { wait: ms(0) };
  const stage = shedStage(clock, turns, chance);
  const ask = (method: string, url: string): Refusal | undefined =>
    stage.admit({ req: { method, url }, startedAt: at as Instant } as unknown as Exchange) as Refusal | undefined;
  const run = (late: number, forMs: number, asked = false): void => {
    for (const end = at + forMs; at < end;) {
      if (asked) for (const [method, url] of SHEDDABLE) ask(method, url);
      at += 50 + late;
      t.mock.timers.tick(50);
    }
  };
  return { ask, run, turns };
}

test("exports, then writes, then reads get 503 with a reason and a time to come back; logins and health checks pass", (t) => {
  const { ask, run } = world(t);
  const all = (): string =>
    [...SHEDDABLE, ["POST", "/api/login"], ["GET", "/healthz"], ["POST", "/api/admin/reload"]]
      .map(([method = "", url = ""]) => (ask(method, url) === undefined ? "-" : "x"))
      .join("");
  assert.equal(all(), "------");
  run(400, 9_000, true);
  assert.equal(all(), "------", "it has just started");
  run(0, 2_000, true);
  run(200, 1_500, true);
  assert.equal(all(), "x-----");
  run(200, 500, true);
  assert.equal(all(), "xx----");
  run(200, 500, true);
  assert.equal(all(), "xxx---");
  const { status, reason, retryAfter } = ask("GET", "/api/tables/players") as Refusal;
  assert.deepEqual([status, reason, retryAfter], [503, "overload", 3_000]);
  run(0, 40_000);
  assert.equal(all(), "------");
});

test("who asks for nothing that needs work costs no timer", (t) => {
  const { run, ask } = world(t);
  const set = t.mock.method(globalThis, "setTimeout");
  run(0, 10_000);
  assert.equal(set.mock.callCount(), 0);
  ask("GET", "/api/tables/players");
  run(0, 10_000);
  const looks = set.mock.callCount();
  assert.ok(looks > 10 && looks < 60, `${looks} looks after the last request`);
  run(0, 10_000);
  assert.equal(set.mock.callCount(), looks);
});

test("work that waits long for its turn is overload too, however quick the loop is", (t) => {
  const { ask, run, turns } = world(t);
  run(0, 10_000, true);
  turns.wait = ms(90);
  run(0, 5_000, true);
  assert.equal(ask("GET", "/api/tables/players/export"), undefined);
  turns.wait = ms(300);
  run(0, 3_000, true);
  assert.equal(ask("GET", "/api/tables/players/export")?.reason, "overload");
  turns.wait = ms(0);
  run(0, 20_000, true);
  assert.equal(ask("GET", "/api/tables/players/export"), undefined);
});
