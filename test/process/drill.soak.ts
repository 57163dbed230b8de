/** All drills, on a demo and on a service that is none; interrupted, and killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { alone } from "../emulator/alone.ts";
import { cleanEnv, DROVER, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";
import { drill, faults, passed } from "./drilling.ts";

const ENV = { DROVER_DEMO: "on", DROVER_TIMEOUT: "2s", DROVER_WORKERS: "3" };
const processState = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
};

test("drover drill all passes on a sound demo", { timeout: 600_000 }, async (t) => {
  const daemon = await start(t, { env: ENV });
  const all = await drill(t, daemon, ["all", "--rate", "20"]);
  passed(all);
  assert.deepEqual(
    all.report.drills.map(({ name, verdict }) => [name, verdict]),
    ["full", "kill-worker", "stuck", "slow-upstream", "quota", "reload-under-load"].map((name) => [name, "pass"]),
  );
  assert.equal((await daemon.status()).generation, 4);
  assert.deepEqual(await faults(daemon), []);
});

test("interrupted, a drill puts back what it has changed", { timeout: 300_000 }, async (t) => {
  const daemon = await start(t, { env: { ...ENV, DROVER_TIMEOUT: "30s" } });
  const stopped = (): Promise<number> =>
    eventually("a worker is stopped", async () => {
      const pids = (await daemon.status()).places.filter(({ role }) => role === "worker").flatMap(({ child }) => child?.pid ?? []);
      return pids.find((pid) => processState(pid) === "T");
    });
  let pid = 0;
  const cut = await drill(t, daemon, ["stuck", "--rate", "5"], async () => (pid = await stopped()));
  assert.deepEqual([cut.code, cut.report.verdict], [1, "fail"]);
  await eventually("the worker goes on", () => processState(pid) !== "T");
  assert.equal((await daemon.status()).deaths["stuck"] ?? 0, 0);

  const slow = await drill(t, daemon, ["slow-upstream", "--rate", "5"], () =>
    eventually("Google is slow", async () => (await faults(daemon)).length > 0),
  );
  assert.deepEqual([slow.code, slow.report.verdict], [1, "fail"]);
  assert.deepEqual(await faults(daemon), []);

  // Twice Ctrl-C, or killed: what it ordered of the emulator has an end by itself.
  const child = spawn(DROVER, ["drill", "slow-upstream"], { cwd: daemon.dir, env: cleanEnv(), stdio: "ignore" });
  await eventually("Google is slow", async () => (await faults(daemon)).length > 0);
  child.kill("SIGKILL");
  const [fault] = await faults(daemon);
  assert.ok(Number((fault as { for?: unknown }).for) <= 240_000, JSON.stringify(fault));
  const refused = await drill(t, daemon, ["slow-upstream"]);
  assert.equal(refused.code, 1);
  assert.match(JSON.stringify(refused.report), /1 fault of somebody else's/);
  assert.equal((await faults(daemon)).length, 1, "it is not cleared by who has not ordered it");
});

test("a service that is no demo: only if that is said, and without what needs the emulator", { timeout: 300_000 }, async (t) => {
  const emulator = await alone(t);
  const daemon = await start(t, {
    env: {
      DROVER_DEMO: "off",
      ...emulator.env,
      DROVER_TIMEOUT: "2s",
      DROVER_TABLES: join(import.meta.dirname, "../../config/tables.json"),
    },
  });
  const all = await drill(t, daemon, ["all", "--allow-live", "--rate", "10"]);
  passed(all);
  assert.deepEqual(
    all.report.drills.map(({ name, verdict }) => [name, verdict]),
    [
      ["full", "left out"],
      ["kill-worker", "pass"],
      ["stuck", "pass"],
      ["slow-upstream", "left out"],
      ["quota", "left out"],
      ["reload-under-load", "pass"],
    ],
  );
});
