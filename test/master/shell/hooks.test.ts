/** The fence around hooks: its queue, its order, its patience; with real processes and no daemon. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readFromHooks, type HookCall } from "../../../src/base/hooks.ts";
import { makeLogger } from "../../../src/base/log.ts";
import { ms, seconds } from "../../../src/base/units.ts";
import { createFence, type Fence } from "../../../src/master/shell/hooks/hooks.ts";

const ENTRY = new URL("../../../src/cli/hooks-child.ts", import.meta.url).pathname;

interface World {
  readonly fence: Fence;
  readonly file: string;
  readonly log: Record<string, unknown>[];
  heard(): string[];
  readonly forks: () => number;
}

function world(t: TestContext, body: string): World {
  const dir = mkdtempSync(join(tmpdir(), "drover-hooks-"));
  const file = join(dir, "hooks.mjs");
  const heardFile = join(dir, "heard");
  writeFileSync(heardFile, "");
  writeFileSync(
    file,
    `import { appendFileSync } from "node:fs";
     const note = (text) => appendFileSync(${JSON.stringify(heardFile)}, text + "\\n");
     ${body}`,
  );
  const log: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      log.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  let forks = 0;
  const fence = createFence({
    log: makeLogger({ role: "master" }, "debug", stream),
    complain() {},
    limits: () => ({ call: seconds(10), load: seconds(30) }),
    fork() {
      forks += 1;
      return fork(ENTRY, ["hooks", "0", String(process.pid)], {
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        execArgv: ["--disable-warning=ExperimentalWarning"],
      });
    },
  });
  t.after(async () => {
    fence.hurry();
    await fence.close(ms(0));
    rmSync(dir, { recursive: true, force: true });
  });
  return { fence, file, log, heard: () => readFileSync(heardFile, "utf8").split("\n").filter(Boolean), forks: () => forks };
}

const ready = (slot: number): HookCall => ({
  hook: "onWorkerReady",
  event: { at: new Date().toISOString(), slot, pid: 1, generation: 1 },
});
const stop: HookCall = { hook: "onStop", event: { at: new Date().toISOString(), master: 1, exit: 0, quick: false } };

test("without a module nothing waits, and no process is started", async (t) => {
  const { fence, forks } = world(t, "");
  for (let i = 0; i < 1_000; i += 1) fence.fire(ready(i));
  fence.adopt(undefined, 1);
  await fence.close(seconds(5));
  assert.deepEqual([forks(), fence.view().waiting], [0, 0]);
});

test("a module that can't be loaded again for a while is tried again at the next event", async (t) => {
  const { fence, file, heard, log } = world(
    t,
    `import { existsSync } from "node:fs";
     if (existsSync(import.meta.filename + ".away")) throw new Error("away for a moment");
     export function onWorkerReady(e) { note("slot " + e.slot); if (e.slot === 1) process.exit(3); }
     export function onStop() { note("stop"); }`,
  );
  fence.adopt(file, 1);
  fence.fire(ready(0));
  fence.fire(ready(1));
  while (fence.view().failed < 1) await sleep(10);
  writeFileSync(`${file}.away`, "");
  fence.fire(ready(2));
  while (fence.view().failed < 2) await sleep(10);
  assert.match(JSON.stringify(log), /could not be loaded, the next event tries again: .*away for a moment/);
  assert.equal(fence.view().file, file, "it is still the module that serves");
  rmSync(`${file}.away`);
  fence.fire(ready(3));
  fence.fire(stop);
  await fence.close(seconds(20));
  assert.deepEqual(heard(), ["slot 0", "slot 1", "slot 3", "stop"]);
});

test("events are heard one at a time and in their order, onStop before what waits; close waits for all", async (t) => {
  const { fence, file, heard } = world(
    t,
    `export const onWorkerReady = async ({ slot }) => {
       note("begin " + slot);
       await new Promise((resolve) => setTimeout(resolve, 20));
       note("end " + slot);
     };
     export const onStop = () => note("stop");`,
  );
  fence.adopt(file, 1);
  for (let i = 0; i < 3; i += 1) fence.fire(ready(i));
  fence.fire({ hook: "onReload", event: { at: "", generation: 2, changes: [] } }); // not exported: nobody hears it
  while (!heard().includes("begin 0")) await sleep(5);
  fence.fire(stop);
  await fence.close(seconds(20));
  assert.deepEqual(heard(), ["begin 0", "end 0", "stop", "begin 1", "end 1", "begin 2", "end 2"]);
  assert.deepEqual([fence.view().called, fence.view().failed], [4, 0]);
  fence.fire(ready(9));
  assert.equal(fence.view().waiting, 0, "after the end nothing is taken");
});

test("the queue is bounded: what comes when 256 wait is dropped, counted and told, but never onStop", async (t) => {
  const { fence, file, log } = world(t, "export const onWorkerReady = () => new Promise(() => setInterval(() => {}, 1_000));");
  fence.adopt(file, 1);
  for (let i = 0; i < 1_000; i += 1) fence.fire(ready(i));
  fence.fire(stop);
  const { waiting, dropped } = fence.view();
  assert.ok(waiting <= 257 && dropped >= 743 && dropped <= 745, `${waiting} wait, ${dropped} dropped`);
  const told = log.filter(({ msg }) => String(msg).includes("an event is dropped")).map((line) => line["dropped"]);
  assert.deepEqual(told, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
  fence.hurry();
  await fence.close(seconds(20));
  assert.ok(log.some(({ msg }) => String(msg).includes("does not wait any longer for hooks")));
});

test("what is no hook is told of; CommonJS and a default export will do", async (t) => {
  const { fence, file, log, heard } = world(t, "export default { onWorkerReady: () => note('default'), onWorkerDeath() {} };");
  fence.adopt(file, 1);
  fence.fire(ready(0));
  await fence.close(seconds(20));
  assert.deepEqual(heard(), ["default"]);
  assert.ok(log.some(({ msg }) => String(msg).includes("onWorkerDeath: expected onReady, onWorkerReady")));
});

test("what a hooks' process sends is read within bounds, or ignored", () => {
  for (const raw of [null, 1, "x", [], {}, { type: "done" }, { type: "done", id: 1.5 }, { type: "loaded" }, { type: "__proto__" }])
    assert.equal(readFromHooks(raw), undefined);
  assert.deepEqual(readFromHooks({ type: "loaded", hooks: ["onReady", "toString", 3], strange: [1, "x"] }), {
    type: "loaded",
    hooks: ["onReady"],
    strange: ["", "x"],
  });
  const long = readFromHooks({ type: "threw", id: 1, message: "x".repeat(1_000_000) });
  assert.ok(long?.type === "threw" && long.message.length === 4_000);
});
