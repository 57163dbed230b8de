/** A worker's ledger, over a call and over the broker's socket: what it knows without asking, and what it does alone. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { pino } from "pino";
import { systemClock } from "../../src/base/clock.ts";
import { minutes, ms, seconds } from "../../src/base/units.ts";
import { keepNothing, openKept, type Kept } from "../../src/broker/ledger/kept.ts";
import { serveBroker } from "../../src/broker/rpc.ts";
import { brokerTransport } from "../../src/sheets/broker-transport.ts";
import type { BrokerPort } from "../../src/sheets/direct-transport.ts";
import type { Ledger, Tallies } from "../../src/sheets/ledger.ts";
import { createLedger } from "../../src/sheets/ledger-client.ts";
import type { LedgerLink, LedgerLinkEvents } from "../../src/sheets/ledger-link.ts";
import { readFromBroker } from "../../src/sheets/wire-from-broker.ts";
import { readFromClient } from "../../src/sheets/wire-from-client.ts";
import { FakeTime } from "../broker/time.ts";
import { ledgerByHand, session } from "../broker/ledger/ledgers.ts";
import { eventually } from "../support/wait.ts";

const log = pino({ level: "silent" });
const wall = (): number => systemClock.wall();

const fullDisk = (): Kept => ({
  ...keepNothing,
  write() {
    throw new Error("database or disk is full");
  },
});

/** A broker that has nothing but a ledger, on a real socket, and workers that find it there. */
function machine(t: TestContext, rules = {}, on?: () => Kept) {
  const folder = mkdtempSync(join(tmpdir(), "drover-lc-"));
  const path = join(folder, "broker.sock");
  const ends: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  t.after(() => ends.toReversed().forEach((end) => end()));
  const broker = () => {
    const byHand = ledgerByHand({ rules, open: on ?? (() => openKept(folder, log)) });
    const port: BrokerPort = {
      subscribe: () => ({ saw: () => {}, end: () => {} }),
      follow: () => () => {},
      want: () => Promise.resolve(undefined),
      touch: () => {},
      write: () => Promise.reject(new Error("not here")),
      find: () => Promise.resolve(undefined),
      since: () => undefined,
      peek: () => undefined,
      ledger: byHand.host,
    };
    const rpc = serveBroker(port, path, log);
    ends.push(() => (byHand.host.close(), rpc.close()));
    return { ...byHand, rpc };
  };
  const worker = (): Ledger & Tallies => {
    const link = brokerTransport({ path, slot: 0, generation: 1, timeout: seconds(5), log });
    const ledger = createLedger(link.ledger, { tellEvery: ms(20) });
    const nothing = (): void => {};
    link.listen({
      snapshot: nothing,
      edited: () => true,
      renewed: nothing,
      failed: nothing,
      tables: nothing,
      changes: nothing,
      link: nothing,
    });
    ends.push(() => link.close());
    return ledger;
  };
  return { broker, worker };
}

test("who is in is known without asking, in the worker that let them in; the others are told who is out", async (t) => {
  const { broker, worker } = machine(t);
  const one = broker();
  one.rpc.takeOver();
  const [a, b] = [worker(), worker()];
  const ended: string[] = [];
  b.onEnded((id, why) => void ended.push(`${id} ${why}`));
  const ada = session("ada", wall());
  assert.equal(a.standing(ada), undefined);
  assert.deepEqual(await a.enter(ada), { is: "in" });
  assert.deepEqual(a.standing(ada), { is: "in" });
  assert.equal(b.standing(ada), undefined, "not heard of here");
  assert.deepEqual(await b.enter(ada), { is: "in" });
  assert.deepEqual(one.host.store.state.used, 1);
  await eventually("both know how full it is", () => a.slots().used === 1 && b.slots().used === 1);

  const again = session("ada", wall() + 1);
  assert.deepEqual(await b.enter(again), { is: "in" });
  await eventually("the older one is out everywhere", () => a.standing(ada)?.is === "taken-over" && b.standing(ada)?.is === "taken-over");
  assert.deepEqual(ended, [`${ada.id} taken-over`]);
  await a.leave(again);
  await eventually("logged out everywhere", () => b.standing(again)?.is === "revoked");
  assert.deepEqual(await b.enter(again), { is: "revoked" });
  assert.equal(one.host.store.state.used, 0);
  assert.deepEqual(await a.enter({ ...ada, id: "x".repeat(1_000) }), { is: "revoked" }, "no cookie of ours says that");
});

test("the 201st is told so, and how long to wait", async (t) => {
  const { broker, worker } = machine(t, { max: 200 });
  const one = broker();
  one.rpc.takeOver();
  const workers = [worker(), worker(), worker(), worker()];
  const answers = await Promise.all(Array.from({ length: 230 }, (_, i) => (workers[i % 4] as Ledger).enter(session(`u${i}`, wall()))));
  assert.deepEqual([answers.filter(({ is }) => is === "in").length, answers.filter(({ is }) => is === "full").length], [200, 30]);
  const [full] = answers.filter((answer) => answer.is === "full");
  assert.ok(full?.is === "full" && full.used === 200 && full.max === 200 && full.retryAfter >= 10_000);
});

test("an open stream holds a slot for as long as its worker lives; deeds are told in batches", async (t) => {
  const { broker, worker } = machine(t);
  const one = broker();
  one.rpc.takeOver();
  const a = worker();
  const [ada, bob] = [session("ada", wall()), session("bob", wall())];
  await a.enter(ada);
  await a.enter(bob);
  const left = async (user: string): Promise<number> => (await one.host.store.list()).find((line) => line.user === user)?.left ?? 0;
  const end = a.holds(ada);
  await eventually("it is held", async () => (await one.host.store.list()).some((line) => line.held && line.left <= seconds(45)));
  end();
  end();
  await eventually("from its end on it has a lease again", async () => (await left("ada")) > minutes(9));
  const before = await left("bob");
  await eventually("time goes by", async () => (await left("bob")) < before - 5);
  a.active(bob);
  await eventually("it is renewed", async () => (await left("bob")) > before - 3);
});

test("while the broker is away who is in stays in, others wait, counts go on; the next broker knows all, and says who is out", async (t) => {
  const { broker, worker } = machine(t);
  const one = broker();
  one.rpc.takeOver();
  const [a, b] = [worker(), worker()];
  const [ada, bob, eve] = [session("ada", wall()), session("bob", wall()), session("eve", wall())];
  await a.enter(ada);
  await a.enter(bob);
  await b.enter(bob);
  await a.spend([{ key: "login:user:ada", most: 2, per: seconds(60) }]);
  one.host.close();
  one.rpc.close();
  assert.deepEqual(a.standing(ada), { is: "in" });
  const waits = a.enter(eve);
  const spends = a.spend([{ key: "login:user:ada", most: 2, per: seconds(60) }]);
  const two = broker();
  await two.host.join({ slots: () => {}, ended: () => {}, tallied: () => {} }).leave(bob); // nobody heard it
  two.rpc.takeOver();
  assert.deepEqual(await waits, { is: "in" }, "asked again of the successor");
  assert.deepEqual((await spends).is, "ok");
  await eventually("bob is out in both", () => [a, b].every((ledger) => ledger.standing(bob)?.is === "revoked"));
  assert.equal((await a.spend([{ key: "login:user:ada", most: 2, per: seconds(60) }])).is, "over", "the first one's count came along");
  assert.deepEqual(a.standing(ada), { is: "in" });
  assert.deepEqual((await two.host.store.list()).map(({ user }) => user).toSorted(), ["ada", "eve"]);
});

/** A link whose broker is unavailable, or confirms nothing, on command. */
function frailLink() {
  const broker = { durable: false, asked: [] as string[], most: 0, events: undefined as LedgerLinkEvents | undefined };
  const calls = { now: 0 };
  const link: LedgerLink = {
    enter: () => Promise.resolve({ is: "in" }),
    async leave({ id }) {
      broker.asked.push(id);
      broker.most = Math.max(broker.most, (calls.now += 1));
      await new Promise((resolve) => setTimeout(resolve, 1));
      calls.now -= 1;
      return broker.durable;
    },
    spend: () => Promise.resolve(undefined),
    refund: () => {},
    renew: () => {},
    tally: () => {},
    listen: (events) => void (broker.events = events),
  };
  return { broker, link };
}

test("a logout that is not durable is reported as such, holds in this worker, and is repeated until it is", async () => {
  const { broker, link } = frailLink();
  const ledger = createLedger(link, { tellEvery: ms(10) });
  broker.events?.link(true);
  const ada = session("ada", wall());
  assert.deepEqual(await ledger.enter(ada), { is: "in" });
  assert.equal(await ledger.leave(ada), false);
  assert.deepEqual(ledger.standing(ada), { is: "revoked" });
  await eventually("it is repeated", () => broker.asked.length >= 3);
  assert.equal(await ledger.leave(ada), false, "nor when its client repeats it");
  broker.events?.link(false);
  broker.durable = true;
  broker.events?.link(true); // another broker, which knows nothing of it
  assert.deepEqual(await ledger.enter(ada), { is: "revoked" }, "whatever that one says");
  await eventually("it is durable", () => broker.asked.length >= 4);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const asked = broker.asked.length;
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(broker.asked.length, asked, "and is repeated no more");
  assert.equal(await ledger.leave(ada), true);
});

test("many logouts that are not durable are repeated some at a time", async () => {
  const { broker, link } = frailLink();
  const ledger = createLedger(link, { tellEvery: ms(10) });
  const all = Array.from({ length: 500 }, (_, i) => session(`u${i}`, wall()));
  await Promise.all(all.map((one) => ledger.leave(one)));
  Object.assign(broker, { durable: true, asked: [], most: 0 });
  broker.events?.link(true);
  await eventually("all are repeated", () => new Set(broker.asked).size === all.length);
  assert.ok(broker.most <= 64, `${broker.most} at a time`);
});

test("logouts that wait for the disk leave other calls their room: one call per session, and a bounded number", async (t) => {
  const { broker, worker } = machine(t, { max: 2_000 }, fullDisk);
  const one = broker();
  one.rpc.takeOver();
  const a = worker();
  await eventually("the worker is connected", () => a.slots().max === 2_000);
  const mallory = session("mallory", wall());
  assert.deepEqual(await a.enter(mallory), { is: "in" });
  const left = Array.from({ length: 1_000 }, (_, i) => a.leave(i % 2 === 0 ? mallory : session(`u${i}`, wall())));
  assert.deepEqual(await a.enter(session("carol", wall())), { is: "in" });
  assert.equal((await a.spend([{ key: "k", most: 5, per: seconds(60) }])).is, "ok");
  assert.equal(await left.at(-1), false, "more sessions than may be asked for at a time");
});

test("a broker that forgot everything lets in again whom workers hold to be in", async () => {
  const byHand = ledgerByHand();
  const a = byHand.worker();
  const ada = session("ada", wall());
  await a.enter(ada);
  byHand.host.close();
  byHand.host.start(); // keeps nothing
  assert.equal(byHand.host.store.state.used, 0);
  a.active(ada);
  await eventually("she is in", () => byHand.host.store.state.used === 1);
  byHand.host.close();
});

test("counted by asking: exact over all workers; a key that is over is refused without asking, refunded it is free", async (t) => {
  const { broker, worker } = machine(t);
  const one = broker();
  one.rpc.takeOver();
  const workers = Array.from({ length: 8 }, () => worker());
  await Promise.all(workers.map((ledger, i) => ledger.enter(session(`u${i}`, wall())))); // each has reached the broker
  const deeds = [
    { key: "write:user:ada", most: 100, per: seconds(60) },
    { key: "day:user:ada", most: 500, per: "day" as const },
  ];
  const spent = await Promise.all(Array.from({ length: 400 }, (_, i) => (workers[i % 8] as Ledger).spend(deeds)));
  assert.equal(spent.filter(({ is }) => is === "ok").length, 100, "exactly");
  const [first] = spent;
  assert.ok(first?.is === "ok" && first.key === "write:user:ada" && first.resetIn > 50_000);
  const over = spent.find(({ is }) => is === "over");
  assert.ok(over?.is === "over" && over.retryAfter > 50_000 && over.key === "write:user:ada");
  const a = workers[0] as Ledger;
  a.refund(deeds);
  assert.equal((await a.spend(deeds)).is, "ok");
  await assert.rejects(a.spend(Array.from({ length: 17 }, () => deeds[0] as (typeof deeds)[0])), RangeError);
});

test("2.3: a burst holds for the whole machine: by asking exactly, without asking nearly, and in each worker alone while no broker is there", async () => {
  const time = new FakeTime();
  const byHand = ledgerByHand({ clock: time });
  const [a, b] = [byHand.worker(), byHand.worker()];
  const deed = { key: "write:user:ada", most: 60, per: seconds(60), burst: 120 };
  const read = { ...deed, key: "read:user:ada" };
  const asked = async (...by: readonly (Ledger & Tallies)[]): Promise<number> => {
    let passed = 0;
    for (let i = 0; i < 300; i += 1) if ((await (by[i % by.length] as Ledger).spend([deed])).is === "ok") passed += 1;
    return passed;
  };
  assert.equal(await asked(a, b), 120);
  await time.advance(10_000);
  assert.equal(await asked(b, a), 10);
  for (let i = 0; i < 120; i += 1) assert.equal(a.count(read).is, "ok");
  await eventually("the other worker hears of it", () => b.count({ ...read, burst: 119, times: 0 }).is === "over");
  await time.advance(1_000);
  const one = b.count(read);
  assert.ok(one.is === "ok" && one.left === 0 && one.resetIn === 120_000);
  assert.deepEqual(b.count(read), { is: "over", key: read.key, retryAfter: 1_000 });
  byHand.host.close();
  await time.advance(2_000);
  assert.equal(await asked(a), 120, "a worker that counts alone begins with a full bucket");
});

test("counted without asking: how far 8 workers together are off", async (t) => {
  const { broker, worker } = machine(t);
  const one = broker();
  one.rpc.takeOver();
  const workers = Array.from({ length: 8 }, () => worker());
  await Promise.all(workers.map((ledger, i) => ledger.enter(session(`u${i}`, wall()))));
  const deed = { key: "read:address:10.0.0.1", most: 200, per: seconds(60) };
  let passed = 0;
  const began = performance.now();
  for (let i = 0; i < 1_000; i += 1) {
    if ((workers[i % 8] as Tallies).count(deed).is === "ok") passed += 1;
    if (i % 5 === 4) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const rate = 1_000 / (performance.now() - began);
  const cost = performance.now();
  for (let i = 0; i < 100_000; i += 1) (workers[0] as Tallies).count(deed);
  const each = (performance.now() - cost) / 100;
  console.log(
    `8 workers let ${passed} of ${deed.most} through at ${(rate * 1_000).toFixed(0)} a second: ${(((passed - deed.most) * 100) / deed.most).toFixed(1)} % too many; a count takes ${each.toFixed(2)} µs`,
  );
  assert.ok(passed >= deed.most, "none that may is refused");
  assert.ok(passed <= deed.most + 400, "no more than arrive in a few ticks: about 50 requests each");
  assert.ok(
    workers.every((ledger) => ledger.count(deed).is === "over"),
    "and then nobody",
  );
});

test("what a worker says of sessions and counts is judged: anything else is no message", () => {
  const good = session("ada", wall());
  const call = (method: string, params: unknown) => readFromClient({ type: "call", id: "1", method, params });
  assert.ok(call("enter", { session: good }) && call("leave", { session: good }));
  assert.ok(call("enter", { session: good, before: session("bob", wall()) }));
  for (const before of [null, {}, "x", { ...good, id: 7 }]) assert.equal(call("enter", { session: good, before }), undefined);
  const deed = { key: "k", most: 1, per: seconds(60) };
  assert.ok(call("spend", { deeds: [deed, { ...deed, per: "day", times: 3 }] }));
  for (const wrong of [
    {},
    { user: "" },
    { id: 7 },
    { admin: "no" },
    { since: Number.NaN },
    { user: "x".repeat(301) },
    { id: "x".repeat(101) },
  ])
    assert.equal(
      call("enter", { session: Object.keys(wrong).length === 0 ? {} : { ...good, ...wrong } }),
      undefined,
      JSON.stringify(wrong),
    );
  assert.ok(call("spend", { deeds: [{ ...deed, burst: 2 }] }));
  for (const wrong of [
    { key: "" },
    { burst: -1 },
    { burst: "2" },
    { most: -1 },
    { most: 1.5 },
    { per: 10 },
    { per: "week" },
    { times: -2 },
    { key: "x".repeat(501) },
  ])
    assert.equal(call("spend", { deeds: [{ ...deed, ...wrong }] }), undefined, JSON.stringify(wrong));
  assert.equal(call("spend", { deeds: Array.from({ length: 17 }, () => deed) }), undefined);
  const renew = (more: object) => readFromClient({ type: "renew", active: [], held: [], known: [], ...more });
  assert.ok(renew({ active: [good] }));
  assert.equal(renew({ held: Array.from({ length: 1_001 }, () => good) }), undefined);
  assert.equal(renew({ known: undefined }), undefined);
  assert.equal(readFromClient({ type: "tally", tallies: [{ key: "k", per: 1, times: 1 }] }), undefined);
  const bucket = (refill: unknown) => readFromClient({ type: "tally", tallies: [{ key: "k", per: 1_000, times: 1, refill }] });
  assert.ok(bucket(5));
  for (const wrong of [0, -1, "5", 1.5]) assert.equal(bucket(wrong), undefined);
  assert.equal(readFromClient({ type: "refund", deeds: "all" }), undefined);
  assert.ok(readFromBroker({ type: "entered", id: "1", admission: { is: "full", used: 1, max: 1, retryAfter: 5 } }));
  assert.equal(readFromBroker({ type: "entered", id: "1", admission: { is: "constructor" } }), undefined);
  assert.equal(readFromBroker({ type: "slots", used: 1, max: 2, status: "EMPTY" }), undefined);
});
