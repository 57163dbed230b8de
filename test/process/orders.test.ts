/** Two requests to stop: the answer of the daemon is what it then does. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { get, ONE, ROOT, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const UNTIL = join(ROOT, "test/process/apps/until.mjs");

test("a second plain stop by command cuts off no request", async (t) => {
  const go = join(folder(t), "go");
  const daemon = await start(t, { args: [UNTIL], env: { ...ONE, DROVER_GRACEFUL_TIMEOUT: "600s" } });
  const answer = get(`${daemon.url}/?until=${go}`);
  await eventually("the request is in", async () => ((await daemon.place("worker/0")).child?.inFlight ?? 0) > 0);
  assert.equal((await daemon.control("stop", {})).status, 200);
  const second = await daemon.control("stop", {});
  assert.match(second.body, /stopping already; drover stop --now/);
  writeFileSync(go, "");
  assert.equal((await answer).status, 200);
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
});

test("SIGINT after SIGTERM ends the daemon although a request is in flight", async (t) => {
  const daemon = await start(t, { args: [UNTIL], env: { ...ONE, DROVER_GRACEFUL_TIMEOUT: "600s" } });
  const answer = get(`${daemon.url}/?until=${join(daemon.dir, "never")}`).then(
    () => "answered",
    () => "closed",
  );
  await eventually("the request is in", async () => ((await daemon.place("worker/0")).child?.inFlight ?? 0) > 0);
  daemon.signal("SIGTERM");
  await daemon.logged(/stopping gracefully/);
  daemon.signal("SIGINT");
  assert.equal(await answer, "closed");
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
});
