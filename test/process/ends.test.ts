/** The end of the master: every process ends with it, whatever it is doing; and a stop that comes before the start. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { alive, descendants, get, ONE, portFree, start } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { freePort } from "../support/ports.ts";
import { eventually } from "../support/wait.ts";

/** A request writes the pid of its worker into a file of its name; then the worker loops, or the request is never answered. */
const APP = `
  import { writeFileSync } from "node:fs";
  export default (req, res) => {
    if (req.url === "/") return res.end("ok");
    writeFileSync(req.url.slice(1), String(process.pid));
    if (req.url === "/loops") for (;;);
  };`;

test("the master is killed while one worker loops, one is stopped and one is busy: all end, and a new start binds the same address", async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, "app.mjs"), APP);
  const options = { cwd, args: ["./app.mjs"], bind: `127.0.0.1:${await freePort()}` };
  const daemon = await start(t, { ...options, env: { DROVER_WORKERS: "3", DROVER_TIMEOUT: "10m" } });
  const { url } = daemon;
  /** @returns the pid of the worker that took the request. */
  const occupied = (name: string): Promise<number> => {
    get(`${url}/${name}`).catch(() => {});
    return eventually(`a worker took /${name}`, () => Number(readFileSync(join(cwd, name), "utf8")) || undefined);
  };
  const family = descendants(daemon.pid);
  const [looping, busy] = [await occupied("loops"), await occupied("waits")];
  const stopped = family.find((pid) => pid !== looping && pid !== busy) ?? 0;
  assert.deepEqual([family.length, new Set([looping, busy, stopped]).size, sent(stopped, "SIGSTOP")], [3, 3, true]);
  daemon.signal("SIGKILL");
  await eventually("every process has ended", () => family.every((pid) => !alive(pid)));
  await portFree(url);
  const again = await start(t, { ...options, env: ONE });
  assert.equal((await get(again.url)).status, 200);
});

/** Sends SIGTERM to the process that loads the daemon's modules, before they are loaded. */
const EARLY = `import { registerHooks } from "node:module";
registerHooks({ load(url, context, next) {
  if (url.includes("cli/serve-main")) process.kill(process.pid, "SIGTERM");
  return next(url, context);
} });`;

test("a SIGTERM that comes before drover is loaded is answered when it is: exit 0, and the log says so", async (t) => {
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(EARLY)}`;
  const daemon = await start(t, { env: { ...ONE, NODE_OPTIONS }, noWait: true });
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
  assert.ok(
    daemon.log().some(({ msg }) => String(msg) === "SIGTERM: stop"),
    JSON.stringify(daemon.log()),
  );
});
