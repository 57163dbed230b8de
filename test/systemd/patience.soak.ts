/** The unit as it is shipped: restarts under load, and how long the watchdog waits (patience.sh). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cannot, inside, leftovers } from "./private.ts";

describe("the shipped unit over minutes", { skip: cannot() }, () => {
  test("five restarts and reloads under load lose nothing; a paused master lives, a stopped one does not", (t) => {
    const { fact, is } = inside("patience.sh", { limitMs: 600_000 });
    t.diagnostic(`five restarts, five reloads: ${fact("load")} (commands that failed, answered, failed, slowest in ms, connections)`);
    t.diagnostic(`master paused for 30 s: ${fact("paused")} (master, restarts, answered, failed, slowest in ms, connections)`);
    t.diagnostic(`master stopped: serves again after ${fact("stopped_ms")} ms`);
    is("load", /^0 \d{3,} 0 /);
    is("paused", /^same 0 \d{3,} 0 /);
    is("stopped", "1 old=0 {");
    is("stop", "success");
  });

  test("nothing is left on this machine", () => assert.deepEqual(leftovers(), []));
});
