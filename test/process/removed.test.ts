/** Files of a running daemon that something else removes, as cleaners of temporary folders do. */
import assert from "node:assert/strict";
import { lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { get, ONE, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const mode = (path: string): number => lstatSync(path).mode & 0o777;
const isSocket = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;

/** Replaces the worker, and waits until the new one is ready. */
async function recycle(daemon: Daemon): Promise<void> {
  const before = (await daemon.place("worker/0")).child?.pid;
  assert.equal((await daemon.control("recycle")).status, 200);
  await eventually("a new worker is ready", async () => {
    const { child, leaving } = await daemon.place("worker/0");
    return child?.state === "ready" && child.pid !== before && leaving.length === 0;
  });
}

test("a removed run directory comes back with every socket: new workers serve, a reload succeeds", async (t) => {
  const daemon = await start(t, { env: ONE });
  const run = join(daemon.dir, "var/run");
  const table = `${daemon.url}/api/tables/players?limit=1`;
  await eventually("the table is served", async () => (await get(table)).status === 200);
  rmSync(run, { recursive: true });
  await eventually("the sockets are back", () => ["broker", "control", "admin"].every((name) => isSocket(join(run, `${name}.sock`))));
  assert.equal(mode(run), 0o700);
  for (const name of ["broker", "control", "admin"]) assert.equal(mode(join(run, `${name}.sock`)), 0o600, name);
  await daemon.logged(/broker's socket .* had been removed/);
  await daemon.logged(/control socket .* had been removed/);
  await daemon.logged(/admin socket .* had been removed/);
  await recycle(daemon);
  await eventually("the new worker serves the table", async () => (await get(table)).status === 200);
  await eventually("health is ok", async () => (await daemon.status()).health.status === "ok");

  rmSync(join(run, "broker.sock"));
  assert.equal((await daemon.control("reload")).status, 200);
  await eventually("the reload is over", async () => {
    const { lastRoll, roll } = await daemon.status();
    return roll === null && lastRoll !== null && lastRoll;
  });
  assert.equal((await daemon.status()).generation, 2, JSON.stringify((await daemon.status()).lastRoll));
  await eventually("generation 2 serves the table", async () => (await get(table)).status === 200);
});
