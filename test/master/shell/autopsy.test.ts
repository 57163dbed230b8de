/** Real processes, stuck in every way: what can be told of each from outside, and within which time. */
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import os from "node:os";
import { PassThrough } from "node:stream";
import test, { type TestContext } from "node:test";
import { makeLogger } from "../../../src/base/log.ts";
import { ms } from "../../../src/base/units.ts";
import { closeInspector } from "../../../src/master/shell/autopsy/closing.ts";
import { createExaminer, type Examined } from "../../../src/master/shell/autopsy/examiner.ts";
import { openSession } from "../../../src/master/shell/autopsy/session.ts";
import { logOutput } from "../../../src/master/shell/childlog.ts";
import { collapsing } from "../../../src/master/shell/collapse.ts";
import { needs } from "../../needs.ts";
import { createOomWatch, oomKillsIn } from "../../../src/master/shell/oomkills.ts";

const sink = (): { readonly log: ReturnType<typeof makeLogger>; text(): string } => {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { log: makeLogger({ role: "master" }, "info", stream), text: () => text };
};

/** Starts a process, waits until it says that it is about to get stuck, and examines it. */
async function examined(
  t: TestContext,
  code: string,
  before?: (child: ChildProcess) => unknown,
): Promise<{ found: Examined; took: number; log: string }> {
  // Said and stuck in one turn of its loop: on a busy machine a turn may be long in coming.
  const script = `setTimeout(() => { require("node:fs").writeSync(1, "now\\n"); ${code} }, 20);`;
  const child = spawn(process.execPath, ["--inspect-port=127.0.0.1:0", "--inspect-publish-uid=stderr", "-e", script]);
  t.after(() => child.kill("SIGKILL"));
  const { log, text } = sink();
  const pid = child.pid ?? 0;
  const output = logOutput(log, { role: "worker", slot: 0, generation: 1, pid }, child);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  await new Promise((resolve) => setTimeout(resolve, 150));
  await before?.(child);
  const began = performance.now();
  const found = await createExaminer(log).examine(
    { pid, inspectable: true, signal: (name) => void child.kill(name), awaitInspector: (take) => output.awaitInspector(take) },
    ms(1_500),
  );
  return { found, took: performance.now() - began, log: text() };
}

for (const [kind, code, verdict, name] of [
  ["a loop", "function spin() { for (;;); } spin();", "spinning", "spin"],
  ["microtasks", "function again() { return Promise.resolve().then(again); } again();", "spinning", "again"],
  ["a regular expression", "function bad() { /^(a+)+$/.test('a'.repeat(50) + '!'); } bad();", "spinning", "bad"],
  ["Atomics.wait", "function wait() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); } wait();", "blocked", "wait"],
  ["a synchronous child process", "require('child_process').execSync('sleep 9');", "native", undefined],
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
    assert.equal(found.verdict, verdict);
    assert.equal(found.frames.find((frame) => !frame.file.startsWith("node:"))?.name, name);
    assert.ok(took < 1_500);
    assert.doesNotMatch(log, /Debugger|For help/);
    await found.release();
  });

test("a loop that the machine starves: starved, however long it is watched", { skip: needs("taskset", "util-linux") }, async (t) => {
  // One CPU for it and for two others that come far before it.
  const pin = (child: ChildProcess): void => void execFileSync("taskset", ["-acp", "0", String(child.pid)], { stdio: "ignore" });
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
  const code = 'require("child_process").execSync("sleep 3"); setInterval(() => {}, 1_000);';
  const { found } = await examined(t, code, (child) =>
    child.stderr?.on("data", (chunk: Buffer) => (port = Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(chunk.toString())?.[1] ?? port))),
  );
  assert.equal(found.verdict, "native");
  assert.equal(await found.release(), true);
  assert.ok(port > 0, "it had opened");
  await assert.rejects(once(connect(port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
});

test("an inspector is closed again and again until a connection is refused; in vain, that is reported in time", async () => {
  let [tries, open] = [0, 3];
  const io = { isOpen: () => Promise.resolve(open > 0), close: () => ((tries += 1), (open -= 1), Promise.reject(new Error("starved"))) };
  assert.equal(await closeInspector("ws://127.0.0.1:1/x", ms(20_000), io), true);
  assert.equal(tries, 3);
  open = Infinity;
  assert.equal(await closeInspector("ws://127.0.0.1:1/x", ms(120), io), false);
});

test("an inspector whose process answers that it closed it, and did not, is given up after a few attempts", async () => {
  let tries = 0;
  const io = { isOpen: () => Promise.resolve(true), close: () => ((tries += 1), Promise.resolve(true)) };
  assert.equal(await closeInspector("ws://127.0.0.1:1/x", ms(20_000), io), false);
  assert.ok(tries <= 10, `${tries} attempts`);
});

test("only a refused connection proves that an inspector is closed", async () => {
  // No TCP connection to the broadcast address is possible: the error says nothing of the inspector.
  assert.equal(await closeInspector("ws://255.255.255.255:9/x", ms(100)), false);
});

test(
  "an application in the place of its inspector: whatever it answers ends the session, not the master",
  { timeout: 30_000 },
  async (t) => {
    let answer = "";
    const server = createServer().on("upgrade", ({ headers }, socket) => {
      const key = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(`HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
      socket.once("data", () => socket.end(Buffer.from(`\x81${String.fromCharCode(answer.length)}${answer}`, "latin1")));
    });
    t.after(() => server.close());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    for (answer of ["not json", "null", '{"id":1,"error":null}']) {
      const session = await openSession(`ws://127.0.0.1:${port}/x`, AbortSignal.timeout(20_000));
      await assert.rejects(session.call("Debugger.enable"), /the inspector sends no message of its protocol/, answer);
      await session.closed;
    }
  },
);

test("SIGSTOP: stopped, and no debugger is tried", async (t) => {
  const { found, took } = await examined(t, "setInterval(() => {}, 1_000);", (child) => child.kill("SIGSTOP"));
  assert.equal(found.verdict, "stopped");
  assert.ok(took < 500);
});

test("lines that differ in numbers only are counted, and the count is said", async () => {
  const { log, text } = sink();
  const say = collapsing(log, ms(30));
  for (let i = 0; i < 38; i += 1) say("error", { place: `worker/${i % 3}` }, `worker ${i % 3} (pid ${i}) exited with code 1`);
  say("warn", {}, "another");
  const keep = setInterval(() => {}, 10);
  while (!text().includes("times more")) await new Promise(setImmediate);
  clearInterval(keep);
  const lines = text().trim().split("\n");
  assert.equal(lines.length, 3);
  assert.match(lines[2] ?? "", /… 37 times more: worker 0 \(pid 0\) exited/);
});

test("kills for want of memory are read from any of the three files, and a growth is noticed", () => {
  assert.equal(oomKillsIn("low 0\noom 2\noom_kill 3\n"), 3);
  assert.equal(oomKillsIn("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"), 1);
  assert.equal(oomKillsIn("under_oom 0\n"), undefined);
  let kills = 5;
  const watch = createOomWatch(() => kills);
  assert.equal(watch.grew(), false);
  kills = 6;
  assert.equal(watch.grew(), true);
  watch.sample();
  assert.equal(watch.grew(), true, "the sample may have come between the kill and the exit");
  watch.sample();
  assert.equal(watch.grew(), false);
});
