import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { advise, adviceText, LIMITS, NOTHING, type AdviceInput } from "../../../src/admin/advice/advice.ts";
import type { TableReport } from "../../../src/base/upstreamreport.ts";
import { mebibytes, ms, type Ms, type Timestamp } from "../../../src/base/units.ts";
import type { Status } from "../../../src/cli/snapshot.ts";
import { child, place, statusWith } from "../../cli/statuses.ts";
import { upstream } from "../given.ts";

const calm: Partial<Status> = {
  machine: { cpu: 0.1, ram: 0.2, ramUsed: 1, ramTotal: 5 },
  upstream: null,
  places: [place(0, { child: child({ elu: 0.05 }) })],
};
const input = (status: Partial<Status> = {}, changes: Partial<AdviceInput> = {}): AdviceInput => ({
  snapshot: statusWith({ ...calm, ...status }),
  journalSize: mebibytes(64),
  fullIn: null,
  connections: 1_000,
  cores: 4,
  ttl: ms(30_000),
  readsPerMinute: 60,
  ...changes,
});
const tables = (...ttls: number[]): TableReport[] =>
  ttls.map((ttl, i) => ({ name: `t${i}`, rows: 1, version: 1, checkedAt: 0 as Timestamp, warnings: 0, ttl: ms(ttl) }));
const quota = (used: number, lockedUntil = 0) => ({ used, limit: 51, lockedUntil: lockedUntil as Timestamp });
const slots = (used: number, max = 200) => ({ used, max, status: "HEALTHY" as const });

const SAID: readonly (readonly [string, AdviceInput, string])[] = [
  [
    "three tables that are asked for too often",
    input({ upstream: upstream({ quota: quota(36), tables: tables(5_000, 5_000, 5_000) }) }),
    "quota: 3 tables at TTL 5 s need up to 36 calls/min of 51; TTL 10 s (DROVER_CACHE_TTL, or ttl in the tables file) halves it",
  ],
  [
    "three tables that the broker asks for less often than they would be",
    input({
      upstream: upstream({
        quota: quota(51),
        tables: tables(5_000, 5_000, 5_000),
        pace: { planned: 60, budget: 44, others: 0, floor: ms(6_000) },
      }),
    }),
    "quota: 3 tables at TTL 5 s need up to 60 calls/min of 51; TTL 12 s (DROVER_CACHE_TTL, or ttl in the tables file) makes it 25",
  ],
  [
    "far too often: half is not enough",
    input({ upstream: upstream({ quota: quota(51), state: "locked", tables: tables(1_000, 1_000) }) }),
    "quota: 2 tables at TTL 1 s need up to 120 calls/min of 51, and Google refuses more; TTL 5 s (DROVER_CACHE_TTL, or ttl in the tables file) makes it 24",
  ],
  [
    "tables with TTLs of their own",
    input({ upstream: upstream({ quota: quota(40), tables: tables(3_000, 10_000, 120_000) }) }),
    "quota: 3 tables at TTLs of 3 s to 2 min need up to 27 calls/min of 51; 2 times the TTLs (ttl in the tables file, DROVER_CACHE_TTL) halves it",
  ],
  [
    "somebody else uses the account",
    input({ upstream: upstream({ quota: quota(45), tables: tables(60_000) }) }),
    "quota: 45 of 51 read calls of this minute are used (88 %), of which the tables need up to 1; something else reads with this account: give drover one of its own (quota 60/min)",
  ],
  [
    "the write quota",
    input({ upstream: upstream({ writes: { ...upstream().writes, quota: quota(48) } as never }) }),
    "quota: 48 of 51 write calls of this minute are used (94 %); one call carries many writes, so they come later, not fewer: ask Google for more, then raise DROVER_WRITES_PER_MINUTE",
  ],
  [
    "slots, on a machine that carries more",
    input({ slots: slots(170) }, { fullIn: ms(41 * 60_000) }),
    "slots: 170 of 200 slots are taken (85 %, full in about 41 min at this rate); DROVER_MAX_SLOTS=250, the machine carries more: CPU is at 10 %, memory at 20 %",
  ],
  [
    "slots, on a machine that is busy",
    input({ slots: slots(170), machine: { cpu: 0.75, ram: 0.7, ramUsed: 1, ramTotal: 5 } }),
    "slots: 170 of 200 slots are taken (85 %); more slots need a bigger machine first: CPU is at 75 %, memory at 70 %",
  ],
  ["slots, half taken", input({ slots: slots(110) }), "slots: 110 of 200 slots are taken (55 %); nothing to do yet"],
  [
    "CPU",
    input({ machine: { cpu: 0.9, ram: 0.2, ramUsed: 1, ramTotal: 5 }, workers: { target: 16, ready: 16 } }),
    "cpu: the CPU is at 90 % with 16 workers on 4 cores; more cores; more workers would only share them",
  ],
  [
    "a busy neighbour: not drover's limit, and no reason for more cores",
    input({ machine: { cpu: 0.98, ownCpu: 0.03, ram: 0.2, ramUsed: 1, ramTotal: 5 } }),
    "cpu: the CPU is at 98 %, of which drover uses 3 %: other processes use the rest; nothing to do yet",
  ],
  [
    "a busy neighbour does not hide what is more serious",
    input({ machine: { cpu: 1, ownCpu: 0.03, ram: 0.2, ramUsed: 1, ramTotal: 5 }, slots: slots(150) }),
    "slots: 150 of 200 slots are taken (75 %); more slots need a bigger machine first: CPU is at 100 %, memory at 20 %",
  ],
  [
    "drover and a neighbour share the CPU",
    input({ machine: { cpu: 1, ownCpu: 0.45, ram: 0.2, ramUsed: 1, ramTotal: 5 } }),
    "cpu: the CPU is at 100 %, of which drover uses 45 %: other processes use the rest; stop or move the other processes (`top` shows them), or more cores",
  ],
  [
    "busy event loops beside a busy neighbour",
    input({
      machine: { cpu: 1, ownCpu: 0.2, ram: 0.2, ramUsed: 1, ramTotal: 5 },
      places: [place(0, { child: child({ elu: 0.95 }) })],
    }),
    "workers: the workers' event loops are 95 % busy, the CPU is at 100 %; stop or move the other processes (`top` shows them), or more cores",
  ],
  [
    "memory that others take",
    input({ machine: { cpu: 0.1, ram: 0.85, ramUsed: 4_000_000_000, ramTotal: 5_000_000_000 } }),
    "memory: memory is at 85 %, 2 workers take about 89 MiB each; other processes use most of it: stop or move them (`top` shows them), or get a machine with more memory",
  ],
  [
    "memory",
    input({ machine: { cpu: 0.1, ram: 0.85, ramUsed: 1, ramTotal: 5 }, workers: { target: 16, ready: 16 } }),
    "memory: memory is at 85 %, 16 workers take about 89 MiB each; `drover scale 12` frees memory, or get a machine with more",
  ],
  [
    "one busy worker on four idle cores",
    input({ workers: { target: 1, ready: 1 }, places: [place(0, { child: child({ elu: 0.95 }) })] }),
    "workers: the workers' event loops are 95 % busy, the CPU is at 10 %; `drover scale 5`, there is CPU left",
  ],
  [
    "busy workers that have only just started",
    input({ workers: { target: 1, ready: 1 }, places: [place(0, { child: child({ elu: 1, uptime: ms(1_500) }) })] }),
    "memory: memory is at 20 %, 1 workers take about 89 MiB each; nothing to do",
  ],
  [
    "a worker is missing",
    input({ workers: { target: 2, ready: 1 }, slots: slots(190) }),
    "workers: 1 of 2 workers are ready; see why under `deaths` in `drover status`, and in the log",
  ],
  [
    "connections",
    input({ workers: { target: 1, ready: 1 }, places: [place(0, { child: child({ connections: 900, elu: 0.1 }) })] }),
    "connections: 900 of 1000 connections are open; raise DROVER_WORKER_CONNECTIONS (1000), or shorten DROVER_KEEP_ALIVE",
  ],
  [
    "the journal",
    input({ upstream: upstream({ writes: { ...upstream().writes, waiting: 900, waitingBytes: mebibytes(60) } as never }) }),
    "writes: 900 accepted writes wait for the sheet, the journal is 94 % full; see why Google does not take them (`drover status`), or raise DROVER_JOURNAL_SIZE",
  ],
  [
    "the key is refused: before all else",
    input({ upstream: upstream({ state: "denied", message: "share it with a@b" }), slots: slots(200) }),
    "upstream: share it with a@b; mend the key or the share: `drover status` shows the rows it serves meanwhile",
  ],
  [
    "Google does not answer",
    input({ upstream: upstream({ state: "down", message: "no answer within 5000 ms" }) }),
    "upstream: Google does not answer: no answer within 5000 ms; rows are served as they are, marked stale: look at the network, or wait for Google",
  ],
];

for (const [what, given, said] of SAID) test(`advice: ${what}`, () => assert.equal(adviceText(advise(given)), said));

test("an idle machine is told to do nothing, and still which limit is the nearest", () => {
  const { step, limit, share } = advise(input({ slots: slots(30) }));
  assert.deepEqual([step, limit], [NOTHING, "memory"]);
  assert.ok(share > 0 && share < 0.5);
});

test("4.8: more cores are asked for above 70 % CPU, more memory above 80 % RAM, and not before", () => {
  const at = (cpu: number, ram: number, more: Partial<Status> = {}) =>
    adviceText(advise(input({ machine: { cpu, ram, ramUsed: 1, ramTotal: 5 }, ...more })));
  for (const cpu of [0.1, 0.63, 0.65, 0.69, 0.7]) assert.doesNotMatch(at(cpu, 0.2), /more cores/, String(cpu));
  for (const cpu of [0.71, 0.8, 0.9, 1]) assert.match(at(cpu, 0.2), /^cpu: .*more cores$/, String(cpu));
  for (const ram of [0.1, 0.63, 0.72, 0.79, 0.8]) assert.doesNotMatch(at(0.1, ram), /frees memory|more memory/, String(ram));
  for (const ram of [0.81, 0.9, 1]) assert.match(at(0.1, ram), /^memory: .*frees memory/, String(ram));
  const busy = { workers: { target: 16, ready: 16 }, places: [place(0, { child: child({ elu: 0.95 }) })] };
  assert.match(at(0.65, 0.2, busy), /busy, the CPU is at 65 %; `drover stack SLOT` shows with what$/);
  assert.match(at(0.75, 0.2, busy), /busy, the CPU is at 75 %; more cores$/);
  assert.match(at(0.7, 0.8, { slots: slots(190) }), /DROVER_MAX_SLOTS=250, the machine carries more/);
  assert.match(at(0.71, 0.2, { slots: slots(190) }), /need a bigger machine first/);
});

test("nothing is known yet: nothing to do", () =>
  assert.equal(advise(input({ machine: null, state: "starting", places: [] })).step, NOTHING));

test("whatever the figures, there is one limit, one reason, one step, and no NaN", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.record({
        cpu: share,
        ram: share,
        used: fc.nat(400),
        calls: fc.nat(60),
        ttls: fc.array(fc.integer({ min: 100, max: 86_400_000 }), { maxLength: 9 }),
      }),
      fc.option(fc.integer({ min: 0, max: 86_400_000 })),
      ({ cpu, ram, used, calls, ttls }, full) => {
        const machine = { cpu, ram, ramUsed: 1, ramTotal: 5 };
        const report = upstream({ quota: quota(calls), tables: tables(...ttls) });
        const found = advise(input({ machine, slots: slots(used), upstream: report }, { fullIn: full as Ms | null }));
        assert.ok(LIMITS.includes(found.limit) && Number.isFinite(found.share) && found.share >= 0);
        assert.ok(found.reason !== "" && found.step !== "");
        assert.doesNotMatch(adviceText(found), /NaN|Infinity|undefined|null/);
      },
    ),
  );
});
