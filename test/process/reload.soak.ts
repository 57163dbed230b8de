/** TERM at any moment of a roll. The seed is printed; DROVER_TEST_SEED repeats it. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants } from "./harness.ts";
import { begin } from "./reload-helper.ts";
import { times } from "../support/times.ts";

const TIMES = times(20);

test(`TERM at ${TIMES} moments of a roll wins: exit 0, and no process is left`, async (t) => {
  const seed = Number(process.env["DROVER_TEST_SEED"] ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}`);
  for (let i = 0; i < TIMES; i += 1) {
    const { daemon } = await begin(t, { DROVER_WORKERS: "2", DROVER_ROLL_SETTLE: "100ms" });
    daemon.signal("SIGHUP");
    await sleep(((seed + i * 618_034) % 1_000_000) * 0.0015); // 0 to 1.5 s, spread by the golden ratio
    const children = descendants(daemon.pid);
    assert.deepEqual(await daemon.stop("SIGTERM"), { code: 0, signal: null });
    assert.ok(children.length >= 2);
  }
});
