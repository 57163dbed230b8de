/** More than one life on one spreadsheet: two machines, a wiped journal, a journal from an older copy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { times } from "../../support/times.ts";
import { FATES, LATE, type Fate } from "./google.ts";
import { busiest, Machine } from "./world.ts";
import { randoms } from "../time.ts";
import { seed } from "../../support/seed.ts";

const RUNS = Number(process.env["FLUSHER_RUNS"] ?? times(60));
const SEED = seed("lives of the flusher");

const fates = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Fate>("ok") },
    { weight: 2, arbitrary: fc.constantFrom<Fate>(...FATES.filter((f) => f !== "refused")) },
  ),
  { maxLength: 30 },
);
const idle = (m: Machine): boolean => m.disk.entries.length + m.disk.batches.length === 0;

function keysIn(m: Machine): Map<string, readonly unknown[]> {
  const found = new Map<string, readonly unknown[]>();
  for (const [key, row] of m.rows()) {
    if (key === "") continue;
    assert.ok(!found.has(key), `${key} is there twice`);
    found.set(key, row);
  }
  return found;
}

test(`two machines on one spreadsheet whose numbers collide (seed ${SEED})`, { timeout: times(300_000) }, async () => {
  const scenario = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
    fates,
    apart: fc.nat(6),
    steps: fc.array(fc.tuple(fc.nat(1), fc.constantFrom(0, 100, 3_000)), { minLength: 2, maxLength: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async (s) => {
      const random = randoms(s.seed);
      const one = new Machine({ identity: "one", start: 5_000, random });
      const two = new Machine({ identity: "two", start: 5_000 + s.apart, google: one.google, time: one.time, random });
      const left = [...s.fates];
      one.google.fate = () => left.shift() ?? "ok";
      const wanted = new Map<string, number>();
      for (const [i, [which, wait]] of s.steps.entries()) {
        const m = which === 0 ? one : two;
        const key = `${m.disk.identity}-${i >> 1}`;
        if (wanted.has(key)) m.update(key, { n: i });
        else m.append(key, { n: i });
        wanted.set(key, i);
        await one.time.until(() => false, wait);
      }
      assert.ok(await one.time.until(() => idle(one) && idle(two), 6 * 3_600_000), "stuck");
      await one.time.until(() => false, LATE + 20_000);
      const found = keysIn(one);
      assert.equal(found.size, wanted.size);
      for (const [key, n] of wanted) assert.equal(found.get(key)?.[1], n);
      assert.equal(one.disk.parked.length + two.disk.parked.length, 0);
      for (const m of [one, two]) m.crash();
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

test(`a journal from an older copy (seed ${SEED})`, { timeout: times(300_000) }, async () => {
  const step = fc.tuple(fc.boolean(), fc.constantFrom(0, 100, 3_000, 20_000));
  const scenario = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
    fates,
    before: fc.array(step, { minLength: 1, maxLength: 15 }),
    lost: fc.array(step, { maxLength: 15 }),
    after: fc.array(step, { maxLength: 8 }),
    copyAt: fc.nat(40),
    crashes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
    pause: fc.constantFrom(0, 1_000, 600_000),
  });
  let rewound = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async (s) => {
      const m = new Machine({ random: randoms(s.seed) });
      const left = [...s.fates];
      m.google.fate = () => left.shift() ?? "ok";
      const wanted = new Map<string, number>();
      let nr = 0;
      const act = async (steps: typeof s.before): Promise<void> => {
        for (const [fresh, wait] of steps) {
          nr += 1;
          const key = fresh || nr < 3 ? `k${nr}` : `k${nr - 2}`;
          if (wanted.has(key)) m.update(key, { n: nr });
          else m.append(key, { n: nr });
          wanted.set(key, nr);
          await m.time.until(() => false, wait);
        }
      };
      await act(s.before);
      for (let i = 0; i < s.copyAt; i += 1) await m.time.until(() => false, 150);
      const copy = structuredClone(m.disk);
      const known = new Map(wanted);
      await act(s.lost);
      m.crash();
      await m.time.until(() => false, s.pause);
      m.disk = copy; // what was accepted since is not in it, but may be in the sheet
      const crashes = [...s.crashes];
      const start = (): void => {
        m.start();
        m.crashIn = crashes.shift() ?? Number.POSITIVE_INFINITY;
      };
      start();
      nr += 100;
      const later = new Map<string, number>();
      for (const [, wait] of s.after) {
        nr += 1;
        m.append(`k${nr}`, { n: nr });
        later.set(`k${nr}`, nr);
        const { crashes: so } = m;
        await m.time.until(() => m.crashes > so, wait);
        if (m.crashes > so) start();
      }
      while (!idle(m)) {
        const { crashes: so } = m;
        const done = await m.time.until(() => m.crashes > so || idle(m), 6 * 3_600_000);
        assert.ok(done, "stuck");
        if (m.crashes > so) start();
      }
      await m.time.until(() => false, LATE + 20_000);
      const found = keysIn(m);
      for (const key of [...known.keys(), ...later.keys()]) assert.ok(found.has(key), `${key} is lost`);
      for (const [key, n] of later) assert.equal(found.get(key)?.[1], n);
      if (m.google.reads.length > 4) rewound += 1;
      assert.ok(busiest(m.google.writes) <= 51);
      m.crash();
    }),
    { numRuns: RUNS, seed: SEED },
  );
  assert.ok(rewound > 0);
});

test("a wiped journal: what was in the sheet stays there once, and its fences are no obstacle", async () => {
  const m = new Machine({ identity: "before", start: 700 });
  for (let i = 0; i < 30; i += 1) m.append(`a${i}`, { n: i });
  const fate: Fate[] = ["ok", "ok", "late"];
  m.google.fate = () => fate.shift() ?? "ok";
  await m.time.until(() => false, 2_000);
  m.crash();
  const next = new Machine({ identity: "after", start: 700, google: m.google, time: m.time });
  for (let i = 0; i < 30; i += 1) next.append(`b${i}`, { n: i });
  await next.drain();
  await next.time.until(() => false, LATE + 20_000);
  assert.equal(keysIn(next).size, 60);
});
