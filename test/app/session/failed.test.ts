/** Failed logins in the log: 20 lines at once and one a second; what is more is counted, and nothing is lost. */
import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { makeLogger } from "../../../src/base/log.ts";
import type { Instant } from "../../../src/base/units.ts";
import { FailedLogins } from "../../../src/app/session/failed.ts";

test("a flood of failed logins is logged at a pace, with the address and a count, and never with what was typed", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const lines: Record<string, unknown>[] = [];
    const log = makeLogger({ role: "worker" }, "info", {
      write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    });
    let now = 0;
    const failed = new FailedLogins(log, { now: () => now as Instant });
    for (let i = 0; i < 500; i += 1) failed.note("wrong secret", { client: `192.0.2.${i % 250}`, requestId: `r${i}`, user: "Ada" });
    assert.equal(lines.length, 20);
    assert.deepEqual([lines[0]?.["msg"], lines[0]?.["client"], lines[0]?.["user"]], ["a login failed: wrong secret", "192.0.2.0", "Ada"]);
    mock.timers.tick(10_000);
    assert.deepEqual([lines.length, lines[20]?.["suppressed"], lines[20]?.["msg"]], [21, 480, "480 more logins failed"]);
    now = 60_000;
    failed.note("too many tries", { client: "192.0.2.1", requestId: "r" });
    assert.deepEqual([lines.length, lines[21]?.["msg"]], [22, "a login failed: too many tries"]);
    mock.timers.tick(60_000);
    assert.equal(lines.length, 22, "nothing more to count");
  } finally {
    mock.timers.reset();
  }
});
