/** The control socket against what no operator would send, and where it can't be made. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import test from "node:test";
import { serveControl, type ControlHandlers } from "../../src/master/shell/control.ts";
import { get, ONE, ROOT, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

/** Sends bytes and gives what comes back until the other end closes. */
function raw(path: string, ...parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = net.connect(path, () => parts.forEach((part) => socket.write(part)));
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("error", () => {}); // reset is an answer too: `close` follows
    socket.on("close", () => resolve(text));
  });
}

const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test("junk on the control socket is refused, counted, and costs the daemon nothing; a body without end is cut off at its limit", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  const path = join(daemon.dir, "var/run/control.sock");
  const before = await daemon.status();
  assert.equal(before.refusedRequests, 0);
  const junk: readonly (readonly [string, RegExp, ...(string | Buffer)[]])[] = [
    ["bytes that are no HTTP", /^$/, Buffer.from([0, 1, 2, 255, 254, 10, 10])],
    ["a TLS hello", /^$/, Buffer.from("16030100a5010000a1", "hex")],
    ["an unknown verb", /404.*no such command: POST \/explode/s, post("/explode", "{}")],
    ["an unknown method", /405.*takes POST/s, "DELETE /stop HTTP/1.1\r\nhost: x\r\n\r\n"],
    ["a path without end", /404|431|^$/, `GET /${"x".repeat(60_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
    ["headers without end", /431|^$/, `GET /status HTTP/1.1\r\n${`a: ${"x".repeat(1_000)}\r\n`.repeat(60)}`],
    ["a second command before the first is answered", /^(?:HTTP(?!.*HTTP)|$)/s, "GET /status HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2)],
    ["no JSON", /400.*at most 4096 bytes/s, post("/scale", "to=99")],
    ["JSON that is no object", /400/, post("/scale", "[99]")],
    ["a body over the limit", /400.*at most 4096 bytes/s, post("/scale", JSON.stringify({ to: 3, x: "y".repeat(5_000) }))],
  ];
  for (const [what, expected, ...parts] of junk) assert.match(await raw(path, ...parts), expected, what);
  for (const to of [0, -1, 1.5, "3", null, 1e300, { a: 1 }]) {
    const { status, body } = await daemon.control("scale", { to });
    assert.equal(status, 409, body);
  }
  const after = await daemon.status();
  assert.equal(after.refusedRequests, junk.length);
  assert.equal(after.workers.target, before.workers.target);
  assert.equal(after.state, "running");
  const lines = daemon.log().filter((line) => String(line["msg"]).startsWith("the control socket refused"));
  assert.equal(lines.length, 1, "and the log is not filled");
  assert.equal((await get(daemon.url)).status, 200);

  let sent = 0;
  await new Promise<void>((resolve) => {
    const socket = net.connect(path, () => {
      socket.write("POST /scale HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
      const more = (): void => {
        if (socket.destroyed) return;
        sent += 16_384;
        socket.write(`4000\r\n${"x".repeat(16_384)}\r\n`, () => setImmediate(more));
      };
      more();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.resume();
  });
  t.diagnostic(`cut off after ${sent} bytes`);
  assert.ok(sent < 16 * 1_048_576, `${sent}`);
  assert.equal((await daemon.status()).refusedRequests, junk.length + 1);
});

const quiet: ControlHandlers = { status: () => ({}), refused() {}, command: () => ({ ok: true, message: "" }) };

test("the socket is this user's alone from its birth: whatever the umask, and before anybody could have connected", async (t) => {
  const dir = folder(t);
  const path = join(dir, "control.sock");
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  const served = serveControl(path, quiet);
  assert.equal((statSync(path).mode & 0o777).toString(8), "600", "bound in this very turn, and closed to others already");
  assert.equal(process.umask(), 0, "what else the process makes keeps its mode");
  const server = await served;
  t.after(() => server.close());
  assert.equal((statSync(path).mode & 0o777).toString(8), "600");
});

/** Root may write anywhere: for it, what stands at the path is in the way instead. */
function unwritable(dir: string): RegExp {
  const run = join(dir, "var/run");
  mkdirSync(run, { recursive: true });
  if (process.getuid?.() === 0) {
    mkdirSync(join(run, "control.sock"));
    return /there is no control socket: .*is in the way/;
  }
  chmodSync(run, 0o500);
  return /there is no control socket: .*may not write there/;
}

test("where the control socket can't be made one line says so, and the daemon serves; it comes when it can", async (t) => {
  const dir = folder(t);
  const expected = unwritable(dir);
  const daemon = await start(t, { cwd: dir, args: [PLAIN], env: ONE });
  const line = await daemon.logged(expected);
  assert.equal(line["level"], "info");
  assert.equal((await get(daemon.url)).status, 200);
  chmodSync(join(dir, "var/run"), 0o700);
  rmSync(join(dir, "var/run/control.sock"), { recursive: true, force: true });
  await daemon.logged(/the control socket .* is there now/);
  assert.equal((await daemon.status()).state, "running");
  assert.equal(daemon.log().filter((l) => expected.test(String(l["msg"]))).length, 1);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("a run directory that is a file: an application serves, and ends by its signal; the built-in service can't do without", async (t) => {
  const dir = folder(t);
  const run = join(dir, "run");
  writeFileSync(run, "");
  const daemon = await start(t, { args: [PLAIN], env: { ...ONE, DROVER_RUN_DIR: run } });
  await daemon.logged(/there is no control socket: DROVER_RUN_DIR: .*run can't be used/);
  assert.equal((await get(daemon.url)).status, 200);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  const builtIn = await start(t, { env: { DROVER_RUN_DIR: run, DROVER_DEMO: "on" }, noWait: true });
  assert.equal((await builtIn.exited).code, 78);
  assert.match(builtIn.stderr, /DROVER_RUN_DIR: .*run can't be used/);
});
