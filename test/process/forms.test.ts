/** What an application gets of its worker: its bytes, its limits, its tables and its generation. The forms: every-form.test.ts. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import test from "node:test";
import { get, ONE, ROOT, start } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually, slow } from "../support/wait.ts";

const APPS = join(ROOT, "test/process/apps");

test("a listener is served byte for byte: status line, header order and case, nothing added but what HTTP needs", async (t) => {
  const daemon = await start(t, { args: [join(APPS, "listener.mjs")], env: { ...ONE, DROVER_DEMO: "on" } });
  const raw = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = net.connect(Number(new URL(daemon.url).port), "127.0.0.1", () =>
      socket.write("GET /api/tables/players HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    );
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
  const [head = "", body = ""] = raw.split("\r\n\r\n");
  const lines = head.split("\r\n").filter((line) => !line.startsWith("Date: "));
  assert.deepEqual(lines, [
    "HTTP/1.1 207 Odd But Mine",
    "X-Own: 1",
    "Server: mine",
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "Connection: close",
    "Transfer-Encoding: chunked",
  ]);
  assert.match(body, /GET \/api\/tables\/players/);
  assert.deepEqual(
    (await daemon.status()).places.map((p) => p.role),
    ["worker"],
    "no broker, no emulator",
  );
});

test("a request without an answer gets 504 after DROVER_REQUEST_TIMEOUT, and the worker serves on", async (t) => {
  const daemon = await start(t, { args: [join(APPS, "listener.mjs")], env: { ...ONE, DROVER_REQUEST_TIMEOUT: slow(1) } });
  assert.equal((await get(`${daemon.url}/hang`)).status, 504);
  assert.equal((await get(daemon.url)).status, 207);
  await eventually("it is counted", async () => (await daemon.status()).counters.timeouts === 1);
});

test("a Fastify plugin that asks for tables: broker and emulator start then and not before", async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, "node_modules"));
  symlinkSync(ROOT, join(dir, "node_modules/drover"));
  cpSync(join(APPS, "fastify.mjs"), join(dir, "app.mjs"));
  const daemon = await start(t, { cwd: dir, args: ["./app.mjs"], env: { ...ONE, DROVER_DEMO: "on" } });
  assert.match((await get(daemon.url)).body, /^fastify in slot \d/);
  assert.equal((await get(`${daemon.url}/twice?of=21`)).body, '{"twice":42}', "its schemas are compiled");
  assert.equal((await get(`${daemon.url}/twice?of=many`)).status, 400);
  assert.equal((await daemon.status()).places.length, 1);
  const first = await get(`${daemon.url}/first`);
  assert.equal(first.status, 200, first.body);
  assert.equal((JSON.parse(first.body) as { id: string }).id, "p001");
  assert.deepEqual((await daemon.status()).places.map((p) => p.role).sort(), ["broker", "emulator", "worker"]);
});

test("one realpath a generation: a link that is switched changes nothing until the reload", async (t) => {
  const dir = folder(t);
  for (const version of ["one", "two"]) {
    mkdirSync(join(dir, version));
    writeFileSync(join(dir, version, "app.mjs"), `export default (req, res) => res.end("${version}");`);
  }
  symlinkSync("one", join(dir, "current"));
  const daemon = await start(t, { cwd: dir, args: ["./current/app.mjs"], env: ONE });
  unlinkSync(join(dir, "current"));
  symlinkSync("two", join(dir, "current"));
  const victim = (await daemon.place("worker/0")).child?.pid ?? 0;
  assert.ok(sent(victim, "SIGKILL"));
  await eventually("it is replaced", async () => {
    const { child, state } = await daemon.place("worker/0");
    return state === "ready" && child?.pid !== victim;
  });
  for (let i = 0; i < 10; i += 1) assert.equal((await get(daemon.url)).body, "one");
  await daemon.control("reload");
  await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
  for (let i = 0; i < 10; i += 1) assert.equal((await get(daemon.url)).body, "two");
});
