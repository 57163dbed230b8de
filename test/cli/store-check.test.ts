/** The line of `drover check` about the session store, on a real Redis. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Plan } from "../../src/cli/plan.ts";
import { storeLine } from "../../src/cli/store-check.ts";
import { folder } from "../support/cleanup.ts";
import { needsRedis, RedisServer } from "../support/redis.ts";

const skip = needsRedis();
const plan = (t: TestContext, url: string | undefined): Plan =>
  ({ demo: true, settings: { session_store: url, session_prefix: "drover:", data_dir: folder(t) } }) as unknown as Plan;

async function on(t: TestContext, ...args: string[]): Promise<RedisServer> {
  const redis = await RedisServer.begin(...args);
  t.after(() => redis.kill());
  return redis;
}

test("without a store there is no line; offline it is not tried", async (t) => {
  assert.equal(await storeLine(plan(t, undefined), false), "");
  assert.match(
    await storeLine(plan(t, "redis://u:secret@127.0.0.1:9"), true),
    /^session store: redis:\/\/127.0.0.1:9: not checked: --offline\n$/,
  );
});

test(
  "an engine that can be used is left as it was; one that is full or away is named, one that a start refuses ends the check",
  { skip },
  async (t) => {
    const redis = await on(t);
    const url = `redis://127.0.0.1:${redis.port}`;
    assert.match(await storeLine(plan(t, url), false), /can be used\n$/);
    assert.match(await redis.say("KEYS *"), /^\*0/);
    await assert.rejects(storeLine(plan(t, `${url}/99`), false), { code: "DROVER_E_SESSION_STORE" });
    await redis.kill();
    assert.match(await storeLine(plan(t, url), false), /nothing listens there \(ECONNREFUSED\)/);
    const full = await on(t, "--maxmemory", "1");
    assert.match(await storeLine(plan(t, `redis://127.0.0.1:${full.port}`), false), /its memory is full/);
  },
);
