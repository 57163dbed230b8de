/** Whether the latency of a refused login tells known names from unknown ones: the AUC of the two, alone and next to a flood. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Piscina } from "piscina";
import { world, type World } from "../world.ts";
import { cheapVerifier, eventSheet, Person, slower } from "./people.ts";

/** Samples of each kind: the standard deviation of the AUC is then 0.026. */
const SAMPLES = 250;
const MOST = 0.6;

/** Every attempt from an address of its own, so that no limit and no delay is reached. */
async function latencies(w: World, prefix: string): Promise<{ known: number[]; unknown: number[] }> {
  const found = { known: [] as number[], unknown: [] as number[] };
  for (let nr = 0; nr < SAMPLES; nr += 1) {
    const order = nr % 2 === 0 ? (["known", "unknown"] as const) : (["unknown", "known"] as const);
    for (const kind of order) {
      const name = kind === "known" ? `P${nr}` : `${prefix}-${nr}`;
      const address = `${kind === "known" ? 10 : 11}.${prefix.length}.${nr >> 8}.${nr & 255}`;
      const from = performance.now();
      const { status } = await new Person(w).login(name, "wrong", { "X-Test-Address": address });
      found[kind].push(performance.now() - from);
      assert.equal(status, 401);
    }
  }
  return found;
}

for (const [kind, secret] of [
  ["passwords", () => cheapVerifier("right", { ln: 10, r: 8, p: 1 })],
  ["codes", () => "K7M2-9QXR-4T3W"],
] as const)
  test(`${kind}: the latency of a refused login does not tell whether the name is known`, async () => {
    const sheet = eventSheet();
    const shared = secret();
    sheet.users(Array.from({ length: SAMPLES }, (_, i) => [`P${i}`, shared] as const));
    await using w = await world(sheet);
    const pool = new Piscina({ maxThreads: 1, minThreads: 1 });
    w.pool = pool;
    for (let nr = 0; nr < 30; nr += 1) await new Person(w).login(`warm-${nr}`, "wrong", { "X-Test-Address": `13.0.0.${nr}` });
    for (const how of ["idle", "loaded"] as const) {
      const state = { on: how === "loaded" };
      const flood = Array.from({ length: 4 }, async (_, nr) => {
        for (let i = 0; state.on; i += 1)
          await new Person(w).login(`flood-${nr}-${i}`, "wrong", { "X-Test-Address": `12.${nr}.${i >> 8}.${i & 255}` });
      });
      const { known, unknown } = await latencies(w, how);
      state.on = false;
      await Promise.all(flood);
      const auc = slower(unknown, known);
      console.log(`${kind}, ${how}: AUC ${auc.toFixed(3)} of ${SAMPLES} unknown and ${SAMPLES} known names`);
      assert.ok(Math.abs(auc - 0.5) < MOST - 0.5, `${kind}, ${how}: the latency tells: AUC ${auc}`);
    }
    await pool.close({ force: true });
  });
