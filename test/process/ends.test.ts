/** How it ends: the master killed in the middle of anything, a stop while much is in flight, and what may not end it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { soaked } from "../times.ts";
import { alive, descendants, get, ONE, portFree, ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
/** Looping ones take a core each: three in the soak. */
const WORKERS = soaked(2, 3);

const inFlight = async (daemon: Daemon): Promise<number> =>
  (await daemon.status()).places.reduce((sum, { child }) => sum + (child?.inFlight ?? 0), 0);

const ignore = (): void => {};

/** What all workers are made to do before the master is killed. */
const STATES: Record<string, (daemon: Daemon) => Promise<unknown>> = {
  idle: async () => {},
  busy: async (daemon) => {
    for (let i = 0; i < 12; i += 1) get(`${daemon.url}/?ms=60000`).catch(ignore);
    await eventually("they are in flight", async () => (await inFlight(daemon)) === 12);
  },
  "in a loop": (daemon) => wedge(daemon, "/loop"),
  "in microtasks": (daemon) => wedge(daemon, "/micro"),
  stopped: async (daemon) => {
    for (const { child } of (await daemon.status()).places) process.kill(child?.pid ?? 0, "SIGSTOP");
  },
  draining: async (daemon) => {
    for (let i = 0; i < 6; i += 1) get(`${daemon.url}/?ms=60000`).catch(ignore);
    await eventually("they are in flight", async () => (await inFlight(daemon)) === 6);
    daemon.signal("SIGTERM");
    await daemon.logged(/SIGTERM: stop/);
  },
};

/** One worker after the other: whoever is free takes the next connection. */
async function wedge(daemon: Daemon, path: string): Promise<void> {
  const silent = async (): Promise<number> => (await daemon.status()).places.filter(({ child }) => (child?.beatAge ?? 0) > 1_000).length;
  for (let wedged = 0; wedged < WORKERS; wedged = await silent()) {
    get(`${daemon.url}${path}`).catch(ignore);
    const now = wedged;
    await eventually("one more is silent", async () => (await silent()) > now);
  }
}

for (const [what, prepare] of Object.entries(STATES))
  test(`the master is killed while its workers are ${what}: none is left after a second, and a new start binds at once`, async (t) => {
    const daemon = await start(t, { args: [PLAIN], env: { DROVER_WORKERS: String(WORKERS), DROVER_TIMEOUT: "30s" } });
    const { url } = daemon;
    await prepare(daemon);
    const children = descendants(daemon.pid);
    assert.ok(children.length >= (what === "draining" ? 1 : WORKERS)); // who has nothing to finish may be gone already
    const began = performance.now();
    daemon.signal("SIGKILL");
    await eventually("nobody is left", () => children.every((pid) => !alive(pid)));
    t.diagnostic(`${children.length} processes gone ${Math.round(performance.now() - began)} ms after the master`);
    await portFree(url);
    const again = await start(t, { cwd: daemon.dir, args: [PLAIN], bind: new URL(url).host, env: ONE });
    assert.equal((await get(again.url)).status, 200);
  });

test("TERM with twenty requests in flight and a worker that is stuck: twenty answers, exit 0 within the grace; a second TERM ends it at once", async (t) => {
  // A beat comes every tenth of the timeout: requests of one second must be seen in one.
  const env = { DROVER_WORKERS: "3", DROVER_TIMEOUT: "4s", DROVER_GRACEFUL_TIMEOUT: "3s" };
  const daemon = await start(t, { args: [PLAIN], env });
  get(`${daemon.url}/loop`).catch(ignore);
  await eventually("one is silent", async () => (await daemon.status()).places.some(({ child }) => (child?.beatAge ?? 0) > 1_000));
  const answers = Array.from({ length: 20 }, () => get(`${daemon.url}/?ms=1000`));
  await eventually("they are in flight", async () => (await inFlight(daemon)) >= 20);
  const began = performance.now();
  assert.deepEqual(await daemon.stop("SIGTERM"), { code: 0, signal: null });
  const took = performance.now() - began;
  t.diagnostic(`20 requests of 1 s and one stuck worker: exit ${Math.round(took)} ms after TERM, grace 3000 ms`);
  assert.deepEqual([...new Set((await Promise.all(answers)).map(({ status }) => status))], [200]);
  assert.ok(took < 6_000, `${took} ms`);

  const second = await start(t, { args: [PLAIN], env: { ...env, ...ONE, DROVER_GRACEFUL_TIMEOUT: "60s" } });
  get(`${second.url}/?ms=60000`).catch(ignore);
  await eventually("it is in flight", async () => (await inFlight(second)) === 1);
  second.signal("SIGTERM");
  await second.logged(/SIGTERM: stop/);
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // two within a second are one Ctrl-C
  const asked = performance.now();
  assert.deepEqual(await second.stop("SIGTERM"), { code: 0, signal: null });
  t.diagnostic(`a second TERM: exit after ${Math.round(performance.now() - asked)} ms`);
  assert.ok(performance.now() - asked < 3_000);
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
