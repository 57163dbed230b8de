/** Slots and limits of a real daemon: over a reload, a killed broker, a restart. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { http } from "../../src/base/http.ts";
import { cleanEnv, DROVER, get, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const run = promisify(execFile);
const APP = join(ROOT, "test/process/apps/slots.mjs");
const ENV = { ...ONE, DROVER_DEMO: "on", MAX_CONCURRENT_BOTS: "2" };
const enter = async (daemon: Daemon, user: string): Promise<string> =>
  (JSON.parse((await get(`${daemon.url}/enter?user=${user}&since=1`)).body) as { is: string }).is;
const drover = async (daemon: Daemon, ...args: string[]): Promise<string> =>
  (await run(DROVER, args, { cwd: daemon.dir, env: cleanEnv(ENV) })).stdout;
/** Until the next broker is there: the worker's calls are held meanwhile, or answered with "away". */
const entered = (daemon: Daemon, user: string, is: string): Promise<unknown> =>
  eventually(`${user} is ${is}`, async () => (await enter(daemon, user)) === is);

test("4.4, 4.12: who is in stays in over a reload, a killed broker and a restart; the operator sees them and puts one out", async (t) => {
  let daemon = await start(t, { args: [APP], env: ENV });
  for (const user of ["ada", "bob"]) await entered(daemon, user, "in");
  assert.equal(await enter(daemon, "eve"), "full");
  await eventually("the beat has said so", async () => (await daemon.status()).slots?.used === 2);
  assert.match(await drover(daemon, "status"), /^slots {6}2\/2 FULL {2}\(100\.0 %, 0 free\)$/m);
  assert.match(await drover(daemon, "slots"), /^slots 2\/2 FULL[^]*\nada +ada[^]*\nbob +bob/);

  assert.equal((await daemon.control("reload")).status, 200);
  await eventually("the reload is over", async () => {
    const { roll, generation } = await daemon.status();
    return generation === 2 && roll === null;
  });
  await entered(daemon, "eve", "full");
  const { child } = await daemon.place("broker/0");
  process.kill(child?.pid ?? 0, "SIGKILL");
  await entered(daemon, "eve", "full");
  assert.equal(
    (await eventually("a broker answers", async () => (await drover(daemon, "slots", "end", "ada").catch(() => "")) || undefined)).trim(),
    "1 session put out; slots 1/2 HEALTHY (50.0 %, 1 free)",
  );
  assert.equal(await enter(daemon, "ada"), "revoked");
  await daemon.stop();
  daemon = await start(t, { args: [APP], env: ENV, cwd: daemon.dir });
  await entered(daemon, "eve", "in");
  assert.deepEqual([await enter(daemon, "ada"), await enter(daemon, "zoe")], ["revoked", "full"]);
});

const append = (url: string, nr: number): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ id: `limit-${nr}` });
    const headers = { "content-type": "application/json" };
    const req = http.request(`${url}/api/tables/actions`, { method: "POST", agent: false, headers }, (res) => resolve(res.resume()));
    req.on("error", reject);
    req.end(body);
  });

test("100 writes a minute are 100 over all workers and over a reload, and health checks are answered meanwhile", async (t) => {
  const daemon = await start(t, { env: { DROVER_RATE_LIMIT: "100/h" } });
  const send = async (from: number, to: number): Promise<IncomingMessage[]> => {
    const answers: IncomingMessage[] = [];
    for (let nr = from; nr < to; nr += 20)
      answers.push(...(await Promise.all(Array.from({ length: 20 }, (_, i) => append(daemon.url, nr + i)))));
    return answers;
  };
  const first = await send(0, 60);
  assert.deepEqual(
    first.filter(({ statusCode }) => statusCode !== 201).map(({ statusCode }) => statusCode),
    [],
  );
  assert.equal((await daemon.control("reload")).status, 200);
  await eventually("the reload is over", async () => {
    const { roll, generation } = await daemon.status();
    return generation === 2 && roll === null;
  });
  const second = await send(60, 140);
  const count = (status: number): number => second.filter(({ statusCode }) => statusCode === status).length;
  assert.deepEqual([count(201), count(429)], [40, 40]);
  const refused = second.find(({ statusCode }) => statusCode === 429);
  assert.deepEqual([refused?.headers["x-drover-refused"], refused?.headers["ratelimit-policy"]], ["rate", '"write";q=100;w=3600']);
  assert.equal((await get(`${daemon.url}/healthz`)).status, 200);
});
