/** Reloads: the rarer faults of a new generation, and many requests for one at once. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { application, ASKING, begin, clients, fails, SETTLE, type Case } from "./reload-helper.ts";
import { eventually } from "../support/wait.ts";

const asleep = "await new Promise(() => setInterval(() => {}, 1_000));";

const CASES: readonly Case[] = [
  {
    name: "an error thrown at boot",
    spoil: (s) => s.write("app.mjs", application('throw new Error("on purpose");')),
    why: /on purpose/,
  },
  {
    name: "never ready",
    spoil: (s) => (s.write(".env", `${SETTLE}DROVER_BOOT_TIMEOUT=2s\n`), s.write("app.mjs", application(asleep))),
    why: /app\.mjs was not loaded within 2 s/,
    fix: (s) => (s.write(".env", SETTLE), s.write("app.mjs", application())),
  },
  {
    name: "an unknown setting",
    spoil: (s) => s.write(".env", `${SETTLE}DROVER_TIMEUOT=3s\n`),
    why: /DROVER_TIMEUOT/,
    fix: (s) => s.write(".env", SETTLE),
  },
];

test("a reload that fails: the same processes serve on, nothing is lost, the reason is reported, the next one works", async (t) => {
  const s = await begin(t);
  for (const one of CASES) await t.test(one.name, () => fails(s, one));
});

test("50 HUPs at once are at most two rolls", async (t) => {
  const { daemon } = await begin(t);
  const asked = clients(daemon, ASKING);
  for (let i = 0; i < 50; i += 1) {
    daemon.signal("SIGHUP");
    await sleep(2);
  }
  await eventually("the rolls are over", async () => {
    const { roll, lastRoll } = await daemon.status();
    return roll === null && lastRoll?.is === "done";
  });
  const { generation } = await daemon.status();
  console.log(`50 HUPs: generation ${generation}`);
  assert.ok(generation <= 3, `generation ${generation}`);
  assert.deepEqual((await asked()).failures, []);
});
