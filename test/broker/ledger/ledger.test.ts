/** The ledger with its disk: what it knows after a hand-over, a kill, a full disk, a damaged file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { seconds } from "../../../src/base/units.ts";
import { keepNothing, openKept, type Kept } from "../../../src/broker/ledger/kept.ts";
import { answerOperator } from "../../../src/broker/ledger/operator.ts";
import type { Registry } from "../../../src/broker/ledger/registry.ts";
import type { Session } from "../../../src/sheets/ledger.ts";
import type { LedgerSeat } from "../../../src/sheets/ledger-host.ts";
import { fillUp, tinyDisk } from "../../support/tiny-disk.ts";
import { FakeTime } from "../time.ts";
import { ledgerByHand, session } from "./ledgers.ts";
import { eventually } from "../../support/wait.ts";

let folder: string;
let time: FakeTime;
const silent = pino({ level: "silent" });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-l-"));
  time = new FakeTime();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): Kept => openKept(folder, silent);
const begin = (how: () => Kept = open) => ledgerByHand({ clock: time, open: how, zone: "Europe/Paris" });
const seat = (host: Registry): LedgerSeat => host.join({ slots: () => {}, ended: () => {}, tallied: () => {} });
const day = (most: number) => [{ key: "day:user:ada", most, per: "day" as const }];
const minute = (most: number) => [{ key: "login:user:ada", most, per: seconds(60) }];

test("a hand-over keeps what is taken of a bucket, and it has filled meanwhile", async () => {
  const burst = (times: number) => [{ key: "write:user:ada", most: 60, per: seconds(60), burst: 120, times }];
  const first = begin();
  assert.deepEqual(await seat(first.host).spend(burst(120)), { is: "ok", key: "write:user:ada", left: 0, resetIn: 120_000 });
  first.host.close();
  await time.advance(10_000);
  const second = begin();
  const now = seat(second.host);
  assert.deepEqual(await now.spend(burst(11)), { is: "over", key: "write:user:ada", retryAfter: 1_000 });
  assert.equal((await now.spend(burst(10)))?.is, "ok");
  second.host.close();
});

test("a hand-over keeps who is in, who was put out, the day's counts and the minute's", async () => {
  const first = begin();
  const [ada, bob] = [session("ada", time.wall()), session("bob", time.wall())];
  const old = seat(first.host);
  await old.enter(ada);
  await old.enter(bob);
  assert.equal(await old.leave(bob), true);
  for (const deeds of [day(5), minute(5)]) for (let i = 0; i < 3; i += 1) await old.spend(deeds);
  first.host.close();
  assert.equal(await old.enter(ada), undefined, "ask the next one");
  assert.equal(await old.spend(day(5)), undefined);
  assert.equal(await old.leave(ada), undefined);

  const second = begin();
  const now = seat(second.host);
  assert.deepEqual(second.host.store.state, { used: 1, max: 3, status: "LOW" });
  assert.deepEqual(await now.enter(ada), { is: "in" });
  assert.deepEqual(await now.enter(bob), { is: "revoked" });
  assert.deepEqual([(await now.spend(day(5)))?.is, (await now.spend(day(5)))?.is, (await now.spend(day(5)))?.is], ["ok", "ok", "over"]);
  assert.deepEqual(
    [(await now.spend(minute(5)))?.is, (await now.spend(minute(5)))?.is, (await now.spend(minute(5)))?.is],
    ["ok", "ok", "over"],
  );
  second.host.close();
  first.host.start(); // the successor failed: what it did is known here too
  assert.deepEqual(await old.enter(bob), { is: "revoked" });
  assert.equal((await old.spend(day(5)))?.is, "over");
  first.host.close();
});

test("a broker that is killed loses less than a moment: logouts and the day not at all once they were answered", async () => {
  const killed = begin();
  const one = seat(killed.host);
  const [ada, bob] = [session("ada", time.wall()), session("bob", time.wall())];
  await one.enter(ada);
  await one.enter(bob);
  await one.spend(day(2));
  await one.leave(bob); // answered when it is on disk, and what came before with it
  const next = begin(); // nothing was closed
  const other = seat(next.host);
  assert.equal(next.host.store.state.used, 1);
  assert.deepEqual(await other.enter(bob), { is: "revoked" });
  assert.deepEqual([(await other.spend(day(2)))?.is, (await other.spend(day(2)))?.is], ["ok", "over"]);
  assert.equal(statSync(join(folder, "ledger.db")).mode & 0o777, 0o600);
  next.host.close();
  killed.host.close();
});

test("what ran out while nothing ran is free; what had just run out has a moment", async () => {
  const first = begin();
  const one = seat(first.host);
  await one.enter(session("ada", time.wall()));
  one.renew({ active: [], held: [session("bob", time.wall())], known: [] });
  first.host.close();
  await time.advance(seconds(60)); // bob's stream ran out at 45 s
  const second = begin();
  assert.equal(second.host.store.state.used, 2);
  await time.advance(seconds(16));
  assert.equal(await second.host.store.reap(), 1);
  second.host.close();
  await time.advance(seconds(3_600));
  const third = begin();
  assert.equal(third.host.store.state.used, 0);
  third.host.close();
});

/** A disk that refuses on command. */
function frailDisk() {
  const disk = { full: true, away: false, writes: 0 };
  const kept = (): Kept => {
    if (disk.away) throw new Error("EACCES");
    const real = open();
    return {
      ...keepNothing,
      load: (kind) => real.load(kind),
      close: () => real.close(),
      write(facts) {
        disk.writes += 1;
        if (disk.full) throw new Error("database or disk is full");
        real.write(facts);
      },
    };
  };
  return { disk, kept };
}

/** What became of a promise until some writes later. */
async function soFar<T>(promise: Promise<T>, disk: { readonly writes: number }, more = 3): Promise<T | "pending"> {
  return await Promise.race([promise, written(disk, more).then(() => "pending" as const)]);
}

/** Until the disk was written to so many times more, successfully or not. */
async function written(disk: { readonly writes: number }, more: number): Promise<void> {
  const enough = disk.writes + more;
  await eventually("the write is repeated", () => disk.writes >= enough);
}

test("a logout is answered once it is on disk: a write that failed is repeated until it succeeds", async () => {
  const { disk, kept } = frailDisk();
  const byHand = begin(kept);
  const one = seat(byHand.host);
  const ada = session("ada", time.wall());
  await one.enter(ada);
  const left = one.leave(ada);
  assert.equal(await soFar(left, disk), "pending", "the disk is full");
  assert.deepEqual(await one.enter(ada), { is: "revoked" }, "at once, whatever the disk says");
  assert.equal(byHand.lines.filter((line) => line.includes("can't be written")).length, 1, "logged once");
  disk.full = false;
  assert.equal(await left, true);
  assert.ok(byHand.lines.some((line) => line.includes("the ledger is written again")));
  const killed = begin(); // nothing was closed
  assert.deepEqual(await seat(killed.host).enter(ada), { is: "revoked" });
  killed.host.close();
  byHand.host.close();
});

test("a logout that does not reach the disk in time, or before the ledger closes, is not confirmed", async () => {
  const { kept, disk } = frailDisk();
  const byHand = begin(kept);
  const one = seat(byHand.host);
  const [ada, bob] = [session("ada", time.wall()), session("bob", time.wall())];
  for (const each of [ada, bob]) await one.enter(each);
  assert.equal(await one.leave(ada), undefined, "its worker asks again");
  const answer = await answerOperator(byHand.host.store, { do: "end", who: "bob" }, time.wall());
  assert.equal(answer.ok, false);
  assert.match(answer.text, /^1 session put out; slots 0\/3 .*not on disk yet/);
  const again = answerOperator(byHand.host.store, { do: "end", who: "bob" }, time.wall());
  const left = one.leave(ada);
  byHand.host.close();
  assert.equal(await left, undefined);
  assert.match((await again).text, /^0 sessions put out; .*not on disk yet/, "repeated");
  disk.full = false;
  byHand.host.start(); // no successor came: what was ended here stays so, and is written now
  assert.equal(await seat(byHand.host).leave(ada), true);
  const killed = begin();
  for (const each of [ada, bob]) assert.deepEqual(await seat(killed.host).enter(each), { is: "revoked" });
  killed.host.close();
  byHand.host.close();
});

test("a login that ends an older session is answered once that is on disk; others do not wait for it", async (t) => {
  const { disk, kept } = frailDisk();
  disk.full = false;
  const { host } = begin(kept);
  t.after(() => host.close());
  const one = seat(host);
  const [ada, bob, eve] = ["ada", "bob", "eve"].map((user) => session(user, time.wall())) as [Session, Session, Session];
  assert.deepEqual(await one.enter(ada), { is: "in" });
  disk.full = true; // and no write has failed yet
  const newer = one.enter(session("ada", time.wall() + 1));
  const over = one.enter(bob, eve);
  for (const login of [newer, over]) assert.equal(await soFar<unknown>(login, disk), "pending");
  assert.deepEqual(await one.enter(session("zoe", time.wall())), { is: "in" });
  disk.full = false;
  for (const login of [newer, over]) assert.deepEqual(await login, { is: "in" });
});

test("while the disk refuses, a login that would end an older session is refused and ends none; other sessions wait for nothing", async (t) => {
  const { disk, kept } = frailDisk();
  const { host } = ledgerByHand({ clock: time, open: kept, rules: { max: 10, perUser: 2 } });
  t.after(() => host.close());
  const out: string[] = [];
  const one = host.join({ slots: () => {}, ended: (id) => out.push(id), tallied: () => {} });
  const ada = Array.from({ length: 5 }, (_, i) => session("ada", time.wall() + i)) as [Session, Session, Session, Session, Session];
  for (const each of ada.slice(0, 2)) assert.deepEqual(await one.enter(each), { is: "in" });
  await written(disk, 2);
  assert.equal((await one.enter(ada[2]))?.is, "away", "a third one");
  assert.equal((await one.enter(session("bob", time.wall()), ada[1]))?.is, "away", "in a browser where ada is in");
  assert.deepEqual([out, host.store.state.used], [[], 2]);
  const left = one.leave(ada[0]);
  assert.deepEqual(await soFar<unknown>(one.enter(ada[1]), disk), { is: "in" }, "admitted before, new to its worker");
  assert.deepEqual(await soFar<unknown>(one.enter(ada[3]), disk), { is: "in" }, "ends no session");
  disk.full = false;
  assert.equal(await left, true);
  assert.deepEqual(await one.enter(ada[4]), { is: "in" });
  assert.deepEqual(out, [ada[0].id, ada[1].id]);
});

test("counts of the day that a full disk did not take are written when it does", async () => {
  const { disk, kept } = frailDisk();
  disk.full = false;
  const { host } = begin(kept);
  const one = seat(host);
  for (let i = 0; i < 12; i += 1) await one.spend(day(100));
  assert.equal(await one.leave(session("eve", time.wall())), true);
  disk.full = true;
  for (let i = 0; i < 60; i += 1) await one.spend(day(100));
  await written(disk, 2);
  disk.full = false;
  host.close();
  const next = begin();
  const spent = await seat(next.host).spend(day(100));
  assert.ok(spent?.is === "ok" && spent.left === 100 - 73, JSON.stringify(spent));
  next.host.close();
});

test("a lease that a full disk did not take is written when it does", async () => {
  const { disk, kept } = frailDisk();
  const { host } = begin(kept);
  const one = seat(host);
  await one.enter(session("ada", time.wall()));
  await written(disk, 2);
  disk.full = false;
  assert.equal(await one.leave(session("eve", time.wall())), true, "all that is unsaved goes along");
  const killed = begin();
  assert.equal(killed.host.store.state.used, 1);
  killed.host.close();
  host.close();
});

test("a ledger that can't be opened is tried again; meanwhile nobody is admitted, and what ends or is counted then holds", async () => {
  const first = begin();
  const [ada, bob, eve] = ["ada", "bob", "eve"].map((user) => session(user, time.wall())) as [Session, Session, Session];
  const before = seat(first.host);
  for (const each of [ada, bob, eve]) await before.enter(each);
  await before.leave(eve);
  for (let i = 0; i < 3; i += 1) await before.spend(day(5));
  first.host.close();

  const { disk, kept } = frailDisk();
  Object.assign(disk, { full: false, away: true });
  const next = begin(kept);
  const out: string[] = [];
  const one = next.host.join({ slots: () => {}, ended: (id, why) => out.push(`${id} ${why}`), tallied: () => {} });
  for (const each of [ada, eve, session("new", time.wall())]) assert.equal((await one.enter(each))?.is, "away");
  one.renew({ active: [], held: [], known: [ada, eve] }); // as a worker does that reaches this broker
  assert.deepEqual(out, [], "what is unknown ends nobody");
  const left = one.leave(bob);
  assert.equal((await one.spend(day(5)))?.is, "ok");
  disk.away = false;
  assert.equal(await left, true);
  assert.deepEqual(new Set(out), new Set([`${bob.id} revoked`, `${eve.id} revoked`]), "checked as soon as it is known");
  assert.deepEqual(await one.enter(ada), { is: "in" });
  for (const each of [bob, eve]) assert.deepEqual(await one.enter(each), { is: "revoked" });
  assert.deepEqual([(await one.spend(day(5)))?.is, (await one.spend(day(5)))?.is], ["ok", "over"], "3 before, 1 meanwhile");
  assert.equal(next.lines.filter((line) => line.includes("can't be opened")).length, 1);
  next.host.close();
});

test("an operator learns that the ledger is not read yet; a user whose sessions are ended meanwhile stays out", async (t) => {
  const first = begin();
  const ada = session("ada", time.wall());
  await seat(first.host).enter(ada);
  first.host.close();
  const { disk, kept } = frailDisk();
  Object.assign(disk, { full: false, away: true });
  const { host } = begin(kept);
  t.after(() => host.close());
  const tell = (question: Parameters<typeof answerOperator>[1]) => answerOperator(host.store, question, time.wall());
  for (const question of [{ do: "end", who: "ada" }, { do: "reset-day" }, { do: "list" }] as const) {
    const { ok, text } = await tell(question);
    assert.deepEqual([ok, /can't be read yet/.test(text)], [question.do === "list", true], text);
  }
  disk.away = false;
  assert.equal(await seat(host).leave(session("eve", time.wall())), true);
  assert.deepEqual(await seat(host).enter(ada), { is: "revoked" });
  assert.equal((await tell({ do: "reset-day" })).ok, true);
});

test("a file that is no database costs what is on it and nothing else", async () => {
  writeFileSync(join(folder, "ledger.db"), "this is no database, and long enough to be one ".repeat(100));
  const ada = session("ada", time.wall());
  const fresh = begin();
  assert.equal(fresh.host.store.state.used, 0);
  await seat(fresh.host).enter(ada);
  fresh.host.close();
  const again = begin();
  assert.equal(again.host.store.state.used, 1);
  again.host.close();
});

test("a restart on a full disk knows who was revoked, and writes again as usual once there is room", async (t) => {
  const disk = tinyDisk(t, 1_000_000);
  if (disk === undefined) return;
  const on = (): Kept => openKept(disk, silent);
  const first = begin(on);
  const bob = session("bob", time.wall());
  await seat(first.host).enter(bob);
  await seat(first.host).leave(bob);
  first.host.close();
  const free = fillUp(disk);
  const second = begin(on);
  assert.deepEqual(await seat(second.host).enter(bob), { is: "revoked" });
  const ada = session("ada", time.wall());
  await seat(second.host).enter(ada);
  await seat(second.host).leave(ada); // can't be written now
  free();
  await seat(second.host).leave(session("cy", time.wall()));
  const beside = new DatabaseSync(join(disk, "ledger.db"), { readOnly: true }); // as drover backup does
  const rows = beside.prepare("SELECT count(*) AS rows FROM facts WHERE kind = 'ended'").get();
  beside.close();
  assert.ok(Number(rows?.["rows"]) >= 2, "what happened meanwhile is on disk, and others can read it");
  second.host.close();
  const third = begin(on);
  assert.deepEqual(await seat(third.host).enter(ada), { is: "revoked" });
  third.host.close();
});

test("a disk that could not be opened at the start is used as soon as it can be", async () => {
  let broken = true;
  const late = begin(() => {
    if (broken) throw new Error("disk I/O error");
    return open();
  });
  const ada = session("ada", time.wall());
  await seat(late.host).enter(ada);
  await seat(late.host).leave(ada);
  broken = false;
  await time.advance(seconds(5));
  await seat(late.host).leave(session("bob", time.wall()));
  const next = begin();
  assert.deepEqual(await seat(next.host).enter(ada), { is: "revoked" });
  next.host.close();
  late.host.close();
});

test("a clock that is set back resets no daily quota: not in this process, not in the next; both readings are logged", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const first = begin();
  const one = seat(first.host);
  for (let i = 0; i < 50; i += 1) assert.equal((await one.spend(day(50)))?.is, "ok");
  const was = time.wall();
  time.setWall(-86_400_000);
  t.mock.timers.tick(60_000); // looks at the clock, and sweeps
  assert.equal((await one.spend(day(50)))?.is, "over");
  const line = first.lines.map((text) => JSON.parse(text) as Record<string, unknown>).find(({ event }) => event === "clock-step");
  assert.deepEqual(
    [line?.["expected"], line?.["actual"], line?.["step_ms"]],
    [new Date(was).toISOString(), new Date(time.wall()).toISOString(), -86_400_000],
  );
  assert.match(String(line?.["msg"]), /was set back by 86400 s: .*daily quotas stay on 2027-01-15, 1 day ahead/);
  first.host.close();
  const next = begin();
  assert.equal((await seat(next.host).spend(day(50)))?.is, "over");
  const answer = await answerOperator(next.host.store, { do: "reset-day" }, time.wall());
  assert.deepEqual(answer, { ok: true, text: "daily quotas are counted on 2027-01-14" });
  assert.equal((await seat(next.host).spend(day(50)))?.is, "ok", "an operator said so");
  next.host.close();
});

test("ended sessions are not forgotten by a clock that jumps ahead and comes back", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { host } = begin();
  const one = seat(host);
  const ada = session("ada", time.wall());
  await one.enter(ada);
  await one.leave(ada);
  const month = 40 * 86_400_000;
  await time.advance(seconds(2 * 3_600));
  time.setWall(month);
  t.mock.timers.tick(60_000);
  time.setWall(-month);
  assert.deepEqual(await one.enter(ada), { is: "revoked" });
  host.close();
});

test("a flood of sessions, keys and logouts stays bounded", async () => {
  const { host } = begin();
  const one = seat(host);
  const began = performance.now();
  for (let i = 0; i < 20_000; i += 1) {
    await one.enter(session(`u${i % 50}`, time.wall()));
    await one.spend([{ key: `write:address:${i}`, most: 5, per: seconds(60) }]);
  }
  const each = (performance.now() - began) / 40_000;
  console.log(`a step of the ledger takes ${(each * 1_000).toFixed(1)} µs, disk included`);
  assert.ok(host.store.state.used <= 3);
  await sleep(50);
  host.close();
});

test("4.12: the operator sees who is in, frees, and puts out by user or by session", async () => {
  const { host } = begin();
  const one = seat(host);
  const [ada, bob] = [session("ada", time.wall() - 3_600_000), session("bob", time.wall(), { id: "abcdefgh", admin: true })];
  await one.enter(ada);
  one.renew({ active: [], held: [bob], known: [] });
  const told = (question: Parameters<typeof answerOperator>[1]) => answerOperator(host.store, question, time.wall());
  const { text } = await told({ do: "list" });
  assert.match(text, /^slots 2\/3 HEALTHY \(66\.7 %, 1 free\)\n\nSESSION/);
  assert.match(text, /ada +60m +10m +what it did last\n/);
  assert.match(text, /abcdefgh +bob +0s +45s +an open stream, admin$/);
  const zombies = async (): Promise<string> => (await told({ do: "list", zombies: true })).text;
  assert.match(
    await zombies(),
    /^slots 2\/3 HEALTHY \(66\.7 %, 1 free\)\n0 sessions without a stream and unused for a minute; .* 10m after its last use$/,
  );
  await time.advance(30_000);
  one.renew({ active: [], held: [bob], known: [] });
  await time.advance(30_000);
  assert.match(await zombies(), /ada +61m +9m +what it did last\n1 session without a stream and unused for a minute/);
  assert.doesNotMatch(await zombies(), /bob/, "a stream holds that slot");
  assert.deepEqual(await told({ do: "end", who: "nobody" }), { ok: false, text: "nobody is in as nobody, and no session begins with it" });
  assert.deepEqual(await told({ do: "end", who: "ada" }), { ok: true, text: "1 session put out; slots 1/3 LOW (33.3 %, 2 free)" });
  assert.deepEqual(await one.enter(session("ada", time.wall() - 1)), { is: "revoked" }, "an older cookie of hers");
  assert.equal((await told({ do: "end", who: "abcdef" })).ok, true);
  assert.deepEqual(await told({ do: "reap" }), { ok: true, text: "0 slots freed; slots 0/3 LOW (0.0 %, 3 free)" });
  host.close();
});
