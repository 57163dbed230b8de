/** The store on a real Redis: the contract, several brokers on one, an engine that is away, wrong or forgets. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import { pino } from "pino";
import { ms, seconds } from "../../../src/base/units.ts";
import { EmbeddedStore } from "../../../src/broker/ledger/embedded.ts";
import { keepNothing, openKept, type Kept } from "../../../src/broker/ledger/kept.ts";
import { Engine } from "../../../src/broker/ledger/redis/engine.ts";
import { RedisStore } from "../../../src/broker/ledger/redis/store.ts";
import type { SlotRules } from "../../../src/broker/ledger/slots.ts";
import { folder } from "../../support/cleanup.ts";
import { freePort } from "../../support/ports.ts";
import { needsRedis, RedisServer } from "../../support/redis.ts";
import { times } from "../../support/times.ts";
import { eventually } from "../../support/wait.ts";
import { FakeTime } from "../time.ts";
import { ledgerContract, type StoreWorld } from "./contract.ts";
import { RULES, session } from "./ledgers.ts";

const skip = needsRedis();
let server: RedisServer;
before(async () => {
  if (skip === false) server = await RedisServer.begin();
});
after(async () => {
  if (skip === false) await server.kill();
});

let prefixes = 0;

interface World extends StoreWorld {
  readonly store: RedisStore;
  readonly lines: string[];
  readonly time: FakeTime;
}

interface Options {
  readonly rules?: Partial<SlotRules>;
  readonly prefix?: string;
  readonly time?: FakeTime;
  readonly open?: () => Kept;
  readonly url?: string;
}

/** A broker's store. It need not be ready yet. */
function begin(t: TestContext, options: Options = {}): World {
  const { prefix = `test${(prefixes += 1)}:`, time = new FakeTime(), open = () => keepNothing, url = `unix:${server.socket}` } = options;
  const rules = { ...RULES, ...options.rules };
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const out: string[] = [];
  const own = new EmbeddedStore({ rules, zone: "Europe/Paris", clock: time, log, open, pause: () => ms(20) });
  const engine = new Engine({ url, prefix, log, now: () => time.wall() });
  const store = new RedisStore({ own, engine, rules, clock: time });
  store.start({ ended: (id, why) => out.push(`${id} ${why}`), changed: () => {} });
  t.after(() => store.close());
  return { store, out, lines, time, wall: () => time.wall(), pass: (span) => time.advance(span), heard: () => store.tell() };
}

async function ready(t: TestContext, options: Options = {}): Promise<World> {
  const w = begin(t, options);
  await eventually("the engine is ready", () => w.store.report.problem === undefined);
  return w;
}

if (skip === false) ledgerContract("Redis", { make: (t, rules) => ready(t, { rules }), tries: times(20) });

test(
  "a login on one broker is valid on the other, and a logout or an operator ends it on both; slots are exact over both",
  { skip },
  async (t) => {
    const a = await ready(t, { prefix: "two:" });
    const b = await ready(t, { prefix: "two:", time: a.time });
    const [ada, bob, eve, kim] = ["ada", "bob", "eve", "kim"].map((user) => session(user, a.wall()));
    assert.ok(ada && bob && eve && kim);
    const both = await Promise.all([a.store.enter(ada), b.store.enter(bob), a.store.enter(eve), b.store.enter(kim)]);
    assert.deepEqual([both.filter((one) => one?.is === "in").length, both.filter((one) => one?.is === "full").length], [3, 1]);
    await eventually("both know how full it is", () => a.store.state.used === 3 && b.store.state.used === 3);
    assert.deepEqual(await b.store.enter(ada), { is: "in" });
    assert.equal(await b.store.leave(ada), true);
    await eventually("the other is told", () => a.out.includes(`${ada.id} revoked`));
    assert.deepEqual(await a.store.enter(ada), { is: "revoked" });
    assert.deepEqual(await b.store.end("bob"), { count: 1, durable: true });
    await eventually("the other is told", () => a.out.includes(`${bob.id} revoked`));
    assert.deepEqual((await a.store.list()).map(({ user }) => user).toSorted(), (await b.store.list()).map(({ user }) => user).toSorted());
    const deeds = [{ key: "write:user:ada", most: 5, per: seconds(60) }];
    const spent = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? a : b).store.spend(deeds)));
    assert.equal(spent.filter((one) => one?.is === "ok").length, 5);
  },
);

test("an engine that forgets ends no logout and gives no day's count back, whatever it has forgotten it by", { skip }, async (t) => {
  const dir = folder(t);
  const silent = pino({ level: "silent" });
  const w = await ready(t, { open: () => openKept(dir, silent), rules: { max: 5 } });
  const [ada, bob, eve] = [session("ada", w.wall()), session("bob", w.wall()), session("eve", w.wall())];
  for (const one of [ada, bob, eve]) assert.deepEqual(await w.store.enter(one), { is: "in" });
  assert.equal(await w.store.leave(ada), true);
  await w.store.end("bob");
  const day = [{ key: "day:user:ada", most: 3, per: "day" as const }];
  for (let i = 0; i < 2; i += 1) assert.equal((await w.store.spend(day))?.is, "ok");
  for (const forget of [() => server.say("FLUSHALL"), async () => (await server.kill(), await server.start())]) {
    await forget();
    assert.ok(["away", "in"].includes((await w.store.enter(eve))?.is ?? ""), "who is in stays in meanwhile");
    await eventually("the engine is ready again", () => w.store.report.problem === undefined);
    for (const one of [ada, bob]) assert.deepEqual(await w.store.enter(one), { is: "revoked" });
    const other = await ready(t, { prefix: `test${prefixes}:`, time: w.time });
    for (const one of [ada, bob])
      assert.deepEqual(await other.store.enter(one), { is: "revoked" }, "another broker, too, by the engine alone");
  }
  assert.deepEqual([(await w.store.spend(day))?.is, (await w.store.spend(day))?.is], ["ok", "over"]);
});

test(
  "while the engine is away who is in stays in for a lease, logins and logouts wait, limits are kept here; then all goes on",
  { skip },
  async (t) => {
    const w = await ready(t);
    const [ada, bob] = [session("ada", w.wall()), session("bob", w.wall())];
    await w.store.enter(ada);
    await server.kill();
    const deeds = [{ key: "write:user:ada", most: 2, per: seconds(60) }];
    assert.deepEqual(
      [(await w.store.spend(deeds))?.is, (await w.store.spend(deeds))?.is, (await w.store.spend(deeds))?.is],
      ["ok", "ok", "over"],
    );
    assert.deepEqual(await w.store.enter(ada), { is: "in" });
    assert.equal((await w.store.enter(bob))?.is, "away");
    assert.equal(await w.store.leave(ada), false, "nothing is acknowledged that is not stored");
    assert.deepEqual(await w.store.enter(ada), { is: "revoked" }, "but it is over here");
    const ended = await w.store.end("bob");
    assert.match(typeof ended === "string" ? ended : "", /^the session store is away: .+\. Nobody was put out: try again$/);
    assert.ok(w.store.isUnread);
    await server.start();
    await eventually("it is ready again", () => w.store.report.problem === undefined);
    assert.equal(await w.store.leave(ada), true);
    assert.deepEqual(await w.store.enter(bob), { is: "in" });
    const said = w.lines.filter((line) => line.includes("is away")).map((line) => (JSON.parse(line) as { msg: string }).msg);
    assert.ok(said.length > 0 && new Set(said).size === said.length, `each reason once: ${said.join("; ")}`);
  },
);

test(
  "names of half characters, of bytes that mean something to Lua or Redis, and very long ones are names as others",
  { skip },
  async (t) => {
    const w = await ready(t, { rules: { max: 50 } });
    for (const name of ["\ud800", "a\udc00b", "\0", "*", "a b\r\nFLUSHALL", "]]--", "é\u2028", "at", "x".repeat(300)]) {
      const one = session(name, w.wall());
      assert.deepEqual(await w.store.enter(one), { is: "in" }, JSON.stringify(name));
      const deeds = [{ key: `login:user:${name}`, most: 1, per: seconds(60) }];
      assert.deepEqual([(await w.store.spend(deeds))?.is, (await w.store.spend(deeds))?.is], ["ok", "over"], JSON.stringify(name));
      assert.equal(await w.store.leave(one), true);
      assert.deepEqual(await w.store.enter(one), { is: "revoked" });
    }
    assert.equal(w.store.report.errors, 0);
  },
);

test("a step that fails by itself costs nobody else anything", { skip }, async (t) => {
  const w = await ready(t, { prefix: "odd:" });
  const ada = session("ada", w.wall());
  await server.say("SET odd:user:bob text");
  assert.equal((await w.store.enter(session("bob", w.wall())))?.is, "away");
  assert.deepEqual([await w.store.enter(ada), w.store.report.problem, w.store.report.errors], [{ is: "in" }, undefined, 1]);
  assert.ok(w.lines.some((line) => /could not do a step \(enter\): .*WRONGTYPE/.test(line)));
});

test("news that are none do no harm", { skip }, async (t) => {
  const w = await ready(t, { prefix: "news:" });
  const ada = session("ada", w.wall());
  await w.store.enter(ada);
  for (const news of ["x", "[]", "{}", '{"out":[1,{"id":5,"why":"revoked"}],"used":"x","seq":-1}'])
    assert.match(await server.say(`PUBLISH news:changes '${news}'`), /^:1/);
  assert.deepEqual([await w.store.enter(ada), w.store.state.used], [{ is: "in" }, 1]);
});

test("closed while it connects, and started again at once: one connection, and none after it was closed", { skip }, async (t) => {
  const clients = async (): Promise<number> => Number(/connected_clients:(\d+)/.exec(await server.say("INFO clients"))?.[1]) - 1;
  await eventually("other tests' connections have ended", async () => (await clients()) === 0);
  const w = begin(t);
  const events = { ended: () => {}, changed: () => {} };
  for (let nr = 0; nr < 3; nr += 1) {
    w.store.close();
    w.store.start(events);
  }
  await eventually("it is ready", () => w.store.report.problem === undefined);
  assert.deepEqual(await w.store.enter(session("ada", w.wall())), { is: "in" });
  await eventually("two connections are left", async () => (await clients()) === 2);
  assert.equal(w.store.report.problem, undefined);
  w.store.close();
  await eventually("none is left", async () => (await clients()) === 0);
  w.store.start(events);
  w.store.close();
  await eventually("none is left", async () => (await clients()) === 0);
  assert.notEqual(w.store.report.problem, undefined);
});

test("a broker that is new while the engine is away: sessions that its workers know end after a lease, too", { skip }, async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  t.after(() => server.start());
  await server.kill();
  const w = begin(t);
  const [ada, bob] = [session("ada", w.wall()), session("bob", w.wall())];
  w.store.renew({ active: [], held: [], known: [ada, bob] });
  w.store.renew({ active: [ada], held: [], known: [] });
  await w.pass(RULES.lease);
  t.mock.timers.tick(5_000);
  assert.deepEqual(w.out.toSorted(), [`${ada.id} expired`, `${bob.id} expired`]);
});

test("a broker that can't read its own file yet tells the engine of it once it can", { skip }, async (t) => {
  const dir = folder(t);
  const silent = pino({ level: "silent" });
  const first = await ready(t, { prefix: "late:", open: () => openKept(dir, silent) });
  const ada = session("ada", first.wall());
  await first.store.enter(ada);
  assert.equal(await first.store.leave(ada), true);
  first.store.close();
  await server.say("FLUSHALL");
  let broken = true;
  const second = begin(t, {
    prefix: "late:",
    time: first.time,
    open: () => {
      if (broken) throw new Error("disk I/O error");
      return openKept(dir, silent);
    },
  });
  await eventually("it says why", () => /can't read its own ledger\.db yet/.test(second.store.report.problem ?? ""));
  assert.equal((await second.store.enter(ada))?.is, "away");
  broken = false;
  await eventually("it is ready", () => second.store.report.problem === undefined);
  const other = await ready(t, { prefix: "late:", time: first.time });
  assert.deepEqual(await other.store.enter(ada), { is: "revoked" }, "by the engine alone");
});

test("an engine that stays away: after a lease nobody is taken for in any more", { skip }, async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const w = await ready(t);
  const ada = session("ada", w.wall());
  await w.store.enter(ada);
  t.after(() => server.start());
  await server.kill();
  await eventually("it is away", () => w.store.report.problem !== undefined);
  await w.pass(RULES.lease - 1);
  w.store.renew({ active: [ada], held: [], known: [] });
  t.mock.timers.tick(5_000);
  assert.deepEqual([w.out, await w.store.enter(ada)], [[], { is: "in" }]);
  await w.pass(1);
  t.mock.timers.tick(5_000);
  assert.deepEqual(w.out, [`${ada.id} expired`]);
  assert.equal((await w.store.enter(ada))?.is, "away");
});

test("an engine that is stopped for a while is away, and comes back by itself", { skip }, async (t) => {
  const w = await ready(t);
  const [ada, bob] = [session("ada", w.wall()), session("bob", w.wall())];
  await w.store.enter(ada);
  t.after(() => server.signal("SIGCONT"));
  server.signal("SIGSTOP");
  assert.equal((await w.store.enter(bob))?.is, "away");
  assert.deepEqual(await w.store.enter(ada), { is: "in" });
  assert.ok(w.store.report.problem);
  server.signal("SIGCONT");
  await eventually("it is ready again", () => w.store.report.problem === undefined);
  assert.deepEqual(await w.store.enter(bob), { is: "in" });
  assert.ok(w.store.report.errors >= 1);
});

test(
  "a broker that was cut off hears as soon as it is back of a session that ended meanwhile, although it is in use here",
  { skip },
  async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    await server.say("ACL SETUSER cut on >pass ~* &* +@all");
    t.after(() => server.say("ACL DELUSER cut"));
    const b = await ready(t);
    const a = await ready(t, { prefix: `test${prefixes}:`, time: b.time, url: `redis://cut:pass@127.0.0.1:${server.port}` });
    const ada = session("ada", a.wall());
    await a.store.enter(ada);
    await server.say("ACL SETUSER cut off");
    await server.say("CLIENT KILL USER cut");
    await eventually("it is cut off", () => a.store.report.problem !== undefined);
    a.store.renew({ active: [ada], held: [], known: [] });
    assert.equal(await b.store.leave(ada), true);
    await server.say("ACL SETUSER cut on");
    await eventually("it hears of it, by no timer", () => a.out.includes(`${ada.id} revoked`));
  },
);

test("a wrong engine is named: password, user, database, replica, memory, cluster", { skip }, async (t) => {
  const wrong = async (args: readonly string[], url: (port: number) => string, problem: RegExp, lasting = true): Promise<void> => {
    const other = await RedisServer.begin(...args);
    t.after(() => other.kill());
    const w = begin(t, { url: url(other.port) });
    await eventually(String(problem), () => problem.test(w.store.report.problem ?? ""));
    assert.ok(w.store.report.problem);
    if (lasting) await assert.rejects(w.store.ready(), { code: "DROVER_E_SESSION_STORE", message: problem });
    else await w.store.ready();
    assert.equal((await w.store.enter(session("ada", w.wall())))?.is, "away");
    w.store.close();
    await other.kill();
  };
  const plain = (port: number): string => `redis://127.0.0.1:${port}`;
  await wrong(["--requirepass", "right"], (port) => `redis://:wrong@127.0.0.1:${port}`, /refuses the user name or the password/);
  await wrong(["--requirepass", "right"], plain, /wants a password/);
  await wrong([], (port) => `redis://127.0.0.1:${port}/99`, /has no such database/);
  await wrong(["--replicaof", "127.0.0.1", "1"], plain, /is a replica/);
  await wrong(["--maxmemory", "1"], plain, /its memory is full/, false);
  await wrong(["--cluster-enabled", "yes", "--cluster-port", String(await freePort())], plain, /is a cluster/);
  await wrong(
    ["--user", "weak", "on", ">pw", "~*", "&*", "+ping", "+info", "+hello", "+client"],
    (port) => `redis://weak:pw@127.0.0.1:${port}`,
    /may not do what drover needs/,
  );
});

test("the user that docs/sessions.md describes may do all that is needed", { skip }, async (t) => {
  const other = await RedisServer.begin();
  t.after(() => other.kill());
  const [line = ""] = /^ACL SETUSER .*$/m.exec(readFileSync(new URL("../../../docs/sessions.md", import.meta.url), "utf8")) ?? [];
  assert.match(await other.say(line), /^\+OK/);
  const w = await ready(t, { url: `redis://drover:PASSWORD@127.0.0.1:${other.port}`, prefix: "drover:" });
  const ada = session("ada", w.wall());
  assert.deepEqual(await w.store.enter(ada), { is: "in" });
  const deeds = [
    { key: "write:user:ada", most: 5, per: seconds(60), burst: 5 },
    { key: "day:user:ada", most: 5, per: "day" as const },
    { key: "write:all", most: 5, per: seconds(60) },
  ];
  assert.equal((await w.store.spend(deeds))?.is, "ok");
  w.store.refund(deeds);
  w.store.renew({ active: [ada], held: [], known: [] });
  await w.store.tell();
  assert.equal((await w.store.list()).length, 1);
  assert.equal(await w.store.leave(ada), true);
  await other.say("FLUSHALL");
  assert.deepEqual(await w.store.enter(ada), { is: "revoked" });
  await w.store.reap();
  await eventually("it is told again", () => w.store.report.problem === undefined && w.store.report.errors === 1);
});
