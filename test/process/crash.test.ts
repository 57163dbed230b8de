/** Writes that survive kills, as long as `npm test` may take; *.soak.ts beside it has the full numbers. */
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
  send,
  writer,
  type Victim,
} from "./crash.ts";
import { eventually, slow } from "../support/wait.ts";

test("broker, master and tree are killed while Google loses answers, and a reload under clients that post: each write once", async (t) => {
  const seed = Number(process.env["CRASH_SEED"] ?? 1); // the soak draws it
  const world = await crashWorld(t, { DROVER_UPSTREAM_TIMEOUT: slow(2) });
  await world.sheet.order("drop,applied,method=write,every=3;late=700ms,method=write,every=5;status=503,applied,method=write,every=7");
  const told = nothingTold();
  const state = { on: true };
  const more = (): boolean => state.on;
  const url = (): string => world.url;
  const working = [
    ...Array.from({ length: 4 }, (_, i) => writer({ name: `w${i}`, url, told, random: seeded(seed + i), more, pause: 20 })),
    reader(url, told, seeded(seed + 100), more),
  ];
  const random = seeded(seed + 1_000);
  for (const victim of ["broker", "master", "tree"] satisfies Victim[]) {
    await sleep(200 + random() * 300);
    await kill(world, victim);
  }
  state.on = false;
  await Promise.all(working);
  await world.sheet.clear();
  await posted(world, told);
  await drained(world);
  await sleep(800); // what is late is there
  const found = await oracle(world, told);
  t.diagnostic(`seed ${seed}: 3 kills and a reload: ${figures(found, told)}`);
  assert.deepEqual([told.odd, told.stale], [[], []]);
  assert.deepEqual(found, NOTHING_WRONG);
});

/** A reload while eight clients post, two of them waiting for the sheet: 201 for each, said once. */
async function posted(world: Awaited<ReturnType<typeof crashWorld>>, told: ReturnType<typeof nothingTold>): Promise<void> {
  const state = { on: true };
  const client = async (nr: number): Promise<void> => {
    for (let n = 0; state.on; n += 1) {
      const id = `post${nr}-${n}`;
      const answer = await send("POST", `${world.url}/api/tables/notes${nr < 2 ? "?wait=sheet" : ""}`, { id, owner: "post", value: n });
      const inSheet = answer.headers["x-write-state"] === "landed";
      if (answer.status !== 201 || (nr < 2 && !inSheet)) told.odd.push(`${answer.status} ${answer.body}`);
      told.notes.set(id, n);
      told.acknowledged += 1;
      await sleep(20); // without a pause: crash.soak.ts
    }
  };
  const clients = Array.from({ length: 8 }, (_, nr) => client(nr));
  const { generation } = await world.daemon.status();
  await world.daemon.control("reload");
  await eventually("the roll is done", async () => {
    const now = await world.daemon.status();
    return now.generation === generation + 1 && now.roll === null;
  });
  state.on = false;
  await Promise.all(clients);
}
