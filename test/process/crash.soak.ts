/** Writes that survive anything, at length: `npm run test:soak test/process/crash.soak.ts`; DROVER_TEST_SEED repeats a run's kills. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  crashWorld,
  drained,
  figures,
  kill,
  nothingTold,
  NOTHING_WRONG,
  oracle,
  reader,
  seeded,
  seedOf,
  writer,
  type Victim,
} from "./crash.ts";

const WRITES = 500;
const KILLS = 20;
/** An attempt that takes effect this much later, in milliseconds. */
const LATE = 1_500;
const LOSSES = [
  "drop,applied,method=write,every=4",
  `late=${LATE}ms,method=write,every=9`,
  "status=503,applied,method=write,every=7",
  "status=503,method=write,every=11",
  "drop,method=read,every=13",
].join(";");

test(`${WRITES} writes, ${KILLS} kills of broker, master and tree, answers lost, late landings: lost 0, duplicates 0, order kept`, async (t) => {
  const seed = seedOf();
  t.diagnostic(`seed ${seed}`);
  const world = await crashWorld(t, { DROVER_UPSTREAM_TIMEOUT: "2s" });
  await world.sheet.order(LOSSES);
  const told = nothingTold();
  const state = { kills: 0 };
  const more = (): boolean => told.acknowledged < WRITES || state.kills < KILLS;
  const pause = { until: 0 };
  /** Clients keep pace with the kills, so that these fall among the writes. */
  const paced = (): boolean => more() && pause.until === 0;
  void paced;
  const url = (): string => world.url;
  const working = [
    ...Array.from({ length: 6 }, (_, i) => writer({ name: `w${i}`, url, told, random: seeded(seed + i), more })),
    ...Array.from({ length: 2 }, (_, i) => reader(url, told, seeded(seed + 100 + i), more)),
  ];
  const random = seeded(seed + 1_000);
  const victims: readonly Victim[] = ["broker", "broker", "master", "tree"];
  for (; state.kills < KILLS; state.kills += 1) {
    await sleep(100 + random() * 1_500);
    await kill(world, victims[Math.floor(random() * victims.length)] ?? "broker");
  }
  await Promise.all(working);
  await drained(world);
  await sleep(2 * LATE);
  const found = await oracle(world, told);
  t.diagnostic(`${KILLS} kills: ${figures(found, told)}`);
  t.diagnostic(`faults: ${JSON.stringify((await world.sheet.delivered()).byKind)}`);
  assert.deepEqual(told.odd.slice(0, 5), []);
  assert.deepEqual(found, NOTHING_WRONG);
  assert.deepEqual(told.stale.slice(0, 5), []);
});
