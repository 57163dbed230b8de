/** Stuck workers, in real processes: found, killed, replaced; and what a living worker does, on request. */
import assert from "node:assert/strict";
import test from "node:test";
import { alive, get } from "./harness.ts";
import { app, listening, makeStuck, record, whole } from "./stuck-helper.ts";
import { eventually, slow } from "../support/wait.ts";

test("a worker that loops is killed, with its request on record, its client is told and it is replaced; the others serve", async (t) => {
  const daemon = await app(t);
  const { found, hung, failed, served } = await makeStuck(daemon, "/loop");
  assert.equal(hung, "closed");
  assert.ok(served > 0);
  assert.equal(failed, 0);
  // A machine that is busy with other tests may leave the examination too little CPU for the stack (stuck.full.ts reads it).
  assert.ok(["spinning", "starved", "native"].includes(String(found["verdict"])), String(found["verdict"]));
  if (found["verdict"] === "spinning") assert.match(String(found["msg"]), /was stuck: spinning at stuck\.mjs:\d+ forever/);
  assert.match((found["inFlight"] as string[]).join(), /GET \/loop for/);
  assert.doesNotMatch(JSON.stringify(daemon.log()), /secret|Debugger listening|For help, see/);
});

test("a worker that is stopped is killed and replaced: no debugger, one warning before the end", async (t) => {
  const daemon = await app(t, { DROVER_WORKERS: "1" });
  const victim = (await daemon.place("worker/0")).child?.pid ?? 0;
  process.kill(victim, "SIGSTOP");
  const found = await record(daemon, "stuck");
  assert.equal(found["verdict"], "stopped");
  await eventually("it has ended", () => !alive(victim));
  await whole(daemon, 1);
  const lines = daemon.log();
  const before = lines.slice(
    0,
    lines.findIndex((line) => line["death"] === "stuck"),
  );
  assert.equal(before.filter(({ msg }) => String(msg).startsWith("worker 0 has been silent for")).length, 1);
  assert.ok(((await daemon.status()).deaths["stuck"] ?? 0) >= 1);
  assert.equal((await daemon.place("worker/0")).lastDeath?.name, "stuck");
});

test("stack: an idle worker, a busy one, twice; then both go on and no inspector listens", async (t) => {
  const daemon = await app(t, { DROVER_WORKERS: "1", DROVER_TIMEOUT: slow(60) });
  const before = listening(daemon);
  /** One look has less than a second: on a busy machine a further one may be needed. */
  const shows = (pattern: RegExp): Promise<true> =>
    eventually(`the stack shows ${pattern}`, async () => pattern.test((await daemon.control("stack", { slot: 0 })).body));
  void get(`${daemon.url}/hang`).catch(() => {});
  await eventually("it hangs", async () => ((await daemon.place("worker/0")).child?.inFlight ?? 0) > 0);
  for (let i = 0; i < 2; i += 1) await shows(/is idle.*GET \/hang for/s);
  assert.equal((await get(daemon.url)).status, 200);
  void get(`${daemon.url}/loop`).catch(() => {});
  await eventually("it loops", async () => ((await daemon.place("worker/0")).child?.beatAge ?? 0) > 1_200);
  for (let i = 0; i < 2; i += 1) await shows(/at forever \(.*stuck\.mjs:5:/);
  await eventually("no inspector listens", () => listening(daemon) === before);
  assert.equal((await daemon.control("stack", { slot: 9 })).status, 409);
});
