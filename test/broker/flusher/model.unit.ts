import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import type { Entry } from "../../../src/broker/journal/journal.ts";
import { times } from "../../support/times.ts";
import { FATES, LATE, type Fate } from "./google.ts";
import { disturb, reverse } from "./people.ts";
import { busiest, LAYOUT, Machine } from "./world.ts";
import { randoms } from "../time.ts";
import { seed } from "../../support/seed.ts";

const RUNS = Number(process.env["FLUSHER_RUNS"] ?? times(200));
const SEED = seed("model of the flusher");
const LIMIT = 51;

const step = fc.record({
  op: fc.constantFrom("append" as const, "append" as const, "update" as const, "update" as const, "update" as const, "delete" as const),
  key: fc.nat(11),
  wait: fc.constantFrom(0, 0, 10, 200, 2_000, 5_000, 20_000, 70_000),
  poison: fc.integer({ min: 0, max: 24 }).map((n) => n === 0),
});

const mixed = fc.oneof({ weight: 3, arbitrary: fc.constant<Fate>("ok") }, { weight: 2, arbitrary: fc.constantFrom<Fate>(...FATES) });
const belated = fc.constantFrom<Fate>("ok", "ok", "late", "refused");

const scenario = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 30 }),
  keys: fc.constantFrom(2, 12),
  steps: fc.array(step, { minLength: 1, maxLength: 50 }),
  fates: fc.oneof(fc.array(mixed, { maxLength: 40 }), fc.array(belated, { maxLength: 40 })),
  crashes: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 6 }),
  people: fc.constantFrom(0, 0, 0.1, 0.4),
  deletes: fc.constantFrom("gone", undefined),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const isRefusable = (s: Scenario): boolean => s.fates.includes("refused") || s.steps.some(({ poison }) => poison);

/** All that was accepted of each key, in order. */
type Log = Map<string, Entry[]>;

function act(m: Machine, { op, key: nr, poison }: Scenario["steps"][number], counter: number, { keys, deletes }: Scenario, log: Log): void {
  const key = `k${nr % keys}`;
  const before = log.get(key) ?? [];
  const parked = new Set(m.disk.parked.map(({ lsn }) => lsn));
  const last = before.findLast(({ lsn }) => !parked.has(lsn))?.op;
  const name = poison ? "POISON" : "x";
  const isThere = last !== undefined && last !== "delete";
  if (op === "append" ? last === undefined || (last === "delete" && deletes === undefined) : isThere) {
    const entry =
      op === "append" ? m.append(key, { n: counter, name }) : op === "update" ? m.update(key, { n: counter, name }) : m.remove(key);
    log.set(key, [...before, entry]);
  }
}

/**
 * After each write that was done: no key twice, and none goes back to an older value. But where a refusal makes values go one by one
 * that had landed together just before a crash, the older may be seen once more, until the newer follows.
 */
function watch(m: Machine, refusable: boolean): void {
  const last = new Map<string, number>();
  m.google.done = () => {
    const here = new Set<string>();
    for (const [key, row] of m.rows()) {
      if (!key.startsWith("k")) continue;
      assert.ok(!here.has(key), `${key} is there twice`);
      here.add(key);
      const n = Number(row[1]);
      assert.ok(refusable || n >= (last.get(key) ?? 0), `${key} went back from ${last.get(key)} to ${n}`);
      last.set(key, n);
    }
  };
}

async function run(s: Scenario): Promise<void> {
  const random = randoms(s.seed);
  const layout = { ...LAYOUT, deleted: s.deletes };
  const m = new Machine({ layout, random });
  const broken: unknown[] = [];
  watch(m, isRefusable(s));
  const { done } = m.google;
  m.google.done = () => {
    try {
      done();
    } catch (e) {
      broken.push(e);
    }
  };
  m.google.poison = "POISON";
  const fates = [...s.fates];
  m.google.fate = () => fates.shift() ?? "ok";
  m.google.between = () => {
    if (random() < s.people) disturb(m.google, layout.tab, random);
    if (random() < s.people / 8) reverse(m.google, layout.tab);
    if (random() < 0.2) m.look();
  };
  const crashes = [...s.crashes];
  const arm = (): void => void (m.crashIn = crashes.shift() ?? Number.POSITIVE_INFINITY);
  arm();
  const log: Log = new Map();
  for (const [i, each] of s.steps.entries()) {
    act(m, each, i + 1, s, log);
    const before = m.crashes;
    await m.time.until(() => m.crashes > before, each.wait);
    if (m.crashes > before) {
      m.start();
      arm();
    }
  }
  for (;;) {
    const before = m.crashes;
    const idle = (): boolean => m.disk.entries.length + m.disk.batches.length === 0;
    await m.time.until(() => m.crashes > before || idle(), 6 * 3_600_000);
    if (m.crashes > before) {
      m.start();
      arm();
    } else if (idle()) break;
    else assert.fail(`stuck with ${JSON.stringify(m.disk.entries.slice(0, 2))} ${JSON.stringify(m.flusher.report())}`);
  }
  await m.time.until(() => false, LATE + 20_000);
  if (broken.length > 0) throw broken[0];
  check(m, log, s);
  m.crash();
}

/** What the sheet must say of a key, when some of its writes were refused. */
function expected(
  entries: readonly Entry[],
  parked: ReadonlySet<number>,
  deletes: string | undefined,
): { n: number; gone: boolean } | undefined {
  let row: { n: number; gone: boolean } | undefined;
  for (const { lsn, op, values } of entries) {
    if (parked.has(lsn)) continue;
    const n = Number(values["n"]);
    if (op === "append") row = { n, gone: false };
    else if (op === "update" && row !== undefined) row = { n, gone: false };
    else if (op === "delete" && row !== undefined) row = deletes === undefined ? undefined : { n: row.n, gone: true };
  }
  return row;
}

function check(m: Machine, log: Log, s: Scenario): void {
  const found = new Map(m.rows());
  const parked = new Set(m.disk.parked.map(({ lsn }) => lsn));
  for (const [key, entries] of log) {
    const row = found.get(key);
    const is = row === undefined ? undefined : { n: Number(row[1]), gone: row[4] === true };
    assert.deepEqual(
      is,
      expected(entries, parked, s.deletes),
      `${key}: ${JSON.stringify(entries)} parked ${JSON.stringify(m.disk.parked)}`,
    );
  }
  if (!isRefusable(s)) assert.equal(parked.size, 0, `nothing is parked without a refusal: ${JSON.stringify(m.disk.parked)}`);
  assert.equal(m.disk.landed + parked.size, m.disk.lsn, "each write is landed or parked, once");
  assert.ok(busiest(m.google.writes) <= LIMIT && busiest(m.google.reads) <= LIMIT, "the quota");
}

test(
  `whatever happens: nothing lost, nothing twice, each row's writes in order (${RUNS} runs, seed ${SEED})`,
  { timeout: times(600_000) },
  async () => {
    await fc.assert(fc.asyncProperty(scenario, run), { numRuns: RUNS, seed: SEED });
  },
);
