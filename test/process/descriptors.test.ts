/** Processes that run out of descriptors live on and answer. Rarer shortages: descriptors.full.ts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { answered, idle, openFiles, settled, startWithin } from "./descriptors-helper.ts";
import { get, ROOT } from "./harness.ts";

const LEAK = join(ROOT, "test/process/apps/leak.mjs");

test("a worker whose application has used up its descriptors stops accepting: another worker answers every client", async (t) => {
  const daemon = await startWithin(t, 200, [], { app: LEAK });
  await get(`${daemon.url}/leak`);
  await daemon.logged(/^this worker may open only \d+ more files: it stops accepting/);
  for (let round = 0; round < 3; round += 1) assert.equal(await answered(daemon.url, 30), 30);
});

test("100 idle control connections: a master of 150 descriptors lives, answers the operator and stops", async (t) => {
  const daemon = await startWithin(t, 150, []);
  const sockets = idle(t, 100, { path: join(daemon.dir, "var/run/control.sock") });
  await settled(sockets);
  for (let i = 0; i < 3; i += 1) assert.equal((await daemon.status()).pid, daemon.pid);
  assert.ok(openFiles(daemon.pid) <= 150 - 16, `${openFiles(daemon.pid)} descriptors are open`);
  const metrics = await get("http://localhost/metrics", { socketPath: join(daemon.dir, "var/run/control.sock") });
  assert.doesNotMatch(metrics.body, /^(?:process_resident_memory_bytes|process_open_fds|nodejs_heap_size_used_bytes)\S* 0$/m);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});
