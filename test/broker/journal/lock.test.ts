import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ms, seconds } from "../../../src/base/units.ts";
import { addOne, folder, open } from "./world.ts";

test("a second broker waits for the first, and then has all of it", async (t) => {
  const dir = folder(t);
  const first = await open(t, dir);
  const one = await addOne(first);
  const second = open(t, dir, { patience: seconds(30) });
  assert.equal(await Promise.race([second.then(() => "open"), addOne(first).then(() => "added")]), "added");
  await first.close();
  const { recovered } = await second;
  assert.equal(recovered.entries.length, 2);
  assert.deepEqual(recovered.entries[0], one);
});

test("one that is never given up is refused, with its name, and stays the first one's", async (t) => {
  const dir = folder(t);
  const first = await open(t, dir);
  for (let i = 0; i < 3; i += 1)
    await assert.rejects(open(t, dir, { patience: ms(50) }), {
      code: "DROVER_E_RUNNING",
      message: /journal\.lock was not free within 50 ms/,
    });
  await addOne(first);
});

test("the lock dies with its process, and not before", async (t) => {
  const dir = folder(t);
  const child = spawn(process.execPath, [fileURLToPath(new URL("./kill-child.ts", import.meta.url)), dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  await assert.rejects(open(t, dir, { patience: ms(100) }), { code: "DROVER_E_RUNNING" });
  const opening = open(t, dir, { patience: seconds(30) });
  child.kill("SIGKILL");
  await opening;
});
