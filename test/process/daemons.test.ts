/** Two daemons with one spreadsheet, one Google account (the emulator's) and one Redis: one quota, one writer, exact slots; the Redis fails meanwhile. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { alone, type Alone } from "../emulator/alone.ts";
import { needsRedis, RedisServer } from "../support/redis.ts";
import { eventually } from "../support/wait.ts";
import { cleanEnv, DROVER, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { ask, login, whoami, type Answer } from "./members.ts";

const skip = needsRedis();
interface World {
  readonly redis: RedisServer;
  readonly emulator: Alone;
  readonly env: NodeJS.ProcessEnv;
  begin(env?: NodeJS.ProcessEnv): Promise<Daemon>;
}

async function world(t: TestContext, args: readonly string[] = []): Promise<World> {
  const redis = await RedisServer.begin();
  t.after(() => redis.kill());
  const emulator = await alone(t, ["--faults", ...args]);
  const env = {
    ...ONE,
    ...emulator.env,
    DROVER_TABLES: join(ROOT, "config/tables.json"),
    DROVER_SESSION_KEY: "a-key-of-two-machines-that-share-their-sessions",
    DROVER_ADMIN_TOKEN: "0123456789abcdef-the-operators-own",
    SESSION_REDIS: `redis://127.0.0.1:${redis.port}`,
  };
  return { redis, emulator, env, begin: (more) => start(t, { env: { ...env, ...more } }) };
}

/** Has all tables read as soon as the quota allows. */
async function purge(daemon: Daemon): Promise<void> {
  const authorization = "Bearer 0123456789abcdef-the-operators-own";
  const { status, body } = await ask(daemon, "/api/admin/cache/purge", { body: {}, headers: { authorization } });
  assert.equal(status, 200, body);
}

test("0.17: at most 60 calls in a minute from two daemons, while the Redis is killed, paused and comes again", { skip }, async (t) => {
  const { redis, emulator, begin } = await world(t, ["--emulator-quota", "on"]);
  const daemons = await Promise.all([begin(), begin()]);
  await eventually("they know of each other", async () =>
    (await Promise.all(daemons.map((each) => each.status()))).every(({ sessionStore }) => sessionStore?.daemons === 2),
  );
  const asked = async (): Promise<number> => (await emulator.requests()).reads;
  const press = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) await Promise.all(daemons.map((each) => purge(each)));
  };
  await eventually("most of the quota is used", async () => (await press(1), (await asked()) >= 40));
  await redis.kill();
  await press(20);
  await redis.start();
  await press(20);
  redis.signal("SIGSTOP");
  await press(20);
  for (const each of daemons) await each.logged(/^the session store is away: it does not answer/);
  await press(10);
  redis.signal("SIGCONT");
  await eventually("both are back, and what refreshes may use is used", async () => {
    await press(1);
    const seen = await Promise.all(daemons.map((each) => each.status()));
    return seen.every(({ sessionStore }) => sessionStore?.problem === undefined && sessionStore?.daemons === 2) && (await asked()) >= 44;
  });
  await press(20);
  const { reads, byStatus } = await emulator.requests();
  t.diagnostic(`${reads} calls`);
  assert.deepEqual([byStatus[429], reads >= 44], [undefined, true], "the emulator counts as Google does");
});

test("of two daemons with one spreadsheet the second accepts no writes: 503, an alert, a line of drover check", { skip }, async (t) => {
  const { emulator, env, begin } = await world(t);
  const a = await begin();
  const b = await begin();
  const write = (daemon: Daemon, id: string): Promise<Answer> =>
    ask(daemon, "/api/tables/actions", { body: { id, player: "p1" }, headers: { "idempotency-key": id } });
  assert.equal((await write(a, "of-a")).status, 201);
  const refused = await write(b, "of-b");
  assert.deepEqual([refused.status, /not-writer/.test(refused.body)], [503, true], refused.body);
  assert.doesNotMatch(refused.body, new RegExp(a.dir), "places are the operator's");
  const alert = await eventually("an alert says so", async () => (await b.status()).alerts.find(({ name }) => name === "other-writer"));
  assert.ok(alert.text.includes(a.dir), alert.text);
  assert.equal(
    (await a.status()).alerts.find(({ name }) => name === "other-writer"),
    undefined,
  );
  const check = (cwd: string): string =>
    spawnSync(DROVER, ["check"], { cwd, env: cleanEnv(env), encoding: "utf8" })
      .stdout.split("\n")
      .find((line) => line.startsWith("session store")) ?? "";
  assert.match(check(a.dir), /can be used$/);
  assert.match(check(b.dir), new RegExp(`can be used; no writes are accepted here: another daemon \\(.*${a.dir}`));
  await eventually("it is in the sheet once", async () => (await emulator.rows("actions")).filter(([id]) => id === "of-a").length === 1);
  assert.equal(
    (await emulator.rows("actions")).some(([id]) => id === "of-b"),
    false,
  );
});

test("slots at the limit from both at once; a login on one is valid on the other, and its end reaches both", { skip }, async (t) => {
  const { begin } = await world(t);
  const [a, b] = await Promise.all([begin({ MAX_CONCURRENT_BOTS: "5" }), begin({ MAX_CONCURRENT_BOTS: "5" })]);
  const answers = await Promise.all([...Array(16).keys()].map((i) => login(i % 2 === 0 ? a : b, i)));
  const inside = answers.filter(({ status }) => status === 200);
  assert.equal(inside.length, 5, answers.map(({ status, body }) => `${status} ${body}`).join("\n"));
  assert.ok(answers.every(({ status }) => status === 200 || status === 503));
  const [first] = inside as [Answer];
  assert.deepEqual(await Promise.all([a, b].map((each) => whoami(each, first.cookie))), [200, 200]);
  assert.equal((await ask(b, "/api/logout", { cookie: first.cookie, body: {} })).status, 204);
  await eventually("it has ended on both", async () => (await whoami(a, first.cookie)) === 401 && (await whoami(b, first.cookie)) === 401);
});
