// alone
/** Stuck workers: what an examination needs CPU of its own for, and deaths with other names. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { get, ROOT, start } from "./harness.ts";
import { app, listening, makeStuck, record, whole } from "./stuck-helper.ts";
import { folder } from "../support/cleanup.ts";
import { eventually, slow } from "../support/wait.ts";

test("a loop is named with its function, line and request; the others serve", async (t) => {
  const daemon = await app(t);
  let stuck = await makeStuck(daemon, "/loop");
  // The examination has 0.8 s. On a busy machine it may find no debugger (native), or no CPU (starved): then again.
  for (let i = 0; i < 3 && stuck.found["verdict"] !== "spinning"; i += 1) stuck = await makeStuck(daemon, "/loop");
  assert.equal(stuck.failed, 0);
  assert.match(String(stuck.found["msg"]), /was stuck: spinning at stuck\.mjs:\d+ forever/);
  assert.match((stuck.found["inFlight"] as string[]).join(), /GET \/loop for/);
});

test("all workers silent at once: all are replaced", async (t) => {
  const daemon = await app(t);
  const before = (await daemon.status()).places.map((place) => place.child?.pid);
  const going = { on: true };
  const retry = async (): Promise<void> => {
    while (going.on && (await daemon.status()).deaths["stuck"] === undefined)
      await get(`${daemon.url}/loop`, { timeout: 300 }).catch(() => {});
  };
  await Promise.all([retry(), retry(), retry(), retry()]);
  await eventually("none of the first is left", async () => {
    const { places, workers } = await daemon.status();
    return workers.ready === 2 && places.every((place) => !before.includes(place.child?.pid));
  });
  going.on = false;
});

test("DROVER_AUTOPSY=off: the verdict from /proc alone, and SIGUSR1 opens nothing", async (t) => {
  const daemon = await app(t, { DROVER_AUTOPSY: "off", DROVER_WORKERS: "1" });
  const before = listening(daemon);
  process.kill((await daemon.place("worker/0")).child?.pid ?? 0, "SIGUSR1");
  assert.equal((await get(daemon.url)).status, 200);
  assert.equal(listening(daemon), before);
  assert.equal((await daemon.control("stack", { slot: 0 })).status, 409);
  void get(`${daemon.url}/loop`).catch(() => {});
  const found = await record(daemon, "stuck");
  assert.equal(found["verdict"], "spinning");
  assert.deepEqual(found["stack"], []);
});

test("an application that handles SIGUSR1 keeps it: no signal, and the verdict says why there is no stack", async (t) => {
  const dir = folder(t);
  const app = `import { writeFileSync } from "node:fs";
    process.on("SIGUSR1", () => writeFileSync("signalled", ""));
    export default (req, res) => { if (req.url === "/loop") for (;;); res.end(); };`;
  writeFileSync(join(dir, "app.mjs"), app);
  const daemon = await start(t, { cwd: dir, args: [join(dir, "app.mjs")], env: { DROVER_WORKERS: "1", DROVER_TIMEOUT: slow(2) } });
  const asked = await daemon.control("stack", { slot: 0 });
  assert.deepEqual([asked.status, /handles SIGUSR1/.test(asked.body)], [409, true], asked.body);
  void get(`${daemon.url}/loop`).catch(() => {});
  const found = await record(daemon, "stuck");
  assert.ok(["spinning", "starved"].includes(String(found["verdict"])), String(found["verdict"]));
  if (found["verdict"] === "spinning")
    assert.match(String(found["msg"]), /was stuck: spinning: its application handles SIGUSR1, so its stack can't be read/);
  assert.ok(!existsSync(join(dir, "signalled")));
});

test("deaths with names: the heap's limit, a kill from outside, a TERM to one worker", async (t) => {
  const daemon = await app(t, { DROVER_MEMORY: "64m", DROVER_WORKERS: "1", DROVER_TIMEOUT: slow(20) });
  void get(`${daemon.url}/hoard`).catch(() => {});
  assert.match(String((await record(daemon, "oom-heap"))["msg"]), /worker 0 died \(oom-heap\).*heap out of memory/);
  await whole(daemon, 1);
  const pid = async (): Promise<number> => (await daemon.place("worker/0")).child?.pid ?? 0;
  process.kill(await pid(), "SIGKILL");
  await record(daemon, "signal:SIGKILL");
  await whole(daemon, 1);
  const { crashes } = await daemon.place("worker/0");
  process.kill(await pid(), "SIGTERM");
  await eventually("it was counted", async () => (await daemon.status()).deaths["operator"] === 1);
  await whole(daemon, 1);
  assert.equal((await daemon.place("worker/0")).crashes, crashes, "no crash");
});

test("a worker whose inspector stays open after a look inside is replaced", async (t) => {
  const args = [join(ROOT, "test/process/apps/kept-inspector.mjs")];
  const daemon = await start(t, { args, env: { DROVER_WORKERS: "1", DROVER_TIMEOUT: slow(20) } });
  const before = (await daemon.place("worker/0")).child?.pid;
  const open = listening(daemon);
  assert.equal((await daemon.control("stack", { slot: 0 })).status, 200);
  await eventually("another process is in its place", async () => {
    const { child } = await daemon.place("worker/0");
    return child?.pid !== before && (await daemon.status()).workers.ready === 1;
  });
  await eventually("no inspector listens", () => listening(daemon) === open);
  assert.ok(daemon.log().some(({ msg }) => String(msg).includes("the debugger of worker/0 can't be closed")));
});
