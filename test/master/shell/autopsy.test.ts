/** Examinations of stuck processes, with fake inspectors: closing, sessions, and what is logged. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { ms } from "../../../src/base/units.ts";
import { closeInspector } from "../../../src/master/shell/autopsy/closing.ts";
import { openSession } from "../../../src/master/shell/autopsy/session.ts";
import { collapsing } from "../../../src/master/shell/collapse.ts";
import { sink } from "./sink.ts";
import { createOomWatch, oomKillsIn } from "../../../src/master/shell/oomkills.ts";

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
