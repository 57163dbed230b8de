// alone
/** A stop with requests in flight and a stuck worker, against the clock. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { get, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
const ignore = (): void => {};

const inFlight = async (daemon: Daemon): Promise<number> =>
  (await daemon.status()).places.reduce((sum, { child }) => sum + (child?.inFlight ?? 0), 0);

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
