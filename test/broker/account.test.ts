/** Daemons on one Google account, over a real Redis: one quota, one writer. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import { pino } from "pino";
import { ms, perMinute, seconds } from "../../src/base/units.ts";
import { newsOf, SharedAccount } from "../../src/broker/account.ts";
import { Engine, type EngineEvents, type EnginePort } from "../../src/broker/ledger/redis/engine.ts";
import { Ledger } from "../../src/broker/quota.ts";
import { openStore, type Store } from "../../src/broker/store.ts";
import { folder } from "../support/cleanup.ts";
import { fc } from "../support/fast-check.ts";
import { needsRedis, RedisServer } from "../support/redis.ts";
import { times } from "../support/times.ts";
import { eventually } from "../support/wait.ts";
import { FakeTime } from "./time.ts";

const skip = needsRedis();
const log = pino({ level: "silent" });
let server: RedisServer;
before(async () => {
  if (skip === false) server = await RedisServer.begin();
});
after(async () => {
  if (skip === false) await server.kill();
});

/** An engine whose way can be cut for one daemon alone. */
class Cuttable implements EnginePort {
  readonly #engine: Engine;
  #events: EngineEvents | undefined;
  #isCut = false;
  /** How often it was connected. */
  readies = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get isReady(): boolean {
    return !this.#isCut && this.#engine.isReady;
  }

  get report(): Engine["report"] {
    return this.#engine.report;
  }

  get reaches(): boolean {
    return !this.#isCut;
  }

  start(events: EngineEvents): void {
    this.#events = events;
    this.#engine.start({
      connected: async () => (this.#isCut ? undefined : await events.connected(this)),
      ready: () => {
        this.readies += 1;
        if (!this.#isCut) events.ready();
      },
      away: () => events.away(),
      heard: (news) => this.#isCut || events.heard(news),
    });
  }

  cut(): void {
    this.#isCut = true;
    this.#events?.away();
  }

  async mend(): Promise<void> {
    if (!this.#isCut) return;
    this.#isCut = false;
    const connected = async (): Promise<boolean> => {
      await this.#events?.connected(this);
      return true;
    };
    await eventually("it is connected", () => this.#engine.isReady && connected().catch(() => false));
    this.#events?.ready();
  }

  tried = (): Promise<string | undefined> => this.#engine.tried();
  begin = (): Promise<unknown> => this.#engine.begin();
  early: EnginePort["early"] = (name, told) => this.#engine.early(name, told);
  /** Ends the wait for a call that was denied. */
  readonly denied = new Set<() => void>();
  /** What passes on the way to the engine, and back. */
  transit = (): Promise<void> => Promise.resolve();
  step: EnginePort["step"] = async (name, told) => {
    await this.transit();
    const reply = await this.#step(name, told);
    await this.transit();
    return reply;
  };
  #step: EnginePort["step"] = async (name, told) => {
    const reply = this.#isCut ? undefined : await this.#engine.step(name, told);
    if (name === "call" && reply?.result !== 0) for (const each of this.denied) each();
    return reply;
  };
  close = (): void => this.#engine.close();
}

interface Daemon {
  readonly dir: string;
  readonly time: FakeTime;
  readonly account: SharedAccount;
  readonly read: Ledger;
  readonly engine: Cuttable;
  readonly store: Store;
}

let prefixes = 0;

interface World {
  readonly prefix: string;
  readonly time: FakeTime;
  /** Begins a daemon, or begins it again. */
  begin(dir?: string, options?: { readonly writes?: boolean }): Promise<Daemon>;
}

function world(t: TestContext): World {
  const [prefix, time] = [`account${(prefixes += 1)}:`, new FakeTime()];
  const running: Daemon[] = [];
  t.after(async () => {
    for (const { account, engine } of running) {
      engine.cut(); // it says nothing more
      await account.close();
    }
  });
  const begin: World["begin"] = async (dir = folder(t), { writes = true } = {}) => {
    // A process has one store: its files' temporary names are of its pid.
    await Promise.all(running.filter((each) => each.dir === dir).map((each) => each.store.close()));
    const store = openStore(dir, time.wall(), log);
    const url = `unix:${server.socket}`;
    const engine = new Cuttable(new Engine({ url, prefix, channel: newsOf("a"), log, now: () => time.wall(), answersWithin: seconds(30) }));
    const account = new SharedAccount({ engine, account: "a", name: `host:${dir}`, spreadsheet: "sheet", writes, store, clock: time });
    const read = new Ledger(perMinute(60), time, store.quota(), account.pool("read"));
    await account.start();
    const daemon = { dir, time, account, read, engine, store };
    running.push(daemon);
    return daemon;
  };
  return { prefix, time, begin };
}

/** Makes a call if there is room for it. */
async function call({ read, engine, time }: Daemon, within = seconds(20)): Promise<boolean> {
  if (read.next() > time.now()) return false;
  const giveUp = new AbortController();
  const denied = (): void => giveUp.abort();
  engine.denied.add(denied);
  const made = await read.take("other", AbortSignal.any([giveUp.signal, AbortSignal.timeout(within)]));
  engine.denied.delete(denied);
  return made;
}

async function calls(daemon: Daemon, most = 100): Promise<number> {
  for (let made = 0; ; made += 1) if (made >= most || !(await call(daemon))) return made;
}

test("0.17: two daemons on one account make 51 calls a minute together, and each sees those of the other", { skip }, async (t) => {
  const { time, begin } = world(t);
  const [a, b] = [await begin(), await begin()];
  assert.deepEqual([await calls(a, 40), await calls(b)], [40, 11]);
  assert.equal(await call(a), false);
  await eventually("each has heard of the other's", () => a.read.report().used === 51 && b.read.report().used === 51);
  assert.equal(a.read.next(), time.now() + 60_000);
  await time.advance(61_001);
  for (const each of [a, b]) await each.account.join();
  assert.deepEqual([await calls(b, 51), await calls(a)], [51, 0]);
  assert.deepEqual([a.account.report().daemons, b.account.report().silent], [2, 0]);
});

test("a call that the other has made in the same moment is waited for, and given up on demand", { skip }, async (t) => {
  const { begin } = world(t);
  const [a, b] = [await begin(), await begin()];
  const many = await Promise.all([...Array(60).keys()].map((i) => (i % 2 === 0 ? a : b).read.take("other", AbortSignal.timeout(2_000))));
  assert.ok(many.filter(Boolean).length <= 51);
  for (const { account, read } of [a, b]) {
    await account.join();
    assert.equal(read.report().used, 51, "asked for at once, whatever each of them knows");
  }
});

test("0.17: a 429 that one daemon was answered closes the quota for all, also for those that begin later", { skip }, async (t) => {
  const { time, begin } = world(t);
  const [a, b] = [await begin(), await begin()];
  a.read.lock((time.wall() + 42_000) as ReturnType<typeof time.wall>);
  await eventually("the other knows", () => b.read.locked);
  const late = await begin();
  assert.deepEqual([b.read.next(), late.read.next()], [time.now() + 42_000, time.now() + 42_000]);
  assert.deepEqual([await call(late), await call(a)], [false, false]);
});

test(
  "a daemon that is cut off makes its part of the reserve, and later of the quota, which the others leave to it",
  { skip },
  async (t) => {
    const { time, begin } = world(t);
    const [a, b] = [await begin(), await begin()];
    await calls(a, 20);
    await eventually("it knows", () => b.read.report().used === 20);
    b.engine.cut();
    assert.equal(await calls(b), 4, "of the nine that nobody plans with; the other may be making up to 51 calls now");
    await time.advance(12_000);
    await a.account.join();
    assert.equal(a.account.report().silent, 1);
    assert.equal(await calls(a), 51 - 25 - 20, "the other may make up to 25");
    await time.advance(63_000);
    assert.deepEqual([await calls(b), await calls(a)], [25, 26]);
    await b.engine.mend();
    assert.deepEqual([await calls(a), await calls(b)], [0, 0], "all 51 are known to both");
    await a.account.join();
    assert.deepEqual(
      [a, b].map(({ read }) => read.report().used),
      [51, 51],
    );
  },
);

test("a daemon that is alone on the account goes on without the engine, and without a pause", { skip }, async (t) => {
  const { begin } = world(t);
  const a = await begin();
  await calls(a, 20);
  a.engine.cut();
  assert.equal(await calls(a), 31);
  await a.engine.mend();
  const b = await begin();
  assert.equal(await calls(b), 0, "what it did alone counts");
});

test("one that has died leaves its part after an hour, one that stops at once", { skip }, async (t) => {
  const { time, begin } = world(t);
  const [a, b, c] = [await begin(), await begin(), await begin()];
  await c.account.close();
  await eventually("two are left", () => a.account.report().daemons === 2);
  b.engine.cut();
  await time.advance(12_000);
  assert.equal(await calls(a), 51 - 25);
  await time.advance(seconds(3_600));
  await a.account.join();
  assert.deepEqual([a.account.report().daemons, await calls(a)], [1, 51]);
});

test("a broker that begins again counts its predecessor's calls once; an engine that has forgotten is told of all", { skip }, async (t) => {
  const { time, begin } = world(t);
  const dir = folder(t);
  const a = await begin(dir);
  await calls(a, 30);
  a.store.keepQuota(a.read.state());
  const next = await begin(dir);
  const b = await begin();
  assert.deepEqual([next.read.report().used, b.read.report().used], [30, 30]);
  await eventually("they know of each other", () => next.account.report().daemons === 2);
  await server.say("FLUSHALL");
  for (const each of [a, next, b]) await each.account.join();
  await eventually("all are back", () => [a, next, b].every(({ read, engine }) => engine.isReady && read.report().used === 30));
  assert.equal(await calls(b), 21);

  await server.say("FLUSHALL");
  await time.advance(1_000);
  next.store.keepQuota(next.read.state());
  for (const each of [a, next, b]) each.engine.cut();
  const fresh = await begin(dir);
  assert.equal(await calls(fresh), 0, "51 calls, known from its own disk alone");
});

test(
  "of two daemons with one spreadsheet the second accepts no writes, until the first stops and does not come again",
  { skip },
  async (t) => {
    const { time, begin } = world(t);
    const [dir, other] = [folder(t), folder(t)];
    const reader = await begin(undefined, { writes: false });
    const a = await begin(dir);
    const b = await begin(other);
    assert.equal(a.account.notWriter, undefined);
    assert.match(b.account.notWriter ?? "", /^another daemon \(host:.*\) accepts the writes to this spreadsheet/);
    assert.deepEqual([reader.account.report().notWriter, "notWriter" in a.account.report()], [undefined, false]);

    await server.say("FLUSHALL"); // whichever connects first: the writer stays
    await b.account.join();
    await eventually("it is back", () => b.engine.isReady);
    await eventually("the first is back", async () => (await a.account.join(), a.engine.isReady));
    await b.account.join();
    assert.deepEqual([a.account.notWriter, typeof b.account.notWriter], [undefined, "string"]);

    await a.account.close();
    await b.account.join();
    assert.equal(typeof b.account.notWriter, "string", "a restart takes some seconds");
    const again = await begin(dir);
    assert.equal(again.account.notWriter, undefined);
    b.engine.cut();
    assert.equal(typeof b.account.notWriter, "string", "without the engine all stays as it was");
    again.engine.cut();
    assert.equal(again.account.notWriter, undefined);
    await Promise.all([b.engine.mend(), again.engine.mend()]);

    await again.account.close();
    await time.advance(seconds(31));
    await b.account.join();
    assert.equal(b.account.notWriter, undefined);
    assert.equal(typeof (await begin(dir)).account.notWriter, "string", "it comes too late");
  },
);

test("whether another one writes is not known before the store was reached once, and known from then on", { skip }, async (t) => {
  const { begin } = world(t);
  const dir = folder(t);
  const early = await begin(dir);
  await early.account.close();
  const store = openStore(folder(t), new FakeTime().wall(), log);
  const engine = new Engine({ url: "redis://127.0.0.1:9", prefix: "x:", log });
  const cold = new SharedAccount({ engine, account: "a", name: "n", spreadsheet: "s", writes: true, store, clock: new FakeTime() });
  t.after(() => cold.close());
  await cold.start();
  assert.match(cold.notWriter ?? "", /^the session store was not reached yet/);
  const known = new SharedAccount({
    engine,
    account: "a",
    name: "n",
    spreadsheet: "s",
    writes: true,
    store: early.store,
    clock: new FakeTime(),
  });
  assert.equal(known.notWriter, undefined, "it was the writer when it ended");
});

test("calls that were made alone are known after a crash; a restart counts none twice", { skip }, async (t) => {
  const { begin } = world(t);
  const dir = folder(t);
  const a = await begin(dir);
  a.engine.cut();
  assert.equal(await calls(a, 20), 20);
  a.store.keepQuota(a.read.state());
  let next = await begin(dir);
  for (let restarts = 0; restarts < 3; restarts += 1) {
    await next.account.close();
    next.store.keepQuota(next.read.state());
    next = await begin(dir);
  }
  assert.equal(next.read.report().used, 20);
  assert.equal(await calls(next), 31);
});

test("an engine that was emptied and begun by another is noticed: no call is forgotten, the writer stays", { skip }, async (t) => {
  const { begin, prefix } = world(t);
  const [a, b] = [await begin(), await begin()];
  await calls(a, 30);
  await eventually("it knows", () => b.read.report().used === 30);
  await server.say("FLUSHALL");
  await server.say(`SET ${prefix}born another`);
  await b.account.join();
  await eventually("it is back", () => b.engine.isReady);
  assert.deepEqual([await calls(b), typeof b.account.notWriter], [0, "string"], "the other one may make 25");
  await a.account.join();
  await eventually("it is back", () => a.engine.isReady);
  assert.deepEqual([await calls(b), a.account.notWriter], [21, undefined]);
});

test("a daemon that is cut off is left the part that it knows of, although others have come", { skip }, async (t) => {
  const { time, begin } = world(t);
  const [a, b] = [await begin(), await begin()];
  b.engine.cut();
  await time.advance(75_000);
  for (let more = 0; more < 3; more += 1) await begin();
  assert.deepEqual([await calls(a), await calls(b)], [26, 25]);
});

test("a predecessor that leaves takes nothing from its successor, and makes no call any more", { skip }, async (t) => {
  const { time, begin } = world(t);
  const dir = folder(t);
  const [before, other] = [await begin(dir), await begin()];
  await time.advance(1_000);
  const next = await begin(dir);
  await before.account.join();
  await before.account.close();
  await other.account.join();
  assert.deepEqual(
    [other.account.report().daemons, other.account.report().silent, next.account.notWriter, typeof other.account.notWriter],
    [2, 0, undefined, "string"],
  );
  assert.equal(await call(before, ms(50)), false);
});

test("a call that is given up while the engine is asked is not made", { skip }, async (t) => {
  const { begin } = world(t);
  const a = await begin();
  const giveUp = new AbortController();
  const taken = a.read.take("other", giveUp.signal);
  giveUp.abort();
  assert.equal(await taken, false);
});

test("an engine whose clock is set back counts calls of the future as made now", { skip }, async (t) => {
  const { time, begin } = world(t);
  const [a, b] = [await begin(), await begin()];
  await calls(a);
  time.setWall(-3_600_000);
  await Promise.all([a, b].map(({ account }) => account.join()));
  assert.equal(await calls(b), 0);
  await time.advance(61_001);
  await Promise.all([a, b].map(({ account }) => account.join()));
  assert.equal(await calls(b), 51);
});

test("a writer that was stopped beside others waits for the store before it accepts writes again", { skip }, async (t) => {
  const { begin } = world(t);
  const dir = folder(t);
  const [a] = [await begin(dir), await begin()];
  await eventually("it knows of the other", () => a.account.report().daemons === 2);
  await a.account.close();
  assert.equal(a.store.daemon().writer, undefined);
});

test("a lock-out ends for all when Google's does, however slow the engine is", { skip }, async (t) => {
  const { time, begin } = world(t);
  const all = [await begin(), await begin(), await begin()];
  for (const { engine } of all) engine.transit = () => time.advance(900);
  all[0]?.read.lock((time.wall() + 42_000) as ReturnType<typeof time.wall>);
  await eventually("the others know", () => all.every(({ read }) => read.locked));
  for (let round = 0; round < 10; round += 1) for (const { account } of all) await account.join(); // 54 s
  assert.deepEqual(
    all.map(({ read }) => read.locked),
    [false, false, false],
  );
});

test("one that is cut off for an hour, or that begins cut off, makes its part of the reserve alone", { skip }, async (t) => {
  const { time, begin } = world(t);
  const dir = folder(t);
  const [a, b] = [await begin(dir), await begin()];
  await eventually("they know of each other", () => a.account.report().daemons === 2);
  for (const { engine } of [a, b]) engine.cut();
  await time.advance(seconds(3_600));
  assert.deepEqual([await calls(a), await calls(b)], [4, 4]);
  await time.advance(seconds(61));
  const store = openStore(folder(t), time.wall(), log);
  store.keepDaemon({ daemons: 2, writer: undefined });
  const engine = new Engine({ url: "redis://127.0.0.1:9", prefix: "x:", log });
  const cold = new SharedAccount({ engine, account: "a", name: "n", spreadsheet: "s", writes: true, store, clock: time });
  t.after(() => cold.close());
  const read = new Ledger(perMinute(60), time, undefined, cold.pool("read"));
  await cold.start();
  await time.advance(seconds(100));
  let made = 0;
  while (read.next() <= time.now() && (await read.take("other"))) made += 1;
  assert.equal(made, 4, "the others can't have heard of it");
});

test(
  "the user that docs/sessions.md describes may share an account; one without the channel is refused at the start",
  { skip },
  async (t) => {
    const other = await RedisServer.begin();
    t.after(() => other.kill());
    const [line = ""] = /^ACL SETUSER .*$/m.exec(readFileSync(new URL("../../docs/sessions.md", import.meta.url), "utf8")) ?? [];
    const start = async (): Promise<SharedAccount> => {
      const time = new FakeTime();
      const store = openStore(folder(t), time.wall(), log);
      const engine = new Engine({ url: `redis://drover:PASSWORD@127.0.0.1:${other.port}`, prefix: "drover:", channel: newsOf("a"), log });
      const account = new SharedAccount({ engine, account: "a", name: "n", spreadsheet: "s", writes: true, store, clock: time });
      t.after(() => account.close());
      const read = new Ledger(perMinute(60), time, undefined, account.pool("read"));
      await account.start();
      assert.deepEqual([await read.take(), account.notWriter], [true, undefined]);
      read.lock((time.wall() + 1_000) as ReturnType<typeof time.wall>);
      return account;
    };
    assert.match(await other.say(line), /^\+OK/);
    await (await start()).close();
    assert.match(await other.say("ACL SETUSER drover resetchannels &drover:changes"), /^\+OK/);
    await assert.rejects(start(), { code: "DROVER_E_SESSION_STORE" });
  },
);

/** The engine has forgotten everything, and those that reach it have noticed. */
async function forgotten(daemons: readonly Daemon[]): Promise<void> {
  await server.say("FLUSHALL");
  for (const { account, engine } of daemons) {
    const before = engine.readies;
    await account.join();
    if (engine.reaches) await eventually("it is back", () => engine.readies > before);
  }
}

interface Step {
  readonly by: number;
  readonly op: "call" | "burst" | "cut" | "mend" | "wait" | "join" | "stop" | "flush";
  readonly span: number;
}

test(
  "0.17: whoever is cut off, stops or comes again, and whenever: never more calls than the limit in any minute (model)",
  { skip },
  async (t) => {
    const op = fc.constantFrom<Step["op"][]>("call", "burst", "burst", "cut", "mend", "wait", "wait", "join", "stop", "flush");
    const step = fc.record({ by: fc.nat(2), op, span: fc.integer({ min: 1, max: 40_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const { time, begin } = world(t);
        const dirs = [folder(t), folder(t), folder(t)];
        const daemons = [];
        for (const dir of dirs) daemons.push(await begin(dir));
        for (const each of daemons) await each.account.join();
        const made: number[] = [];
        for (const { by, op: what, span } of steps) {
          const daemon = daemons[by] as Daemon;
          if (what === "wait") {
            // As time goes by, those that can say that they are there.
            for (let gone = 0; gone < span; gone += 5_000) {
              await time.advance(Math.min(5_000, span - gone));
              for (const each of daemons) await each.account.join();
            }
          } else if (what === "cut") daemon.engine.cut();
          else if (what === "mend") await daemon.engine.mend();
          else if (what === "join") await daemon.account.join();
          else if (what === "flush") await forgotten(daemons);
          else if (what === "stop") {
            daemon.store.keepQuota(daemon.read.state());
            await daemon.engine.mend();
            await daemon.account.close();
            daemons[by] = await begin(dirs[by]);
          } else {
            const most = what === "call" ? 1 : 30;
            for (let i = 0; i < most && daemon.read.next() <= time.now(); i += 1) if (await call(daemon)) made.push(time.now());
          }
        }
        for (const { account, engine } of daemons) {
          engine.cut();
          await account.close();
        }
        for (const at of made) assert.ok(made.filter((other) => other >= at && other < at + 60_000).length <= 60, made.join(" "));
      }),
      { numRuns: times(15), endOnFailure: true },
    );
  },
);
