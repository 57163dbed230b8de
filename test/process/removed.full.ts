/** Files of a running daemon that something else removes or replaces. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { get, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
const mode = (path: string): number => lstatSync(path).mode & 0o777;
const isSocket = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;

async function healthStatus(daemon: Daemon): Promise<string> {
  return (await daemon.status()).health.status;
}

test("a pid file, a log file and their folder that were removed come back", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: { ...ONE, DROVER_LOG_FILE: "logs/here.log" } });
  const [pid, log] = [join(daemon.dir, "var/drover.pid"), join(daemon.dir, "logs/here.log")];
  rmSync(pid);
  rmSync(join(daemon.dir, "logs"), { recursive: true });
  await eventually("both are there", () => existsSync(pid) && existsSync(log));
  assert.equal(readFileSync(pid, "utf8"), `${daemon.pid}\n`);
  await eventually("the log says so", () => /log file .* had been removed/.test(readFileSync(log, "utf8")));
  await daemon.stop();
  assert.match(readFileSync(log, "utf8"), /stopped: every child has left/);
});

test("a path that is now something else's is left alone: health is degraded until it is removed", async (t) => {
  const daemon = await start(t, { env: ONE });
  const [broker, control] = ["broker", "control"].map((name) => join(daemon.dir, `var/run/${name}.sock`)) as [string, string];
  await eventually("health is ok", async () => (await healthStatus(daemon)) === "ok");
  rmSync(broker);
  writeFileSync(broker, "mine");
  await daemon.logged(/broker\.sock is something else now/);
  await eventually("health is degraded", async () => (await healthStatus(daemon)) === "degraded");
  await eventually("workers know", async () => (await get(`${daemon.url}/healthz`)).body.includes("degraded"));
  assert.equal(readFileSync(broker, "utf8"), "mine");
  rmSync(broker);
  await eventually("the socket is back", () => isSocket(broker));
  await eventually("health is ok again", async () => (await healthStatus(daemon)) === "ok");
  rmSync(control);
  writeFileSync(control, "mine");
  await daemon.logged(/control\.sock is something else now/);
  await daemon.stop();
  assert.equal(readFileSync(control, "utf8"), "mine", "nor is it removed at the end");
});

function request(t: TestContext, path: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path, () => resolve(socket));
    socket.once("error", reject);
    t.after(() => socket.destroy());
  });
}
const ask = async (socket: net.Socket): Promise<string> => {
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  return await new Promise((resolve) => socket.once("data", (chunk) => resolve(chunk.toString().slice(0, 12))));
};
const answers = (socketPath: string): Promise<boolean> =>
  get("http://localhost/", { socketPath }).then(
    ({ status }) => status > 0,
    () => false,
  );

test("a removed unix socket of DROVER_BIND comes back, with its folder; connections that were accepted go on", async (t) => {
  const dir = folder(t);
  const at = join(dir, "sockets");
  const path = join(at, "http.sock");
  mkdirSync(at);
  chmodSync(at, 0o750);
  const daemon = await start(t, { cwd: dir, args: [PLAIN], bind: `unix:${path}` });
  const open = await request(t, path);
  assert.equal(await ask(open), "HTTP/1.1 200");
  for (const remove of [() => rmSync(path), () => rmSync(at, { recursive: true })]) {
    remove();
    await eventually("the socket is back", () => isSocket(path));
    assert.equal(mode(path), 0o660);
    assert.equal(mode(at), 0o750);
    await eventually("it is served", () => answers(path));
    assert.equal(await ask(open), "HTTP/1.1 200");
  }
  await daemon.logged(/http\.sock had been removed/);
  assert.equal((await daemon.control("recycle")).status, 200);
  await eventually("the recycling is over", async () => {
    const { places } = await daemon.status();
    return places.every(({ child, leaving }) => child?.state === "ready" && child.uptime !== null && leaving.length === 0);
  });
  assert.ok(await answers(path), "workers that start later serve it too");
  rmSync(path);
  writeFileSync(path, "mine");
  await daemon.logged(/http\.sock is something else now/);
  await daemon.stop();
  assert.equal(readFileSync(path, "utf8"), "mine");
});
