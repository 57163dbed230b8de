// alone
/** Real processes, stuck in every way: what can be told of each from outside, and within which time. */
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import os from "node:os";
import test, { type TestContext } from "node:test";
import { ms } from "../../../src/base/units.ts";
import { createExaminer, type Examined } from "../../../src/master/shell/autopsy/examiner.ts";
import { logOutput } from "../../../src/master/shell/childlog.ts";
import { needs } from "../../support/needs.ts";
import { descendants, sent } from "../../support/processes.ts";
import { eventually } from "../../support/wait.ts";
import { sink } from "./sink.ts";

/** An examination's time. */
const BUDGET = ms(1_500);

/** In native code until the child process ends. */
const SLEEP = "require('child_process').spawnSync('sleep', ['600']);";

const read = (path: string): string => readFileSync(path, "latin1");

/** @returns the `sleep` that the process waits for. */
const sleeperOf = (pid: number): Promise<number> =>
  eventually("it waits for its child process", () =>
    /^State:\s+S/m.test(read(`/proc/${pid}/status`))
      ? descendants(pid).find((child) => read(`/proc/${child}/comm`) === "sleep\n")
      : undefined,
  );

/** Starts a process, waits until it says that it is about to get stuck, and examines it. */
async function examined(
  t: TestContext,
  code: string,
  before?: (child: ChildProcess) => unknown,
): Promise<{ found: Examined; took: number; log: string; wake: () => void }> {
  // Said and stuck in one turn of its loop: on a busy machine a turn may be long in coming.
  const script = `setTimeout(() => { require("node:fs").writeSync(1, "now\\n"); ${code} }, 20);`;
  const child = spawn(process.execPath, ["--inspect-port=127.0.0.1:0", "--inspect-publish-uid=stderr", "-e", script]);
  t.after(() => child.kill("SIGKILL"));
  const { log, text } = sink();
  const pid = child.pid ?? 0;
  const output = logOutput(log, { role: "worker", slot: 0, generation: 1, pid }, child);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const sleeper = code.startsWith(SLEEP) ? await sleeperOf(pid) : undefined;
  const wake = (): void => void (sleeper === undefined || sent(sleeper, "SIGKILL"));
  t.after(wake);
  if (sleeper === undefined) await new Promise((resolve) => setTimeout(resolve, 150));
  await before?.(child);
  const began = performance.now();
  const found = await createExaminer(log).examine(
    { pid, inspectable: true, signal: (name) => void child.kill(name), awaitInspector: (take) => output.awaitInspector(take) },
    BUDGET,
  );
  return { found, took: performance.now() - began, log: text(), wake };
}

for (const [kind, code, verdict, name] of [
  ["a loop", "function spin() { for (;;); } spin();", "spinning", "spin"],
  ["microtasks", "function again() { return Promise.resolve().then(again); } again();", "spinning", "again"],
  ["a regular expression", "function bad() { /^(a+)+$/.test('a'.repeat(50) + '!'); } bad();", "spinning", "bad"],
  ["Atomics.wait", "function wait() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); } wait();", "blocked", "wait"],
  ["a synchronous child process", SLEEP, "native", undefined],
  ["nothing at all", "setInterval(() => {}, 5_000);", "blocked", undefined],
] as const)
  test(`${kind}: ${verdict}`, async (t) => {
    let examination = await examined(t, code);
    const retries = verdict === "spinning" ? 4 : 0;
    for (let again = 0; again < retries && examination.found.verdict === "starved"; again += 1) {
      await examination.found.release(); // a busy machine gave it no CPU, as it says
      examination = await examined(t, code);
    }
    const { found, took, log } = examination;
    console.log(`${kind}: ${Math.round(took)} ms, ${found.text}`);
    assert.equal(found.verdict, verdict, found.text);
    assert.equal(found.frames.find((frame) => !frame.file.startsWith("node:"))?.name, name);
    assert.ok(took < BUDGET + 1_000, `${took} ms`);
    assert.doesNotMatch(log, /Debugger|For help/);
    examination.wake();
    await found.release();
  });

/** The first CPU that this process may run on, which need not be CPU 0. */
const ownCpu = (): string => /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "0";

test("a loop that the machine starves: starved, however long it is watched", { skip: needs("taskset", "util-linux") }, async (t) => {
  // One CPU for it and for two others that come far before it.
  const pin = (child: ChildProcess): void => void execFileSync("taskset", ["-acp", ownCpu(), String(child.pid)], { stdio: "ignore" });
  const { found } = await examined(t, "for (;;);", async (child) => {
    os.setPriority(child.pid ?? 0, 19);
    pin(child);
    // Until they run, which on a busy machine takes a while, nobody starves it.
    const running = [0, 1].map(() => {
      const hog = spawn(process.execPath, [
        "-e",
        'require("node:fs").writeSync(1, "now"); for (const end = Date.now() + 20_000; Date.now() < end;);',
      ]);
      t.after(() => hog.kill("SIGKILL"));
      pin(hog);
      return once(hog.stdout, "data");
    });
    await Promise.all(running);
  });
  assert.equal(found.verdict, "starved");
  assert.match(found.text, /^starved.*: ready to run, and given \d+ ms of CPU in \d+ ms$/);
  await found.release();
});

test("an inspector that opens only after the examination is closed too", async (t) => {
  let port = 0;
  const { found, wake } = await examined(t, `${SLEEP} setInterval(() => {}, 1_000);`, (child) =>
    child.stderr?.on("data", (chunk: Buffer) => (port = Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(chunk.toString())?.[1] ?? port))),
  );
  assert.equal(found.verdict, "native", found.text);
  assert.equal(port, 0, "it has not opened yet");
  wake();
  assert.equal(await found.release(), true);
  assert.ok(port > 0, "it had opened");
  await assert.rejects(once(connect(port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
});

test("SIGSTOP: stopped, and no debugger is tried", async (t) => {
  const { found, took } = await examined(t, "setInterval(() => {}, 1_000);", (child) => child.kill("SIGSTOP"));
  assert.equal(found.verdict, "stopped");
  assert.ok(took < 1_000, `${took} ms: less than a debugger is waited for`);
});
