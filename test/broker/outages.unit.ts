/** The refresher while Google hangs, fails and comes back, in a time moved by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { between, perMinute, seconds } from "../../src/base/units.ts";
import type { Known } from "../../src/broker/place.ts";
import { Ledger } from "../../src/broker/quota.ts";
import { Refresher } from "../../src/broker/refresher.ts";
import type { Outcome } from "../../src/broker/upstream.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import type { Unavailable } from "../../src/sheets/types.ts";
import { FakeTime, randoms } from "./time.ts";

type Mode = "well" | "hang" | "500" | "network" | "denied" | "slow";
type Read = Outcome<readonly unknown[]>;

/** Google answers in 400 ms and gives up on no call: a hanging one ends after 10 s, or when it is given up. */
function world(tables: Readonly<Record<string, string>>, perMin = 60, seed = 42) {
  const time = new FakeTime();
  const quota = new Ledger(perMinute(perMin), time);
  const calls: { at: number; tables: readonly string[] }[] = [];
  const taken: { at: number; table: string }[] = [];
  const failures: Unavailable[] = [];
  const state: { mode: Mode; open: number; mostOpen: number } = { mode: "well", open: 0, mostOpen: 0 };
  const sizes = new Map<string, number>();
  const answer = async (mode: Mode, names: readonly string[], signal: AbortSignal): Promise<Read> => {
    if (mode === "hang") {
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      await Promise.race([time.sleep(10_000), aborted]);
      return { is: "unavailable", cause: "timeout", message: "no answer within 10000 ms" };
    }
    await time.sleep(mode === "slow" ? 3_000 : mode === "network" ? 1 : 400);
    if (mode === "network") return { is: "unavailable", cause: "network", message: "no answer: ECONNREFUSED" };
    if (mode === "500") return { is: "unavailable", message: "Google answered 500" };
    if (mode === "denied") return { is: "denied", message: "share it" };
    return { is: "ok", value: names.map((name) => [["id"], ["x".repeat(sizes.get(name) ?? 1)]]) };
  };
  const refresher = new Refresher({
    clock: time,
    alarm: time.alarm,
    random: randoms(seed),
    quota,
    async read(asked, signal) {
      quota.spend("refresh");
      const names = asked.map(({ name }) => name);
      calls.push({ at: time.now(), tables: names });
      state.open += 1;
      state.mostOpen = Math.max(state.mostOpen, state.open);
      const outcome = await answer(state.mode, names, signal);
      state.open -= 1;
      return outcome;
    },
    accept: (table) => void taken.push({ at: time.now(), table: table.name }),
    failed: (why) => void failures.push(why),
  });
  const text = JSON.stringify({ tables: Object.fromEntries(Object.entries(tables).map(([name, ttl]) => [name, { ttl }])) });
  const parsed = parseTables(text, "f", seconds(30));
  refresher.setTables(parsed, new Map<string, Known>());
  /** Somebody uses the tables all the time. */
  const use = async (wait: number, names = Object.keys(tables)): Promise<void> => {
    for (let t = 0; t < wait; t += 100) {
      refresher.touch(names);
      await time.advance(100);
    }
  };
  return { time, quota, calls, taken, failures, state, sizes, refresher, use, tables: parsed };
}

test("recovery: whatever it was and however long, fresh rows are there within TTL + 1 s", async () => {
  const random = randoms(5);
  const worst: Record<string, number> = {};
  for (const mode of ["hang", "500", "network"] as const)
    for (let run = 0; run < 8; run += 1) {
      const w = world({ a: "5s", b: "30s" }, 60, run + 1);
      await w.use(6_000 + Math.floor(random() * 60) * 100);
      w.state.mode = mode;
      await w.use(6_000 + Math.floor(random() * 900) * 100);
      await w.time.advance(Math.floor(random() * 100));
      w.state.mode = "well";
      const [back, before] = [w.time.now(), w.taken.length];
      while (w.taken.length === before) await w.use(100);
      worst[mode] = Math.max(worst[mode] ?? 0, (w.taken[before]?.at ?? Infinity) - back);
      for (const { at } of w.calls) assert.ok(w.calls.filter((o) => o.at >= at && o.at < at + 60_000).length <= 45, mode);
      assert.ok(w.state.mostOpen <= 2, "one call, and one beside it");
    }
  console.log(`fresh rows after the end of an outage, at the worst of 8 (TTL 5 s): ${JSON.stringify(worst)} ms`);
  for (const [mode, time] of Object.entries(worst)) assert.ok(time <= 6_000, `${mode}: ${time}`);
});

test("three failures open the breaker: who has rows is told at once, and one probe finds that it is well again", async () => {
  const w = world({ a: "5s" });
  await w.use(1_000);
  assert.deepEqual(w.refresher.report().state, "closed");
  w.state.mode = "hang";
  await w.use(60_000);
  assert.equal(w.refresher.report().state, "half-open", "a probe hangs");
  w.state.mode = "500";
  while (w.refresher.report().state !== "open") await w.use(100);
  const { failures, notBefore } = w.refresher.report();
  assert.ok(failures >= 3 && between(w.time.now(), notBefore) <= 5_000);
  const asked = w.time.now();
  const why = await w.refresher.want("a"); // no time passes
  assert.deepEqual([w.time.now(), why?.reason, why?.cause, why?.message], [asked, "upstream", "upstream", "Google answered 500"]);
  w.state.mode = "well";
  await w.use(6_000);
  assert.deepEqual([w.refresher.report().state, w.refresher.report().failures, w.refresher.failures()], ["closed", 0, []]);
});

test("a hang is known after one TTL, and an idle table's first reader waits 2 s at the longest", async () => {
  const w = world({ a: "5s" });
  await w.use(1_000);
  await w.time.advance(600_000);
  w.state.mode = "hang";
  const asked = w.time.now();
  const pending = w.refresher.want("a").then((why) => ({ why, after: w.time.now() - asked }));
  await w.time.advance(4_000);
  const { why, after } = await pending;
  assert.deepEqual([why?.cause, after], ["timeout", 2_000]);
  await w.time.advance(2_000);
  assert.match(w.failures.at(-1)?.message ?? "", /no answer from Google for 5000 ms/);
  assert.equal(w.failures.at(-1)?.cause, "timeout");
});

test("an answer that takes longer than the TTL still comes, and is not asked for twice when that is usual", async () => {
  const w = world({ a: "1s" });
  w.state.mode = "slow";
  await w.use(60_000);
  assert.ok(w.taken.length >= 18, `${w.taken.length} answers`);
  const late = w.calls.filter(({ at }) => at > 20_000);
  const answers = w.taken.filter(({ at }) => at > 20_000);
  assert.ok(late.length <= answers.length + 1, `${late.length} calls for ${answers.length} answers`);
});

test("whoever is refused for ever is not asked for ever: 403 every 15 to 30 s", async () => {
  const w = world({ a: "1s" });
  w.state.mode = "denied";
  await w.use(300_000);
  const late = w.calls.filter(({ at }) => at > 120_000);
  assert.ok(late.length >= 5 && late.length <= 13, `${late.length} in 3 minutes`);
  assert.equal(w.failures.at(-1)?.cause, "denied");
});

test("a table that was never loaded and fails is not asked for again with every request", async () => {
  const w = world({ a: "30s" });
  w.state.mode = "500";
  const asked: Promise<Unavailable | undefined>[] = [];
  for (let i = 0; i < 1_200; i += 1) {
    asked.push(w.refresher.want("a"));
    await w.time.advance(50);
  }
  await w.time.advance(60_000);
  assert.ok((await Promise.all(asked)).every((why) => why?.cause === "upstream"));
  assert.ok(w.calls.length <= 12, `${w.calls.length} calls for 1,200 requests in a minute`);
});

test("near the end of the quota: exports wait first, then refreshes, and a first read or a login finds a call", async () => {
  const w = world({ a: "10m", b: "10m", c: "10m", new: "10m" }, 60); // 51, of which 45 for refreshes and 40 for exports
  const load = w.refresher.want("a");
  await w.time.advance(1_000);
  assert.equal(await load, undefined);
  const spend = (upTo: number): void => {
    while (w.quota.report().used < upTo) w.quota.spend();
  };
  const goes = async (name: string, priority: "urgent" | "refresh" | "export"): Promise<string> => {
    const pending = w.refresher.want(name, priority);
    await w.time.advance(500);
    return (await pending)?.cause ?? "fresh";
  };
  for (const table of ["b", "c"]) assert.equal(await goes(table, "refresh"), "fresh");
  await w.time.advance(590_000); // all are past their TTL
  spend(40);
  assert.equal(await goes("a", "export"), "quota");
  assert.equal(await goes("b", "refresh"), "fresh");
  await w.time.advance(600_000);
  spend(45);
  assert.deepEqual([await goes("a", "refresh"), await goes("b", "urgent")], ["quota", "fresh"]);
  assert.equal(await goes("a", "refresh"), "fresh", "it went along with the urgent one");
  await w.time.advance(600_000);
  spend(50);
  assert.equal(await goes("new", "refresh"), "fresh", "the first read of a table is urgent by itself");
  await w.time.advance(600_000);
  spend(51);
  assert.deepEqual([await goes("a", "refresh"), await goes("a", "urgent")], ["quota", "quota"]);
});

test("rows that get old because the quota is used up say so", async () => {
  const w = world({ a: "5s" });
  await w.use(1_000);
  while (w.quota.report().used < 51) w.quota.spend();
  await w.use(6_000);
  assert.deepEqual([w.failures.at(-1)?.cause, w.calls.length], ["quota", 1]);
  await w.use(60_000);
  assert.deepEqual(w.refresher.failures(), []);
});

test("answers above 2 MB come in parts, by the sizes of earlier ones", async () => {
  const w = world({ a: "30s", b: "30s", c: "30s", d: "30s" });
  for (const [name, size] of Object.entries({ a: 900_000, b: 900_000, c: 900_000, d: 3_000_000 })) w.sizes.set(name, size);
  await w.use(2_000);
  assert.deepEqual(w.calls.splice(0).map((call) => call.tables.join("")), ["abcd"], "nothing is known of their sizes yet"); // prettier-ignore
  await w.use(32_000);
  assert.deepEqual(w.calls.splice(0).map((call) => call.tables.join("")), ["ab", "c", "d"]); // prettier-ignore
  w.sizes.set("d", 10);
  await w.use(64_000);
  assert.deepEqual(w.calls.splice(0).map((call) => call.tables.join("")).slice(-2), ["ab", "cd"]); // prettier-ignore
});
