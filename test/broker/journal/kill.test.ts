/** kill -9 at any moment, adding, sealing and settling: what was said to be durable is. Real processes, real disk. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { times } from "../../support/times.ts";
import { folder, open } from "./world.ts";
import { seed } from "../../support/seed.ts";
import { randoms } from "../time.ts";

const KILLS = times(5);

interface Said {
  readonly added: Map<string, number>;
  readonly landed: Set<number>;
  batch: number;
}

async function workAndDie(dir: string, said: Said, lines: number, delay: number): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./kill-child.ts", import.meta.url)), dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "close");
  let seen = 0;
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    const [what, one = "", two] = line.split(" ");
    if (what === "a") said.added.set(one, Number(two));
    if (what === "l") said.landed.add(Number(one));
    if (what === "s") said.batch = Math.max(said.batch, Number(one));
    if (what === "ready") assert.equal(line.split(" ").slice(2).join(" "), "", "no damage by a kill");
    if ((seen += 1) === lines) void sleep(delay).then(() => child.kill("SIGKILL"));
  });
  await gone;
  assert.equal(child.signalCode, "SIGKILL", "it worked until it was killed");
}

test(`${KILLS} kills: every acknowledged write is there, landed or waiting, never both`, { timeout: times(150_000) }, async (t) => {
  const dir = folder(t);
  const said: Said = { added: new Map(), landed: new Set(), batch: 0 };
  const random = randoms(seed("kills of the journal"));
  for (let kill = 0; kill < KILLS; kill += 1) {
    await workAndDie(dir, said, 1 + Math.floor(random() * 150), random() * 8);
    const journal = await open(t, dir);
    const waiting = new Map(journal.recovered.entries.map(({ id, lsn }) => [id, lsn]));
    assert.equal(journal.recovered.damage, undefined);
    assert.ok(journal.recovered.nextBatch > said.batch);
    for (const { lsns } of journal.recovered.batches)
      for (const lsn of lsns) assert.ok([...waiting.values()].includes(lsn), "a batch of what waits");
    for (const [id, lsn] of said.added) {
      if (said.landed.has(lsn)) assert.ok(!waiting.has(id), `${id} has landed, and waits`);
      else if (waiting.has(id)) assert.equal(waiting.get(id), lsn);
      else assert.equal((await journal.find(id))?.state, "landed", `${id} (${lsn}) is lost after kill ${kill}`);
    }
    await journal.close();
  }
  t.diagnostic(`${said.added.size} writes acknowledged, ${said.landed.size} landings, ${said.batch} batches over ${KILLS} kills; lost 0`);
});
