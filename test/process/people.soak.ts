/** People who log in at once and stay: what they and all others wait, by code and by password. On a machine that does nothing else. */
import assert from "node:assert/strict";
import { scrypt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { hashPassword } from "../../src/cli/hash.ts";
import { book } from "./book.ts";
import { get, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { PLAYERS, quantile, spread, statuses, Visitor, type Account, type Heard } from "./people.ts";

const PEOPLE = 100;
/** Ten minutes of polling every 10 s, ten times as fast. */
const POLL = 1_000;
const SECONDS = Number(process.env["DROVER_SOAK_SECONDS"] ?? 60);
const p95 = (heard: readonly Heard[]): number =>
  quantile(
    heard.map(({ took }) => took),
    0.95,
  );

/** The first login of all waits for Google. */
const usersKnown = (daemon: Daemon): Promise<boolean> =>
  eventually("the users are known", async () => {
    const nobody = new Visitor(daemon.url);
    const { status } = await nobody.login({ name: "nobody", secret: "x" });
    nobody.leave();
    return status === 401;
  });

const DEEDS = {
  read: (visitor: Visitor, nr: number) =>
    visitor.ask("GET", nr % 2 === 0 ? "/api/tables/players" : `/api/tables/actions?limit=${1 + (nr % 50)}`),
  write: (visitor: Visitor, nr: number) => visitor.ask("POST", "/api/tables/actions", { player: "p001", kind: "report", note: `n${nr}` }),
  export: (visitor: Visitor, nr: number) => visitor.ask("GET", `/api/tables/players/export?format=${["csv", "json", "xlsx"][nr % 3]}`),
} as const;
type Deed = keyof typeof DEEDS;
/** Six reads, three writes and an export of ten. */
const MIX: readonly Deed[] = ["read", "write", "read", "read", "export", "write", "read", "read", "write", "read"];

test(
  `${PEOPLE} people log in by code at once and poll for ${SECONDS} s: 60 % reads, 30 % writes, 10 % exports, 8 workers`,
  { timeout: 600_000 },
  async (t) => {
    const env = { DROVER_WORKERS: "8", DROVER_EMULATOR_LATENCY: "recorded", DROVER_EMULATOR_QUOTA: "on" };
    const daemon = await start(t, { env });
    await eventually("rows are there", async () => (await get(`${daemon.url}/api/tables/players?limit=1`)).status === 200);
    await usersKnown(daemon);
    const visitors = PLAYERS.slice(0, PEOPLE).map((account) => ({ account, visitor: new Visitor(daemon.url) }));
    t.after(() => visitors.forEach(({ visitor }) => visitor.leave()));
    const logins = await Promise.all(visitors.map(({ visitor, account }) => visitor.login(account)));
    console.log(`logins by code at once: ${spread(logins)}`);
    const heard: Record<Deed, Heard[]> = { read: [], write: [], export: [] };
    const end = performance.now() + SECONDS * 1_000;
    await Promise.all(
      visitors.map(async ({ visitor }, who) => {
        for (let nr = who, due = performance.now() + (POLL * who) / PEOPLE; due < end; nr += 1, due += POLL) {
          await sleep(Math.max(0, due - performance.now()));
          const deed = MIX[nr % MIX.length] ?? "read";
          heard[deed].push(await DEEDS[deed](visitor, nr));
        }
      }),
    );
    for (const [deed, all] of Object.entries(heard)) console.log(`${deed}: ${spread(all)}; ${JSON.stringify(statuses(all))}`);
    assert.deepEqual(statuses(logins), { 200: PEOPLE });
    assert.deepEqual([statuses(heard.read), statuses(heard.write), statuses(heard.export)].map(Object.keys), [["200"], ["201"], ["200"]]);
    assert.ok(p95(logins) < 500, `logins: p95 ${p95(logins)} ms`);
    for (const [deed, all] of Object.entries(heard)) assert.ok(p95(all) < 100, `${deed}: p95 ${p95(all)} ms`);
  },
);

test("300 people log in from one address within 10 s: nobody is told to wait", { timeout: 120_000 }, async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: "8" } });
  const visitors = PLAYERS.slice(0, 300).map((account) => ({ account, visitor: new Visitor(daemon.url) }));
  t.after(() => visitors.forEach(({ visitor }) => visitor.leave()));
  const began = performance.now();
  const heard = await Promise.all(visitors.map(({ visitor, account }) => visitor.login(account)));
  const took = performance.now() - began;
  console.log(`300 logins from one address, all in after ${took.toFixed(0)} ms: ${spread(heard)}; ${JSON.stringify(statuses(heard))}`);
  assert.deepEqual(statuses(heard), { 200: 300 });
  assert.ok(took < 10_000);
});

const PASSWORD = "correct horse battery";

/** @returns a daemon on a sheet where so many people have passwords, and their accounts. */
async function withPasswords(t: TestContext, people: number, workers: number): Promise<{ daemon: Daemon; accounts: Account[] }> {
  const hash = hashPassword(PASSWORD);
  const accounts = Array.from({ length: people }, (_, nr) => ({ name: `Person ${nr}`, secret: PASSWORD }));
  const cwd = folder(t);
  const file = join(cwd, "with-users.json");
  const tables = { people: { columns: { password: { hidden: true } } }, stock: { key: "id", read: "public", ttl: "1m" } };
  writeFileSync(file, JSON.stringify({ users: { table: "people", name: "name", secret: "password" }, tables }));
  const tabs = {
    people: { rows: [["name", "password"], ...accounts.map(({ name }) => [name, hash])] },
    stock: { rows: [["id", "count"], ...Array.from({ length: 100 }, (_, nr) => [`s${nr}`, nr])] },
  };
  const { daemon } = await book(t, tabs, { DROVER_TABLES: file, DROVER_WORKERS: String(workers) }, cwd);
  await usersKnown(daemon);
  return { daemon, accounts };
}

/** @returns milliseconds that one hash takes while every core makes one. */
async function measureHash(): Promise<number> {
  const cores = availableParallelism();
  const make = promisify(scrypt) as (password: string, salt: string, length: number, cost: object) => Promise<Buffer>;
  const rounds = 4;
  const began = performance.now();
  const work = Array.from({ length: cores }, async () => {
    for (let nr = 0; nr < rounds; nr += 1) await make(PASSWORD, "salt", 32, { N: 2 ** 14, r: 8, p: 5, maxmem: 67_108_864 });
  });
  await Promise.all(work);
  return (performance.now() - began) / rounds;
}

test(`${PEOPLE} people log in by password at once: as fast as the cores hash, and nobody else waits`, { timeout: 600_000 }, async (t) => {
  const cores = availableParallelism();
  const { daemon, accounts } = await withPasswords(t, PEOPLE, 4 * cores);
  const hash = await measureHash();
  const visitors = accounts.map((account) => ({ account, visitor: new Visitor(daemon.url) }));
  const stranger = new Visitor(daemon.url);
  t.after(() => [stranger, ...visitors.map(({ visitor }) => visitor)].forEach((visitor) => visitor.leave()));
  const others: Heard[] = [];
  const state = { on: true };
  const reading = (async () => {
    for (let nr = 0; state.on; nr += 1) {
      others.push(await stranger.ask("GET", nr % 2 === 0 ? "/api/tables/stock" : `/api/tables/stock?limit=${1 + (nr % 90)}`));
      await sleep(20);
    }
  })();
  const began = performance.now();
  const logins = await Promise.all(visitors.map(({ visitor, account }) => visitor.login(account)));
  const took = performance.now() - began;
  state.on = false;
  await reading;
  const bound = (1.3 * PEOPLE * hash) / cores;
  console.log(
    `${PEOPLE} logins by password, ${cores} cores, ${4 * cores} workers, ${hash.toFixed(0)} ms a hash: all in after ${took.toFixed(0)} ms (bound ${bound.toFixed(0)}); ` +
      `logins ${spread(logins)}; others meanwhile ${spread(others)}`,
  );
  assert.deepEqual(statuses(logins), { 200: PEOPLE });
  assert.deepEqual(statuses(others), { 200: others.length });
  assert.ok(took <= bound, `${took} ms of ${bound}`);
  assert.ok(p95(others) < 100, `others: p95 ${p95(others)} ms`);
});

test("more passwords than one worker lets wait: those who are told when to come back get in then", { timeout: 900_000 }, async (t) => {
  const { daemon, accounts } = await withPasswords(t, 180, 1);
  const visitors = accounts.map((account) => ({ account, visitor: new Visitor(daemon.url) }));
  t.after(() => visitors.forEach(({ visitor }) => visitor.leave()));
  const waits: number[] = [];
  const tries = await Promise.all(
    visitors.map(async ({ visitor, account }) => {
      const first = await visitor.login(account);
      if (first.status === 200) return [first];
      const wait = Number(first.headers["retry-after"]);
      assert.ok(first.headers["x-drover-refused"] === "logins" && Number.isInteger(wait) && wait > 0, JSON.stringify(first.headers));
      waits.push(wait);
      await sleep(wait * 1_000);
      return [first, await visitor.login(account)];
    }),
  );
  const [firsts, seconds] = [tries.map(([first]) => first as Heard), tries.flatMap(([, second]) => second ?? [])];
  console.log(
    `first tries ${JSON.stringify(statuses(firsts))}, told to wait ${Math.min(...waits)} to ${Math.max(...waits)} s; then ${JSON.stringify(statuses(seconds))}`,
  );
  assert.ok(waits.length > 0);
  assert.deepEqual(statuses(seconds), { 200: waits.length }, "Retry-After is true");
});
