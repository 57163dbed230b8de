/** What is told of a stuck process, by what /proc and its inspector say of it; real processes are in autopsy.full.ts. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { ms } from "../../../src/base/units.ts";
import { closeInspector } from "../../../src/master/shell/autopsy/closing.ts";
import { findings } from "../../../src/master/shell/autopsy/findings.ts";
import type { Looks } from "../../../src/master/shell/autopsy/looks.ts";
import { openSession } from "../../../src/master/shell/autopsy/session.ts";
import type { Inside } from "../../../src/master/shell/autopsy/stack.ts";
import { collapsing } from "../../../src/master/shell/collapse.ts";
import { createOomWatch, oomKillsIn } from "../../../src/master/shell/oomkills.ts";
import { sink } from "./sink.ts";

/** A main thread, looked at twice. @param states of the kernel; undefined: it has gone. */
function looked([before, later]: readonly [string, string | undefined], changes: Partial<Looks> = {}): Looks {
  const stat = (state: string) => ({ state, ppid: 1, cpuTicks: 50, userTicks: 40, startTicks: 7, rss: 4_096 });
  const seen = { before: stat(before), later: later === undefined ? undefined : stat(later) };
  return { ...seen, ran: 0, apart: 80, queued: 0, runnable: 0, waits: "", ...changes };
}
const stack = (is: Inside["is"], name?: string): Inside => {
  const frames = name === undefined ? [] : ["node:fs", "file:///srv/app.mjs"].map((file) => ({ name, file, line: 12, column: 3 }));
  return { is, frames, requests: undefined, release: () => Promise.resolve() };
};

for (const [what, looks, inside, text] of [
  ["a loop", looked(["R", "R"], { ran: 78 }), stack("stack", "spin"), "spinning at app.mjs:12 spin"],
  ["a loop on a busy machine", looked(["S", "S"], { ran: 2, queued: 30 }), stack("stack", "spin"), "spinning at app.mjs:12 spin"],
  ["Atomics.wait", looked(["S", "S"], { waits: "futex" }), stack("stack", "wait"), "blocked at app.mjs:12 wait"],
  ["nothing to do", looked(["S", "S"]), stack("idle"), "blocked: its loop answers, but it sends no beats"],
  [
    "a synchronous child process",
    looked(["S", "S"], { waits: "pipe_read" }),
    "silent",
    "native: it is in no JavaScript that a debugger could interrupt, asleep, in the kernel's pipe_read",
  ],
  [
    "an addon that computes",
    looked(["R", "R"], { ran: 80 }),
    "silent",
    "native: it is in no JavaScript that a debugger could interrupt, busy",
  ],
  [
    "a disk that hangs",
    looked(["D", "D"], { waits: "nfs" }),
    "silent",
    "native: the kernel holds it (uninterruptible), in the kernel's nfs",
  ],
  ["SIGSTOP", looked(["T", "T"]), "unasked", "stopped"],
  ["a debugger", looked(["S", "t"]), "unasked", "stopped"],
  ["a loop that gets no CPU", looked(["R", "R"], { ran: 2 }), "silent", "starved: ready to run, and given 2 ms of CPU in 80 ms"],
  ["no autopsy", looked(["R", "R"], { ran: 80 }), "unasked", "spinning"],
  ["SIGUSR1 handled", looked(["R", "R"], { ran: 80 }), "handled", "spinning: its application handles SIGUSR1, so its stack can't be read"],
  ["its end", looked(["S", undefined]), "silent", "gone"],
  ["a zombie", looked(["S", "Z"]), "unasked", "gone"],
] as const)
  test(`${what}: ${/^\w+/.exec(text)?.[0] ?? ""}`, () => {
    const found = findings(looks, inside);
    assert.equal(found.text, text);
    assert.equal(found.verdict, /^\w+/.exec(text)?.[0]);
    assert.deepEqual([found.cpu, found.rss], looks.later === undefined ? [undefined, undefined] : [500, 4_096]);
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

test("an application in the place of its inspector: whatever it answers ends the session, not the master", async (t) => {
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
    const session = await openSession(`ws://127.0.0.1:${port}/x`, AbortSignal.timeout(120_000));
    await assert.rejects(session.call("Debugger.enable"), /the inspector sends no message of its protocol/, answer);
    await session.closed;
  }
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
