/** All drills, on a demo and on a service that is none; interrupted, and killed. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { standalone } from "../tools/emulator/standalone.ts";
import { start } from "./harness.ts";
import { eventually } from "../support/wait.ts";
import { drill, passed } from "./drilling.ts";

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
    ["full", "kill-worker", "stuck", "reload-under-load"].map((name) => [name, "pass"]),
  );
  assert.equal((await daemon.status()).generation, 4);
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
});

test("a service that is no demo: only if that is said", { timeout: 300_000 }, async (t) => {
  const emulator = await standalone(t);
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
      ["reload-under-load", "pass"],
    ],
  );
});

test("a full house: the drill passes, and all is as it was; a refused reload is a failed drill", { timeout: 240_000 }, async (t) => {
  const daemon = await start(t, { env: { DROVER_DEMO: "on", DROVER_MAX_SLOTS: "77" } });
  // Ctrl-C while a lowered limit holds: it is put back.
  const cut = await drill(t, daemon, ["full"], () =>
    eventually("the limit is lowered", async () => (await daemon.status()).slots?.max === 3),
  );
  assert.equal(cut.code, cut.report.verdict === "pass" ? 0 : 1);
  await eventually("the limit is back", async () => (await daemon.status()).slots?.max === 77);
  passed(await drill(t, daemon, ["full"]));
  await eventually("nobody is in", async () => (await daemon.status()).slots?.used === 0);
  assert.equal((await daemon.status()).slots?.max, 77);

  // A service that does not hold what it should: the drill says so.
  writeFileSync(join(daemon.dir, ".env"), "DROVER_TIMEOUT=never\n");
  const refused = await drill(t, daemon, ["reload-under-load", "--rate", "2"]);
  assert.deepEqual([refused.code, refused.report.verdict], [1, "fail"]);
  assert.match(refused.report.drills[0]?.steps.at(-1)?.text ?? "", /^reload 1 was refused: .*DROVER_TIMEOUT/);
  assert.equal((await daemon.stop()).code, 0);
});
