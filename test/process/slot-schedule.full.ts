/**
 * The launch schedule of a real daemon: its maximum, an operator's hold over a restart, and
 * settings that contradict each other.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { cleanEnv, DROVER, get, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const run = promisify(execFile);
const APP = join(ROOT, "test/process/apps/slots.mjs");
const ENV = { DROVER_DEMO: "on", DROVER_TIME_ZONE: "UTC", DROVER_SLOT_SCHEDULE: "1:2, 3000:4", ...ONE };
const enter = async (daemon: Daemon, user: string): Promise<string> =>
  (JSON.parse((await get(`${daemon.url}/enter?user=${user}&since=1`)).body) as { is: string }).is;
const drover = async (cwd: string, ...args: string[]): Promise<string> => (await run(DROVER, args, { cwd, env: cleanEnv(ENV) })).stdout;

test("4.9: the first step counts from the start, an operator's maximum and hold survive a restart, no session is ended", async (t) => {
  let daemon = await start(t, { args: [APP], env: ENV });
  for (const user of ["ada", "bob"]) await eventually(`${user} is in`, async () => (await enter(daemon, user)) === "in");
  assert.equal(await enter(daemon, "eve"), "full");
  assert.match(
    await drover(daemon.dir, "slots", "schedule"),
    /^day 1 of the launch schedule: 2 slots, 4 from \d{4}-\d\d-\d\d on\nstep 1 of 2/,
  );
  assert.match(await drover(daemon.dir, "slots", "schedule", "hold"), /^an operator holds the launch schedule at 2 slots$/m);
  assert.match(
    await drover(daemon.dir, "slots", "schedule", "max", "1"),
    /^an operator has set the maximum to 1 instead of the launch schedule's 2$/m,
  );
  await eventually("fewer slots than people", async () => {
    const { slots } = await daemon.status();
    return slots?.max === 1 && slots.used === 2;
  });
  await daemon.stop();
  daemon = await start(t, { args: [APP], env: ENV, cwd: daemon.dir });
  await eventually("a broker that knows who is in", async () => (await enter(daemon, "eve")) === "full");
  await eventually("the first beat", async () => (await daemon.status()).slots?.max === 1);
  assert.match(
    await drover(daemon.dir, "status"),
    /^schedule {3}an operator has set the maximum to 1 instead of the launch schedule's 2$/m,
  );
  assert.match(await drover(daemon.dir, "slots", "schedule", "resume"), /^day 1 of the launch schedule: 2 slots/);
  await eventually("the schedule's maximum", async () => (await daemon.status()).slots?.max === 2);
  assert.deepEqual((JSON.parse(readFileSync(join(daemon.dir, "var/slot-schedule.json"), "utf8")) as { mode: unknown }).mode, {
    is: "follows",
  });
});

test("4.9: drover check refuses a launch schedule that contradicts itself or DROVER_MAX_SLOTS", async (t) => {
  const cwd = folder(t);
  const check = async (schedule: string): Promise<string> =>
    await run(DROVER, ["check"], {
      cwd,
      env: cleanEnv({ DROVER_DEMO: "on", DROVER_SLOT_SCHEDULE: schedule, DROVER_MAX_SLOTS: "150" }),
    }).then(
      () => "accepted",
      ({ code, stderr }: { code: number; stderr: string }) => `${code} ${stderr}`,
    );
  for (const [schedule, wrong] of [
    ["wekly", /^78 [^]*The nearest preset is weekly/],
    ["./launch.txt", /^78 [^]*launch\.txt: ENOENT/],
    ["j1-j14", /^78 [^]*slot_schedule: 200 slots on day 14 .*expected at most max_slots, 150/],
  ] as const)
    assert.match(await check(schedule), wrong);
  assert.equal(await check("1:50, 3:100"), "accepted");
});
