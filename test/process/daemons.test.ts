/** Two daemons with one spreadsheet, one Google account (the emulator's) and one Redis: one quota, one writer, exact slots; the Redis fails meanwhile. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { standalone, type Standalone } from "../tools/emulator/standalone.ts";
import { needsRedis, RedisServer } from "../support/redis.ts";
import { eventually } from "../support/wait.ts";
import { cleanEnv, DROVER, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { ask, login, whoami, type Answer } from "./members.ts";

const skip = needsRedis();
interface World {
  readonly redis: RedisServer;
  readonly emulator: Standalone;
  readonly env: NodeJS.ProcessEnv;
  begin(env?: NodeJS.ProcessEnv): Promise<Daemon>;
}

async function world(t: TestContext, args: readonly string[] = []): Promise<World> {
  const redis = await RedisServer.begin();
  t.after(() => redis.kill());
  const emulator = await standalone(t, ["--faults", ...args]);
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
  const { redis, emulator, env, begin } = await world(t);
  const a = await begin();
  const b = await begin();
  const write = (daemon: Daemon, id: string): Promise<Answer> =>
    ask(daemon, "/api/tables/actions", { body: { id, player: "p1" }, headers: { "idempotency-key": id } });
  assert.equal((await write(a, "of-a")).status, 201);
  const refused = await write(b, "of-b");
  assert.deepEqual([refused.status, /not-writer/.test(refused.body)], [503, true], refused.body);
  assert.doesNotMatch(refused.body, new RegExp(a.dir), "places are the operator's");
  await redis.kill();
  const keyless = (daemon: Daemon): Promise<Answer> => ask(daemon, "/api/tables/actions", { body: { player: "p2" } });
  const meanwhile = await Promise.all([...Array(10).keys()].map((i) => keyless(i % 2 === 0 ? a : b)));
  await redis.start();
  const kept = meanwhile
    .filter(({ status }) => status === 201)
    .map(({ body }) => (JSON.parse(body) as { write: { key: string } }).write.key);
  assert.deepEqual(
    meanwhile.map(({ status }) => status),
    Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? 201 : 503)),
    "without the Redis, too",
  );
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
  const inSheet = await eventually("all are in the sheet", async () => {
    const ids = (await emulator.rows("actions")).map(([id]) => String(id));
    return kept.every((id) => ids.includes(id)) && ids;
  });
  assert.equal(inSheet.includes("of-b"), false);
  assert.equal(new Set(inSheet).size, inSheet.length, "no key is given twice");
});

test("slots at the limit from both at once, while the Redis is paused, killed and comes again empty", { skip }, async (t) => {
  const { redis, begin } = await world(t);
  const both = await Promise.all([begin({ MAX_CONCURRENT_BOTS: "5" }), begin({ MAX_CONCURRENT_BOTS: "5" })]);
  const [a, b] = both;
  /** Players log in, half of them at each daemon, all at once. */
  const flood = (from = 0, times = 16): Promise<Answer[]> =>
    Promise.all([...Array(times).keys()].map((i) => login(i % 2 === 0 ? a : b, from + i)));
  const inside = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status === 200);
  const known = (cookies: readonly Answer[]): Promise<number[][]> =>
    Promise.all(both.map((each) => Promise.all(cookies.map(({ cookie }) => whoami(each, cookie)))));

  const first = await flood();
  const members = inside(first);
  assert.equal(members.length, 5, first.map(({ status, body }) => `${status} ${body}`).join("\n"));
  assert.ok(first.every(({ status }) => status === 200 || status === 503));
  assert.deepEqual(
    await known(members),
    Array.from({ length: 2 }, () => Array(5).fill(200)),
    "a login on one is valid on the other",
  );
  const authorization = "Bearer 0123456789abcdef-the-operators-own";
  await eventually("both show the sum", async () => {
    const shown = await Promise.all(both.map((each) => ask(each, "/api/admin/capacity", { headers: { authorization } })));
    return shown.every(({ body }) => (JSON.parse(body) as { capacity: { current: number } }).capacity.current === 5);
  });

  const leaves = members.pop() as Answer;
  const logout = (): Promise<Answer> => ask(b, "/api/logout", { cookie: leaves.cookie, body: {} });
  redis.signal("SIGSTOP");
  const unheard = await Promise.all([login(a, 30), login(b, 31)]); // it will read them when it goes on, and it is full
  for (const each of both) await each.logged(/^the session store is away: it does not answer/);
  await eventually("both have raised the alert", async () =>
    (await Promise.all(both.map((each) => each.status()))).every(({ alerts }) => alerts.some(({ name }) => name === "session-store")),
  );
  assert.deepEqual(
    [...unheard, ...(await flood(20, 4)), await logout()].map(({ status, retryAfter }) => [status, Number(retryAfter) > 0]),
    Array.from({ length: 7 }, () => [503, true]),
    "nothing is acknowledged",
  );
  assert.deepEqual(
    await known(members),
    Array.from({ length: 2 }, () => Array(4).fill(200)),
    "who is in stays in",
  );
  redis.signal("SIGCONT");
  await eventually("the logout is done", async () => (await logout()).status === 204);
  await eventually("it has ended on both", async () => (await known([leaves])).every(([status]) => status === 401));
  const second = await eventually("logins are decided again", async () => {
    const answers = await flood(40);
    return inside(answers).length > 0 && answers;
  });
  members.push(...inside(second));
  assert.equal(members.length, 5);

  await redis.kill();
  await redis.start();
  const third = await eventually("logins are decided again", async () => {
    const answers = await flood();
    return inside(answers).length > 0 && answers;
  });
  // Sessions in use before are admitted again while there is room: which ones come in first is open.
  await eventually("five are in on both, and the same", async () => {
    const [ofA = [], ofB = []] = await known([...members, ...inside(third)]);
    return ofA.filter((status) => status === 200).length === 5 && ofA.every((status, i) => (status === 200) === (ofB[i] === 200));
  });
});
