/** `npm start`: an npm that is killed, a terminal, and a start without a network. */
import assert from "node:assert/strict";
import test from "node:test";
import { needs } from "../support/needs.ts";
import { descendants, get } from "./harness.ts";
import { APP, gone, npmStart } from "./npm-helper.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

for (const [signal, what] of [
  ["SIGKILL", "npm killed"],
  ["SIGINT", "INT to npm"],
] as const) {
  test(`${what}: no process is left, the port is free`, async (t) => {
    const daemon = await npmStart(t, folder(t)).ready();
    const { url } = daemon;
    assert.equal((await get(url)).status, 200);
    const family = [daemon.pid, ...descendants(daemon.pid)];
    daemon.signal(signal);
    await gone(family, url);
  });
}

test("Ctrl-C in a terminal: no process is left, the port is free", { skip: needs("script", "bsdutils") }, async (t) => {
  const dir = folder(t);
  const daemon = npmStart(t, dir, ["script", "-qefc", `npm start -- --bind 127.0.0.1:0 ${APP}`, "/dev/null"], []);
  await eventually("the terminal shows the greeting", () => /drover is ready\s+http/.test(daemon.stdout));
  const url = /drover is ready\s+(http\S+)/.exec(daemon.stdout)?.[1] ?? "";
  assert.equal((await get(url)).status, 200);
  assert.match(daemon.stdout, /Ctrl-C/);
  const family = [daemon.pid, ...descendants(daemon.pid)];
  daemon.process.stdin?.write("\u0003");
  await gone(family, url);
});

test("a second npm start needs no network and serves within seconds", async (t) => {
  const daemon = npmStart(t, folder(t), ["env", "npm_config_registry=http://127.0.0.1:1", "npm", "start", "--"]);
  const started = performance.now();
  await daemon.ready();
  const took = (performance.now() - started) / 1_000;
  console.log(`npm start, nothing to install or build: ready after ${took.toFixed(2)} s (3 s wanted)`);
  assert.ok(took < 10, `${took} s`);
  await daemon.stop("SIGTERM");
});
