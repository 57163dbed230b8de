import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { clients } from "./clients.ts";
import { ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

/** How many requests each worker had served when its recycling was decided, in the log's order. */
const recycled = (daemon: Daemon): number[] =>
  daemon.log().flatMap(({ msg }) => {
    const served = /is recycled: it has served (\d+) requests/.exec(String(msg))?.[1];
    return served === undefined ? [] : [Number(served)];
  });

test("workers are recycled at a limit that each drew for itself, exactly, one at a time, and no request fails", async (t) => {
  const daemon = await start(t, {
    args: [join(ROOT, "test/process/apps/plain.mjs")],
    env: { DROVER_WORKERS: "3", DROVER_MAX_REQUESTS: "150", DROVER_MAX_REQUESTS_JITTER: "150", DROVER_DRAIN_IDLE: "20s" },
  });
  const asking = clients(daemon.url, { kept: 3, fresh: 3 });
  let atOnce = 0;
  await eventually("six are recycled", async () => {
    const { places } = await daemon.status();
    atOnce = Math.max(atOnce, places.filter(({ successor, leaving }) => successor !== null || leaving.length > 0).length);
    return recycled(daemon).length >= 6;
  });
  await asking.stop();
  t.diagnostic(`recycled after ${recycled(daemon).join(", ")} requests; ${asking.total()} served`);
  assert.ok(recycled(daemon).every((served) => served >= 150 && served <= 300));
  assert.equal(atOnce, 1);
  assert.deepEqual(asking.failed, []);
});
