// alone
/** A drill against a real demo: it passes on a sound service. The others: drill.soak.ts. */
import assert from "node:assert/strict";
import test from "node:test";
import { drill, passed } from "./drilling.ts";
import { start } from "./harness.ts";

test("drover drill kill-worker passes on a sound demo: the worker is replaced, and its death is counted", async (t) => {
  const daemon = await start(t, { env: { DROVER_DEMO: "on" } });
  const before = await daemon.place("worker/1");
  passed(await drill(t, daemon, ["kill-worker", "--rate", "10"]));
  assert.notEqual((await daemon.place("worker/1")).child?.pid, before.child?.pid);
  assert.equal((await daemon.status()).deaths["signal:SIGKILL"], 1);
  assert.equal((await drill(t, daemon, ["everything"])).code, 64);
  assert.equal((await daemon.stop()).code, 0);
});
