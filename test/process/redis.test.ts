/** Sessions on a real Redis that two daemons share, by the lines that Flask's users have. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { folder } from "../support/cleanup.ts";
import { needsRedis, RedisServer } from "../support/redis.ts";
import { eventually } from "../support/wait.ts";
import { ONE, start, type Daemon } from "./harness.ts";
import { ask, login, whoami } from "./members.ts";

const skip = needsRedis();
const KEY = "a-key-of-two-machines-that-share-their-sessions";
/** The two lines stand in an .env file, as in the source. */
async function daemon(t: TestContext, lines: string, env: NodeJS.ProcessEnv = {}): Promise<Daemon> {
  const cwd = folder(t);
  writeFileSync(join(cwd, ".env"), `${lines}\n`);
  return await start(t, { cwd, env: { ...ONE, DROVER_SESSION_KEY: KEY, MAX_CONCURRENT_BOTS: "2", ...env } });
}

test(
  "0.13, 1.8: SESSION_TYPE=redis and SESSION_REDIS: two daemons share who is in, and who was put out; a Redis that is away loses nobody",
  { skip },
  async (t) => {
    const redis = await RedisServer.begin("--requirepass", "pass");
    t.after(() => redis.kill());
    const lines = `SESSION_TYPE=redis\nSESSION_REDIS=redis://:pass@127.0.0.1:${redis.port}`;
    const [a, b] = await Promise.all([daemon(t, lines), daemon(t, lines)]);
    const [ada, bob] = [await login(a, 0), await login(b, 1)];
    assert.deepEqual([ada.status, bob.status], [200, 200], ada.body);
    assert.deepEqual([await whoami(b, ada.cookie), await whoami(a, bob.cookie)], [200, 200], "a login on one is valid on the other");
    const full = await login(a, 2);
    assert.deepEqual([full.status, Number(full.retryAfter) > 0], [503, true], "two slots over both");
    await eventually("both say how full it is", async () => {
      const shown = await Promise.all([a.status(), b.status()]);
      return shown.every(({ slots }) => slots?.used === 2);
    });
    assert.equal((await ask(b, "/api/logout", { cookie: ada.cookie, body: {} })).status, 204);
    await eventually("she is out on the other, too", async () => (await whoami(a, ada.cookie)) === 401);
    assert.equal(await whoami(b, ada.cookie), 401);

    await redis.kill();
    assert.deepEqual([await whoami(a, bob.cookie), await whoami(b, bob.cookie)], [200, 200], "who is in stays in");
    const away = await login(a, 2);
    assert.deepEqual([away.status, Number(away.retryAfter) > 0], [503, true], away.body);
    await a.logged(/^the session store is away: /);
    assert.doesNotMatch(JSON.stringify(a.log()), /:pass@/);
    await redis.start(); // it has forgotten everything
    await eventually("logins are taken again", async () => (await login(a, 2)).status === 200);
    assert.equal(await whoami(b, ada.cookie), 401, "a logout is not forgotten");
    for (const each of [a, b]) assert.equal((await each.stop()).code, 0);
  },
);

test("a Redis that can't be used is named at once, with exit 78; one that is not there yet only lets logins wait", { skip }, async (t) => {
  const redis = await RedisServer.begin("--requirepass", "right");
  t.after(() => redis.kill());
  const wrong = await start(t, { noWait: true, env: { ...ONE, SESSION_REDIS: `redis://:wrong@127.0.0.1:${redis.port}` } });
  assert.deepEqual(await wrong.exited, { code: 78, signal: null });
  assert.match(
    wrong.stderr + JSON.stringify(wrong.log()),
    /the session store can't be used: it refuses the user name or the password of SESSION_REDIS/,
  );
  await redis.kill();
  const early = await daemon(t, `DROVER_SESSION_STORE=redis://:right@127.0.0.1:${redis.port}`);
  assert.equal((await login(early, 0)).status, 503);
  await redis.start();
  await eventually("logins are taken", async () => (await login(early, 0)).status === 200);
});
