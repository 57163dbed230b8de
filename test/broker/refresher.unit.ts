import assert from "node:assert/strict";
import { test } from "node:test";
import { later, perMinute, seconds } from "../../src/base/units.ts";
import { Ledger } from "../../src/broker/quota.ts";
import { Refresher } from "../../src/broker/refresher.ts";
import type { Outcome } from "../../src/broker/upstream.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import type { Unavailable } from "../../src/sheets/types.ts";
import { FakeTime, randoms } from "./time.ts";

interface Call {
  readonly at: number;
  readonly tables: readonly string[];
}

/** A refresher in a world where time moves by hand and every call takes 400 ms. */
function world(ttls: Readonly<Record<string, string>>, perMin = 60) {
  const time = new FakeTime();
  const calls: Call[] = [];
  const failures: Unavailable[] = [];
  const checked = new Map<string, number>();
  const renewed: string[] = [];
  const script: ((tables: readonly string[]) => Outcome<readonly unknown[]> | undefined)[] = [];
  const state: { answer?: (tables: readonly string[]) => Outcome<readonly unknown[]> | undefined; refuses: Set<string> } = {
    refuses: new Set(),
  };
  const quota = new Ledger(perMinute(perMin), time);
  let wakes = 0;
  const refresher = new Refresher({
    clock: time,
    alarm: (at, wake) =>
      time.alarm(at, () => {
        assert.ok((wakes += 1) < 10_000, "alarms go off in a loop");
        wake();
      }),
    random: randoms(42),
    quota,
    async read(tables) {
      quota.spend();
      const names = tables.map((t) => t.name);
      calls.push({ at: time.now(), tables: names });
      await time.sleep(400);
      const outcome = script.shift()?.(names) ?? state.answer?.(names) ?? { is: "ok", value: names };
      if (outcome.is === "locked") quota.lock(outcome.until);
      return outcome;
    },
    accept(table, values) {
      if (state.refuses.has(table.name) || values !== table.name) return "it has no header row";
      checked.set(table.name, time.now() - 400);
      renewed.push(table.name);
      return undefined;
    },
    failed: (why) => void failures.push(why),
  });
  const text = JSON.stringify({ tables: Object.fromEntries(Object.entries(ttls).map(([name, ttl]) => [name, { ttl }])) });
  const tables = parseTables(text, "f", seconds(30));
  refresher.setTables(tables, new Map());
  return { time, calls, failures, checked, renewed, script, state, quota, refresher, tables, wakes: () => wakes };
}

const SIX = { a: "30s", b: "30s", c: "60s", d: "60s", e: "120s", f: "120s" };

test("1.8: misses of one tick are one call, and one that comes meanwhile joins or waits for the next", async () => {
  const w = world(SIX);
  const answers = Promise.all([w.refresher.want("a"), w.refresher.want("a"), w.refresher.want("b")]);
  await w.time.advance(20);
  const third = w.refresher.want("c");
  assert.equal(w.calls.length, 0);
  await w.time.advance(1_000);
  assert.deepEqual(w.calls, [{ at: 1_025, tables: ["a", "b", "c"] }]);
  assert.deepEqual([await answers, await third], [[undefined, undefined, undefined], undefined]);
  assert.equal(await w.refresher.want("a"), undefined, "fresh rows need no call");
  assert.equal(w.calls.length, 1);
});

test("1.2: six tables, TTL 30 to 120 s, 8 clients at random phases: at most 3 calls a minute", async () => {
  const w = world(SIX);
  const random = randoms(7);
  // A client asks for a table every 2 s or so; only one whose rows are older than the TTL reaches the broker.
  const clients = Array.from({ length: 8 }, () => Object.keys(SIX).map((name) => ({ name, next: random() * 60_000 }))).flat();
  const ttl = new Map(w.tables.map((table) => [table.name, table.ttl as number]));
  const minutes = 15;
  for (let t = 0; t < minutes * 60_000; t += 100) {
    for (const client of clients) {
      if (client.next > t) continue;
      client.next = t + 500 + random() * 3_000;
      const age = w.time.now() - (w.checked.get(client.name) ?? -Infinity);
      if (age === Infinity) void w.refresher.want(client.name);
      else if (age >= (ttl.get(client.name) ?? 0)) w.refresher.touch([client.name]);
    }
    w.refresher.touch(w.renewed.splice(0)); // clients tell at a renewal that they have used the rows
    await w.time.advance(100);
  }
  const steady = w.calls.filter(({ at }) => at > 5 * 60_000);
  const rate = steady.length / (minutes - 5);
  const worst = Math.max(...steady.map(({ at }) => steady.filter((other) => other.at >= at && other.at < at + 60_000).length));
  console.log(`upstream calls a minute: ${rate.toFixed(2)}, at most ${worst} in any (6 tables, 8 clients at random phases)`);
  assert.ok(rate <= 2.5 && worst <= 3, `${rate}, ${worst}`);
});

test("nobody asks, nothing is called", async () => {
  const w = world(SIX);
  void w.refresher.want("a");
  await w.time.advance(3_600_000);
  assert.equal(w.calls.length, 1);
});

test("0.17: in a lock-out nothing is sent; who waits is told when it ends; then one call", async () => {
  const w = world(SIX);
  w.script.push(() => ({ is: "locked", message: "used up", until: later(w.time.wall(), seconds(50)) }));
  const first = w.refresher.want("a");
  await w.time.advance(1_000);
  assert.deepEqual([(await first)?.reason, (await first)?.retryAfter], ["quota", 50_000]);
  for (let i = 0; i < 100; i += 1) {
    w.refresher.touch(["a", "b"]);
    const refused = await w.refresher.want("a");
    assert.equal(refused?.reason, "quota");
    await w.time.advance(450);
  }
  assert.equal(w.calls.length, 1);
  await w.time.advance(10_000);
  assert.equal(w.calls.length, 2);
  assert.equal(await w.refresher.want("a"), undefined);
});

test("failures back off from 1 s to 30 s while someone asks, and stop when nobody does", async () => {
  const w = world(SIX);
  w.state.answer = () => ({ is: "unavailable", message: "503" });
  for (let i = 0; i < 3_000; i += 1) {
    w.refresher.touch(["a"]);
    await w.time.advance(100);
  }
  const gaps = w.calls.slice(1).map((call, i) => call.at - (w.calls[i]?.at ?? 0));
  assert.ok(gaps[0] !== undefined && gaps[0] >= 500 && gaps[0] <= 1_100, String(gaps));
  assert.ok(gaps.every((gap) => gap <= 30_100) && gaps.at(-1)! >= 15_000, String(gaps));
  const before = w.calls.length;
  await w.time.advance(600_000);
  assert.ok(w.calls.length - before <= 5, "tried for a minute after the last demand, then no more");
});

test("while a long back-off lasts a caller is told at once, with the reason and how long", async () => {
  const w = world(SIX);
  w.state.answer = () => ({ is: "unavailable", message: "Google answered 503" });
  void w.refresher.want("a");
  while (w.calls.length < 4) await w.time.advance(100);
  await w.time.advance(400); // the fourth call fails: 4 to 8 s of pause
  const calls = w.calls.length;
  const why = await w.refresher.want("a"); // no time passes
  assert.deepEqual([why?.reason, why?.message], ["upstream", "Google answered 503"]);
  assert.ok(why !== undefined && why.retryAfter > 1_000 && why.retryAfter <= 30_000);
  assert.equal(w.calls.length, calls);
});

test("one table's wrong shape fails that table alone and is not asked for at every touch", async () => {
  const w = world(SIX);
  w.state.refuses.add("a");
  const both = Promise.all([w.refresher.want("a"), w.refresher.want("b")]);
  await w.time.advance(1_000);
  assert.deepEqual(
    (await both).map((why) => why?.message),
    ["it has no header row", undefined],
  );
  for (let i = 0; i < 250; i += 1) {
    w.refresher.touch(["a"]);
    await w.time.advance(100);
  }
  assert.equal(w.calls.length, 1);
  w.state.refuses.clear();
  for (let i = 0; i < 100; i += 1) {
    w.refresher.touch(["a"]);
    await w.time.advance(100);
  }
  assert.equal(await w.refresher.want("a"), undefined);
});

test("a range that is gone is left out, the others come at once", async () => {
  const w = world(SIX);
  w.state.answer = (names) => (names.includes("c") ? { is: "noRange", range: "c", message: "the spreadsheet has no range c" } : undefined);
  const all = Promise.all(["a", "b", "c"].map((name) => w.refresher.want(name)));
  await w.time.advance(2_000);
  assert.deepEqual(
    w.calls.map((call) => call.tables),
    [
      ["a", "b", "c"],
      ["a", "b"],
    ],
  );
  const [a, b, c] = await all;
  assert.deepEqual([a, b], [undefined, undefined]);
  assert.match(c?.message ?? "", /no range c; it will be looked for again/);
  assert.match((await w.refresher.want("c"))?.message ?? "", /no range c/);
  assert.equal(w.calls.length, 2);
});

test("a range that comes back is found again, by calls of its own that cost the others nothing", async () => {
  const w = world(SIX);
  w.state.answer = (names) => (names.includes("c") ? { is: "noRange", range: "c", message: "the spreadsheet has no range c" } : undefined);
  const tick = async (): Promise<void> => {
    w.refresher.touch(["a", "c"]);
    await w.time.advance(1_000);
  };
  for (let s = 0; s < 200; s += 1) await tick();
  const alone = w.calls.filter(({ tables }) => tables.includes("c"));
  assert.ok(alone.length >= 3 && alone.length <= 5, `looked for every minute, as its TTL is (${alone.length})`);
  for (const { tables } of alone.slice(1)) assert.deepEqual(tables, ["c"]);
  const stale = Math.max(
    ...w.calls.filter((call) => call.tables.includes("a")).map((call, i, all) => call.at - (all[i - 1]?.at ?? call.at)),
  );
  assert.ok(stale < 32_000, `a is as fresh as ever (${stale} ms)`);
  w.state.answer = () => undefined;
  for (let s = 0; s < 62; s += 1) await tick();
  assert.equal(await w.refresher.want("c"), undefined);
});

test("many ranges that are gone: looked for in turns, and the quota stays for those that are there", async () => {
  const w = world(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`t${i}`, "1s"])));
  w.state.answer = (names) => {
    const gone = names.find((name) => name !== "t39");
    return gone === undefined ? undefined : { is: "noRange", range: gone, message: `no range ${gone}` };
  };
  const all = w.tables.map((table) => table.name);
  for (let s = 0; s < 300; s += 1) {
    w.refresher.touch(s % 5 === 0 ? all : all.slice(0, 39));
    await w.time.advance(1_000);
  }
  const late = w.calls.filter((call) => call.at > 120_000);
  assert.ok(late.length < 3 * 30, `${late.length} calls in 3 minutes`);
  assert.ok(late.filter((call) => call.tables.includes("t39")).length >= 30, "the one that is there stays fresh");
  assert.ok(new Set(late.flatMap((call) => call.tables)).size > 30, "each of the others is looked for");
});

test("a range that is named in no way we know is found by halving", async () => {
  const w = world(SIX);
  w.state.answer = (names) => (names.includes("c") ? { is: "noRange", range: "what?", message: "no range" } : undefined);
  const all = Promise.all(Object.keys(SIX).map((name) => w.refresher.want(name)));
  await w.time.advance(20_000);
  assert.deepEqual(
    (await all).map((why) => why === undefined),
    [true, true, false, true, true, true],
  );
  assert.ok(w.calls.length <= 8, String(w.calls.length));
  w.state.answer = () => undefined;
  await w.time.advance(200_000);
  const before = w.calls.length;
  void Promise.all(Object.keys(SIX).map((name) => w.refresher.want(name)));
  await w.time.advance(1_000);
  assert.equal(w.calls.length, before + 1, "once it is found, all go in one call again");
});

test("0.17: an answer that is too large comes in parts; one table that is, fails alone", async () => {
  const w = world(SIX);
  w.state.answer = (names) => (names.includes("f") || names.length > 3 ? { is: "tooLarge", message: "over 32 MB" } : undefined);
  const all = Promise.all(Object.keys(SIX).map((name) => w.refresher.want(name)));
  await w.time.advance(20_000);
  assert.deepEqual(
    (await all).map((why) => why?.message),
    [undefined, undefined, undefined, undefined, undefined, "over 32 MB"],
  );
});

test("the quota is never overrun, whatever is asked for", async () => {
  const w = world(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`t${i}`, "1s"])), 10);
  w.state.answer = (names) => (names.length > 1 ? { is: "tooLarge", message: "x" } : undefined);
  const random = randoms(3);
  for (let i = 0; i < 4_000; i += 1) {
    void w.refresher.want(`t${Math.floor(random() * 30)}`);
    await w.time.advance(100);
  }
  for (const { at } of w.calls) assert.ok(w.calls.filter((other) => other.at >= at && other.at < at + 60_000).length <= 8);
});

test("a new list of tables: who waits for one that stays goes on waiting, the others are told", async () => {
  const w = world(SIX);
  const [stays, goes, changes] = [w.refresher.want("a"), w.refresher.want("b"), w.refresher.want("c")];
  await w.time.advance(100); // the call is under way
  const next = w.tables.filter(({ name }) => name !== "b").map((table) => (table.name === "c" ? { ...table, range: "elsewhere" } : table));
  w.refresher.setTables(next, new Map());
  assert.deepEqual([(await goes)?.reason, (await changes)?.reason], ["unknown", "unknown"]);
  await w.time.advance(1_000);
  assert.equal(await stays, undefined);
  assert.deepEqual([...w.checked.keys()], ["a"], "rows of the old range are not taken for the new one's");
});

test("unknown tables, and stopping", async () => {
  const w = world(SIX);
  assert.deepEqual((await w.refresher.want("nope"))?.reason, "unknown");
  w.refresher.touch(["nope", "__proto__"]);
  const waiting = w.refresher.want("a");
  w.refresher.close();
  assert.equal((await waiting)?.reason, "broker");
  await w.time.advance(60_000);
  assert.equal(w.calls.length, 0);
});

test("an export that waits for quota next to a range that is looked for again: woken when the quota gives, not in a loop", async () => {
  const w = world({ a: "1s", lost: "1s" });
  w.state.answer = (tables) => (tables.includes("lost") ? { is: "noRange", range: "'lost'", message: "no range" } : undefined);
  void w.refresher.want("a");
  await w.time.advance(1_000);
  void w.refresher.want("lost");
  await w.time.advance(1_000);
  for (let i = 0; i < 40; i += 1) w.quota.spend();
  await w.time.advance(5_000);
  assert.equal((await w.refresher.want("a", "export"))?.reason, "quota");
  void w.refresher.want("lost");
  const [calls, wakes] = [w.calls.length, w.wakes()];
  await w.time.advance(50_000);
  assert.deepEqual(
    w.calls.slice(calls).map(({ tables }) => tables),
    [["lost"]],
    "what may go goes",
  );
  assert.ok(w.wakes() - wakes < 20, `${w.wakes() - wakes} alarms`);
  await w.time.advance(10_000);
  assert.deepEqual(w.calls.at(-1)?.tables, ["a"]);
});
