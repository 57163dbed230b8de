/** The drills against a real demo: they pass on a sound service, and leave it as it was. */
import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { drill, faults, passed } from "./drilling.ts";
import { start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const ENV = { DROVER_DEMO: "on", DROVER_MAX_SLOTS: "77" };

test("a killed worker, a full house, a used-up quota: each drill passes, and all is as it was", { timeout: 240_000 }, async (t) => {
  const daemon = await start(t, { env: ENV });
  assert.equal(statSync(join(daemon.dir, "var/emulator/orders.json")).mode & 0o777, 0o600);
  const before = await daemon.place("worker/1");
  const killed = await drill(t, daemon, ["kill-worker", "--rate", "10"]);
  passed(killed);
  assert.notEqual((await daemon.place("worker/1")).child?.pid, before.child?.pid);
  assert.equal((await daemon.status()).deaths["signal:SIGKILL"], 1);

  // Ctrl-C while a lowered limit holds: it is put back.
  const cut = await drill(t, daemon, ["full"], () =>
    eventually("the limit is lowered", async () => (await daemon.status()).slots?.max === 3),
  );
  assert.equal(cut.code, cut.report.verdict === "pass" ? 0 : 1);
  await eventually("the limit is back", async () => (await daemon.status()).slots?.max === 77);
  passed(await drill(t, daemon, ["full"]));
  await eventually("nobody is in", async () => (await daemon.status()).slots?.used === 0);
  assert.equal((await daemon.status()).slots?.max, 77);

  const quota = await drill(t, daemon, ["quota", "--rate", "5"]);
  passed(quota);
  assert.deepEqual(await faults(daemon), []);
  await eventually("the status says that the drill's row has landed", async () => {
    const writes = (await daemon.status()).upstream?.writes;
    return writes?.waiting === 0 && writes.landed === 1 && writes.setAside === 0;
  });
  assert.equal((await drill(t, daemon, ["everything"])).code, 64);

  // A service that does not hold what it should: the drill says so.
  writeFileSync(join(daemon.dir, ".env"), "DROVER_TIMEOUT=never\n");
  const refused = await drill(t, daemon, ["reload-under-load", "--rate", "2"]);
  assert.deepEqual([refused.code, refused.report.verdict], [1, "fail"]);
  assert.match(refused.report.drills[0]?.steps.at(-1)?.text ?? "", /^reload 1 was refused: .*DROVER_TIMEOUT/);
  assert.equal((await daemon.stop()).code, 0);
});
