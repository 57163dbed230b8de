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
import type { SharedLedger } from "../../../src/broker/ledger/ledger.ts";
import type { LedgerSeat } from "../../../src/sheets/ledger-host.ts";
import { fillUp, tinyDisk } from "../../tiny-disk.ts";
import { FakeTime } from "../time.ts";
import { ledgerByHand, session } from "./ledgers.ts";

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
const seat = (host: SharedLedger): LedgerSeat => host.join({ slots: () => {}, ended: () => {}, tallied: () => {} });
const day = (most: number) => [{ key: "day:user:ada", most, per: "day" as const }];
const minute = (most: number) => [{ key: "login:user:ada", most, per: seconds(60) }];

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
  assert.deepEqual(second.host.state, { used: 1, max: 3, status: "LOW" });
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
  assert.equal(next.host.state.used, 1);
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
  assert.equal(second.host.state.used, 2);
  await time.advance(seconds(16));
  assert.equal(second.host.reap(), 1);
  second.host.close();
  await time.advance(seconds(3_600));
  const third = begin();
  assert.equal(third.host.state.used, 0);
  third.host.close();
});

test("a disk that refuses, and a file that is none, cost what is on it and nothing else", async () => {
  let full = true;
  const failing: Kept = {
    ...keepNothing,
    write: () => {
      if (full) throw new Error("database or disk is full");
    },
  };
  const byHand = begin(() => failing);
  const one = seat(byHand.host);
  const ada = session("ada", time.wall());
  await one.enter(ada);
  assert.equal(await one.leave(ada), true, "it is out, though no disk says so");
  await one.leave(session("bob", time.wall()));
  assert.equal(byHand.lines.filter((line) => line.includes("can't be written")).length, 1, "said once");
  full = false;
  byHand.host.close();
  const none = begin(() => {
    throw new Error("EACCES");
  });
  assert.deepEqual(await seat(none.host).enter(ada), { is: "in" });
  none.host.close();
  writeFileSync(join(folder, "ledger.db"), "this is no database, and long enough to be one ".repeat(100));
  const fresh = begin();
  assert.equal(fresh.host.state.used, 0);
  await seat(fresh.host).enter(ada);
  fresh.host.close();
  const again = begin();
  assert.equal(again.host.state.used, 1);
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

test("a flood of sessions, keys and logouts stays bounded and fast", async () => {
  const { host } = begin();
  const one = seat(host);
  const began = performance.now();
  for (let i = 0; i < 20_000; i += 1) {
    await one.enter(session(`u${i % 50}`, time.wall()));
    await one.spend([{ key: `write:address:${i}`, most: 5, per: seconds(60) }]);
  }
  const each = (performance.now() - began) / 40_000;
  console.log(`a step of the ledger takes ${(each * 1_000).toFixed(1)} µs, disk included`);
  assert.ok(host.state.used <= 3);
  assert.ok(each < 1, `${each} ms a step`);
  await sleep(50);
  host.close();
});

test("the operator sees who is in, frees, and puts out by user or by session", async () => {
  const { host } = begin();
  const one = seat(host);
  const [ada, bob] = [session("ada", time.wall() - 3_600_000), session("bob", time.wall(), { id: "abcdefgh", admin: true })];
  await one.enter(ada);
  one.renew({ active: [], held: [bob], known: [] });
  const told = (question: Parameters<typeof answerOperator>[1]) => answerOperator(host, question, time.wall());
  const { text } = told({ do: "list" });
  assert.match(text, /^slots 2\/3 HEALTHY \(66\.7 %, 1 free\)\n\nSESSION/);
  assert.match(text, /ada +60m +10m +what it did last\n/);
  assert.match(text, /abcdefgh +bob +0s +45s +an open stream, admin$/);
  assert.deepEqual(told({ do: "end", who: "nobody" }), { ok: false, text: "nobody is in as nobody, and no session begins with it" });
  assert.deepEqual(told({ do: "end", who: "ada" }), { ok: true, text: "1 session put out; slots 1/3 LOW (33.3 %, 2 free)" });
  assert.deepEqual(await one.enter(session("ada", time.wall() - 1)), { is: "revoked" }, "an older cookie of hers");
  assert.equal(told({ do: "end", who: "abcdef" }).ok, true);
  assert.deepEqual(told({ do: "reap" }), { ok: true, text: "0 slots freed; slots 0/3 LOW (0.0 %, 3 free)" });
  host.close();
});
