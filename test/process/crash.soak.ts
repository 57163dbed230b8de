/** Writes that survive anything, at length: `npm run test:soak test/process/crash.soak.ts`; CRASH_SEED repeats a run's kills. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { needsStrace } from "../support/needs.ts";
import {
  crashWorld,
  drained,
  figures,
  kill,
  nothingTold,
  PEOPLE_INSERT,
  NOTHING_WRONG,
  oracle,
  pidOf,
  reader,
  seeded,
  seedOf,
  send,
  writer,
  type CrashWorld,
  type Told,
  type Victim,
} from "./crash.ts";
import { alive, get } from "./harness.ts";
import { eventually } from "../support/wait.ts";

/** An attempt that takes effect this much later, in milliseconds. */
const LATE = 2_000;
/** Answers lost, before and after the effect; late effects; and people who sort, insert and drag rows meanwhile. */
const HOSTILE = [
  "latency=150ms,method=write,every=1",
  "drop,applied,method=write,chance=0.2,seed=1",
  `late=${LATE}ms,method=write,chance=0.15,seed=2`,
  `late=${LATE}ms,answer=503,method=write,chance=0.1,seed=3`,
  "status=503,applied,method=write,chance=0.15,seed=4",
  "hang,applied,method=write,chance=0.05,seed=5",
  "malformed,method=write,chance=0.1,seed=6",
  "drop,method=read,chance=0.1,seed=7",
  "sort=notes,column=C,chance=0.2,seed=8",
  "sort=notes,column=A,descending,chance=0.2,seed=9",
  `insert=notes,row=7,count=${PEOPLE_INSERT},chance=0.1,seed=10`,
  "move=notes,row=9,to=3,chance=0.2,seed=11",
].join(";");

interface Working {
  readonly told: Told;
  /** No more writes; resolves once each that was begun is acknowledged. */
  stop(): Promise<void>;
}

/** Writers, every third of which waits for the sheet, and readers. @param name of the first ones: keys begin with it. */
function work(t: TestContext, world: CrashWorld, seed: number, name = "w"): Working {
  const told = nothingTold();
  const state = { on: true };
  t.after(() => (state.on = false));
  const [url, more] = [(): string => world.url, (): boolean => state.on];
  const own = (i: number) => ({ url, told, more, random: seeded(seed + i), pause: 15, query: i % 3 === 0 ? "?wait=sheet" : "" });
  const working = Array.from({ length: 6 }, (_, i) => writer({ ...own(i), name: `${name}${i}` }));
  working.push(...[100, 101].map((i) => reader(url, told, seeded(seed + i), more)));
  return {
    told,
    stop: async () => {
      state.on = false;
      await Promise.all(working);
    },
  };
}

/** All is well again, lands, and is compared. */
async function judge(t: TestContext, world: CrashWorld, told: Told, what: string): Promise<void> {
  await world.sheet.clear();
  await drained(world);
  await sleep(2 * LATE);
  const found = await oracle(world, told);
  t.diagnostic(`${what}: ${figures(found, told)}; faults ${JSON.stringify((await world.sheet.delivered()).byKind)}`);
  assert.deepEqual([told.odd.slice(0, 5), told.stale.slice(0, 5)], [[], []]);
  assert.deepEqual(found, NOTHING_WRONG);
}

test("500 writes, 20 kills of broker, master, tree and workers, answers lost, late effects, rows sorted by hand", async (t) => {
  const seed = seedOf();
  t.diagnostic(`seed ${seed}`);
  const world = await crashWorld(t, { DROVER_UPSTREAM_TIMEOUT: "1s" });
  await world.sheet.order(HOSTILE);
  const { told, stop } = work(t, world, seed);
  const random = seeded(seed + 1_000);
  const victims: readonly Victim[] = ["broker", "broker", "broker", "master", "tree", "worker"];
  for (let kills = 0; kills < 20; kills += 1) {
    await sleep(100 + random() * 1_500);
    await kill(world, victims[Math.floor(random() * victims.length)] ?? "broker");
  }
  await eventually("500 writes", () => told.acknowledged >= 500);
  // Google's quota ends, too: nothing is asked for a minute, and nothing is lost.
  await world.sheet.order("quota=3s,method=write");
  await eventually("a 429", async () => ((await world.sheet.delivered()).byKind["quota"] ?? 0) > 0);
  await kill(world, "broker");
  await stop();
  await judge(t, world, told, "21 kills and a 429");
});

test("every third batch is committed and its answer reset, 300 writes, a broker and a daemon that end in the middle", async (t) => {
  const world = await crashWorld(t);
  await world.sheet.order("drop,applied,method=batchUpdate,every=3");
  const told = nothingTold();
  for (let n = 0; n < 300; n += 1) {
    const id = `row${n}`;
    for (let tries = 0; tries < 100; tries += 1) {
      const headers = { "idempotency-key": id };
      const body = { id, owner: "x", value: n };
      const answer = await send("POST", `${world.url}/api/tables/notes`, body, headers).catch(() => undefined);
      if (answer?.status === 201) break;
      if (answer !== undefined && answer.status !== 503) told.odd.push(`${id}: ${answer.status} ${answer.body}`);
      told.repeats += 1;
      await sleep(50);
    }
    told.notes.set(id, n);
    told.acknowledged += 1;
    await sleep(70);
    if (n === 100) await kill(world, "broker");
    if (n === 200) {
      await world.daemon.stop();
      await world.restart();
    }
  }
  await drained(world);
  const found = await oracle(world, told);
  t.diagnostic(`${figures(found, told)}; faults ${JSON.stringify((await world.sheet.delivered()).byKind)}`);
  assert.deepEqual([told.odd, found, told.notes.size], [[], NOTHING_WRONG, 300]);
});

/** Kills the broker at its nth call of a system call. @returns `never`: it did not make it in time; `forbidden`: strace may not look at it. */
async function killAt(world: CrashWorld, call: string, nth: number): Promise<"killed" | "never" | "forbidden"> {
  const pid = await eventually("there is a broker", () => pidOf(world.daemon, "broker"));
  const args = ["-f", "-qq", "-o", "/dev/null", "-p", String(pid), "-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${nth}`];
  const strace = spawn("strace", args, { stdio: "ignore" });
  const timer = setTimeout(() => strace.kill("SIGTERM"), 10_000);
  const [code] = (await once(strace, "exit")) as [number | null];
  clearTimeout(timer);
  if (code === 1) return "forbidden";
  if (alive(pid)) return "never";
  await eventually("another broker is ready", async () => {
    const { state, child } = await world.daemon.place("broker/0");
    return state === "ready" && child?.pid !== pid;
  });
  return "killed";
}

/** The disk of the journal, the snapshots' files, the network and the workers' socket. */
const CALLS = ["pwrite64", "fsync", "rename", "write", "writev", "read"];

test("the broker is killed at chosen system calls: the disk's, the snapshots', the network's", { skip: needsStrace() }, async (t) => {
  const seed = seedOf();
  t.diagnostic(`seed ${seed}`);
  const world = await crashWorld(t, { DROVER_UPSTREAM_TIMEOUT: "1s" });
  await world.sheet.order("latency=20ms,method=write,every=1;drop,applied,method=write,chance=0.2");
  const { told, stop } = work(t, world, seed);
  const killed: string[] = [];
  for (const [i, call] of CALLS.entries()) {
    for (const nth of [1, 3, 10]) {
      const before = told.acknowledged;
      await eventually("writes since the last kill", () => told.acknowledged > before + 10);
      const how = await killAt(world, call, nth);
      if (how === "forbidden") return t.skip("strace may not attach to processes here (kernel.yama.ptrace_scope)");
      if (how === "killed") killed.push(`${call} ${nth}`);
    }
    if (i % 2 === 0) continue;
    await world.daemon.stop(); // one that dies so often waits longer and longer before it is started again
    await world.restart();
  }
  await stop();
  assert.ok(killed.length > CALLS.length, killed.join());
  await judge(t, world, told, `${killed.length} kills at system calls (${killed.join(", ")})`);
});

/** Writes with answers lost, until so many are acknowledged; and lets them land. */
async function some(world: CrashWorld, told: Told, name: string, count: number): Promise<void> {
  const end = told.acknowledged + count;
  const own = { url: () => world.url, told, more: () => told.acknowledged < end, random: seeded(count + told.acknowledged) };
  await Promise.all([0, 1, 2].map((i) => writer({ ...own, name: `${name}${i}` })));
}

test("a wiped data directory: what had landed is there once, and what comes is, too", async (t) => {
  const world = await crashWorld(t, { DROVER_UPSTREAM_TIMEOUT: "1s" });
  const told = nothingTold();
  await world.sheet.order("drop,applied,method=write,chance=0.3;status=503,applied,method=write,chance=0.2,seed=2");
  await some(world, told, "before", 150);
  await drained(world);
  // A batch is on its way while the directory goes, and takes effect afterwards; what waits behind it is lost with the journal.
  await world.sheet.clear();
  await world.sheet.order(`late=${LATE}ms,method=batchUpdate,every=1`);
  const doomed = nothingTold();
  await some(world, doomed, "doomed", 30);
  await eventually("it is on its way", async () => ((await world.sheet.delivered()).byKind["late"] ?? 0) > 0);
  const { dir, pid } = world.daemon;
  process.kill(pid, "SIGKILL");
  await world.daemon.exited;
  await sleep(500);
  rmSync(join(dir, "var"), { recursive: true, force: true });
  await world.sheet.clear();
  await world.restart();
  await some(world, told, "after", 150);
  await drained(world);
  await sleep(2 * LATE);
  const found = await oracle(world, told);
  const gone = [...doomed.notes.keys(), ...doomed.posts.keys()];
  const late = found.strangers.map((row) => String((JSON.parse(row) as unknown[])[0]));
  t.diagnostic(`${figures(found, told)}; of ${gone.length} rows that waited in the wiped journal ${late.length} landed, each once`);
  assert.deepEqual([found.lost, found.duplicates, found.overtaken, told.odd], [[], [], [], []]);
  assert.ok(late.every((key) => gone.includes(key)) && new Set(late).size === late.length);
});

test("an older copy of the data directory is put back: what landed since is there once, what waited in the copy is not sent twice", async (t) => {
  const world = await crashWorld(t, { DROVER_UPSTREAM_TIMEOUT: "1s" });
  const told = nothingTold();
  await some(world, told, "a", 100);
  await drained(world);
  await world.sheet.order("status=503,method=write,every=1"); // so that something waits in the copy
  await some(world, told, "b", 40);
  const { dir } = world.daemon;
  await world.daemon.stop();
  cpSync(join(dir, "var"), join(dir, "backup"), { recursive: true, filter: (from) => from !== join(dir, "var/run") });
  await world.sheet.clear();
  await world.sheet.order("drop,applied,method=write,chance=0.3");
  await world.restart();
  await some(world, told, "c", 100);
  await drained(world);
  await kill(world, "tree");
  await world.daemon.stop();
  rmSync(join(dir, "var"), { recursive: true });
  cpSync(join(dir, "backup"), join(dir, "var"), { recursive: true });
  const began = performance.now();
  await world.restart();
  await some(world, told, "d", 100);
  await drained(world);
  const found = await oracle(world, told);
  t.diagnostic(`${figures(found, told)}; sent after ${Math.round((performance.now() - began) / 1_000)} s`);
  assert.deepEqual([found, told.odd], [NOTHING_WRONG, []]);
});

test("two daemons with a data directory each write into one spreadsheet, and are killed: lost 0, duplicates 0", async (t) => {
  const seed = seedOf();
  t.diagnostic(`seed ${seed}`);
  const one = await crashWorld(t, { DROVER_UPSTREAM_TIMEOUT: "1s" });
  const two = { ...one, daemon: await one.another() };
  const other: CrashWorld = {
    ...two,
    get url() {
      return two.daemon.url;
    },
  };
  await one.sheet.order(HOSTILE);
  const [first, second] = [work(t, one, seed), work(t, other, seed + 50, "x")];
  for (let kills = 0; kills < 6; kills += 1) {
    await sleep(1_500);
    await kill(kills % 2 === 0 ? one : other, "broker");
  }
  await Promise.all([first.stop(), second.stop()]);
  await one.sheet.clear();
  await Promise.all([drained(one), drained(other)]);
  await sleep(2 * LATE);
  const told = merged(first.told, second.told);
  const found = await oracle(one, told);
  t.diagnostic(figures(found, told));
  assert.deepEqual([told.odd.slice(0, 5), told.stale.slice(0, 5), found], [[], [], NOTHING_WRONG]);
});

const merged = (a: Told, b: Told): Told => ({
  acknowledged: a.acknowledged + b.acknowledged,
  repeats: a.repeats + b.repeats,
  reads: a.reads + b.reads,
  notes: new Map([...a.notes, ...b.notes]),
  posts: new Map([...a.posts, ...b.posts]),
  odd: [...a.odd, ...b.odd],
  stale: [...a.stale, ...b.stale],
});

test("twenty reloads while eight clients post and two of them wait for the sheet: every answer is 201, every row is there once", async (t) => {
  const world = await crashWorld(t, { DROVER_WORKERS: "4", DROVER_UPSTREAM_TIMEOUT: "1s" });
  await world.sheet.order("drop,applied,method=write,every=7");
  const told = nothingTold();
  const state = { on: true };
  let slowest = 0;
  const client = async (nr: number): Promise<void> => {
    const query = nr < 2 ? "?wait=sheet" : "";
    for (let n = 0; state.on; n += 1) {
      const began = performance.now();
      const answer = await send("POST", `${world.url}/api/tables/notes${query}`, { id: `p${nr}-${n}`, owner: "x", value: n }).catch(String);
      if (nr >= 2) slowest = Math.max(slowest, performance.now() - began);
      if (typeof answer === "string" || answer.status !== 201 || (nr < 2 && answer.headers["x-write-state"] !== "landed"))
        told.odd.push(typeof answer === "string" ? answer : `${answer.status} ${answer.body}`);
      told.notes.set(`p${nr}-${n}`, n);
      told.acknowledged += 1;
    }
  };
  const clients = Array.from({ length: 8 }, (_, nr) => client(nr));
  for (let i = 0; i < 20; i += 1) {
    const { generation } = await world.daemon.status();
    await world.daemon.control("reload");
    await eventually("the roll is done", async () => {
      const now = await world.daemon.status();
      assert.notEqual(now.lastRoll?.is, "rolledBack");
      return now.generation === generation + 1 && now.roll === null;
    });
  }
  state.on = false;
  await Promise.all(clients);
  await drained(world);
  const found = await oracle(world, told);
  t.diagnostic(`20 reloads: ${figures(found, told)}; the slowest answer that did not wait for the sheet took ${Math.round(slowest)} ms`);
  assert.deepEqual([told.odd.slice(0, 5), found], [[], NOTHING_WRONG]);
});

test("1,000 writes, each read at once on a new connection, over eight workers of which one is stopped: 0 stale reads", async (t) => {
  const world = await crashWorld(t, { DROVER_WORKERS: "8" });
  const { url, daemon } = world;
  const stopped = (await pidOf(daemon, "worker")) ?? 0;
  process.kill(stopped, "SIGSTOP");
  t.after(() => process.kill(stopped, "SIGKILL"));
  const stale: string[] = [];
  const times: number[] = [];
  const lane = async (nr: number): Promise<void> => {
    for (let n = 0; n < 125; n += 1) {
      const began = performance.now();
      const [id, value] = [`lane${nr}-${n >> 1}`, n % 2];
      const path = `${url}/api/tables/notes`;
      const answer = value === 0 ? await send("POST", path, { id, owner: "x", value }) : await send("PATCH", `${path}/${id}`, { value });
      times.push(performance.now() - began);
      assert.ok(answer.status < 300, answer.body);
      const read = await get(`${path}/${id}`);
      if (read.status !== 200 || (JSON.parse(read.body) as { row: { value: number } }).row.value !== value)
        stale.push(`${id}: ${read.status} ${read.body}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, nr) => lane(nr)));
  times.sort((a, b) => a - b);
  t.diagnostic(`${times.length} pairs: ${stale.length} stale; writes p50 ${times[500]?.toFixed(1)} ms, p99 ${times[990]?.toFixed(1)} ms`);
  assert.deepEqual([stale.slice(0, 5), times.length], [[], 1_000]);
});
