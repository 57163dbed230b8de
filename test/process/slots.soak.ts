/** What a killed worker held is free within a minute, and nobody restarts anything. */
import assert from "node:assert/strict";
import type { ClientRequest } from "node:http";
import { join } from "node:path";
import test from "node:test";
import { http } from "../../src/base/http.ts";
import { get, ROOT, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const APP = join(ROOT, "test/process/apps/slots.mjs");

test("slots held by open streams of a worker that was killed are free within 60 s; the others' stay", async (t) => {
  const daemon = await start(t, { args: [APP], env: { DROVER_DEMO: "on", DROVER_MAX_SLOTS: "20", DROVER_SLOT_LEASE: "1h" } });
  await eventually("somebody comes in", async () => (await get(`${daemon.url}/enter?user=first`)).body.includes('"in"'));
  const hold = (user: string): Promise<{ readonly pid: number; readonly req: ClientRequest }> =>
    new Promise((resolve, reject) => {
      const req = http.get(`${daemon.url}/hold?user=${user}`, { agent: false }, (res) => {
        res.resume().on("error", () => {});
        resolve({ pid: Number(res.headers["x-pid"]), req });
      });
      req.on("error", reject);
    });
  const streams = await Promise.all(Array.from({ length: 12 }, (_, i) => hold(`u${i}`)));
  t.after(() => streams.forEach(({ req }) => req.destroy()));
  const used = async (): Promise<number> => (await daemon.status()).slots?.used ?? -1;
  await eventually("all are in", async () => (await used()) === 13);
  await new Promise((resolve) => setTimeout(resolve, 6_000)); // the streams have been told of
  const pid = streams[0]?.pid ?? 0;
  const lost = streams.filter((stream) => stream.pid === pid).length;
  assert.ok(lost > 0 && lost < 12);
  process.kill(pid, "SIGKILL");
  const began = performance.now();
  await eventually("their slots are free", async () => (await used()) === 13 - lost);
  const took = (performance.now() - began) / 1_000;
  console.log(`${lost} slots of a killed worker were free after ${took.toFixed(1)} s`);
  assert.ok(took < 60);
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  assert.equal(await used(), 13 - lost, "those of the worker that lives are held");
});
