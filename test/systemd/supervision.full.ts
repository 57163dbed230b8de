/** What systemd and drover do together on a bad day, on a real systemd: load, faults, the watchdog (supervision.sh). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needs } from "../support/needs.ts";
import { cannot, inside, leftovers } from "./private.ts";

describe("supervision on a real systemd", { skip: cannot() }, () => {
  test("under load, and when the master is killed, stopped, or hangs", (t) => {
    const noJq = needs("jq", "jq");
    const { fact, is } = inside("supervision.sh");
    t.diagnostic(`STATUS: ${fact("status")}`);
    for (const name of ["load_reload", "load_restart"])
      t.diagnostic(`${name}: ${fact(name)} (answered, failed, slowest in ms, connections)`);
    t.diagnostic(
      `serves again after ms: the master killed ${fact("fault_KILL_ms")}; with WatchdogSec=2s: stopped ${fact("fault_STOP_ms")}, hanging ${fact("fault_PWR_ms")}`,
    );
    t.diagnostic(`TimeoutStopSec=1s, a stuck worker, a grace of 3 s: stopped after ${fact("stop_ms")} ms`);

    is("start", "0 active");
    is("watched", "1min fed");
    is("status", /^2\/2 workers, gen 1, HEALTHY 0\/500, quota \d+\/\d+, \d+ connections, demo$/);
    is("hup", /^seen same 2\/2 workers, gen 2, HEALTHY 0\/500, /);
    is("edited", /^0 workers 3\/3 ready cache .*, TTL 30s to 2m00s $/); // the tables name TTLs of their own: seen_ttl has the setting
    is("load_reload", /^\d{3,} 0 /);
    is("restart", "0 active old=0");
    is("load_restart", /^\d{3,} 0 /);
    // On a machine that starves everybody for two seconds the watchdog may strike once more: patience.soak.ts knows that the shipped one does not.
    for (const fault of ["KILL", "STOP", "PWR"]) is(`fault_${fault}`, /^restarts=[1-9]\d* old=0 \{$/);
    for (const fault of ["STOP", "PWR"]) is(`served_${fault}`, "yes");
    is("watchdog_said", /^([2-9]|\d\d+)$/);
    is("stop", "0 success old=0");
    const stopped = Number(fact("stop_ms"));
    assert.ok(stopped >= 2_500 && stopped < 15_000, `a grace of 3 s: stopped after ${stopped} ms`);
    if (noJq !== false) return t.diagnostic(`tail -f | jq: ${noJq}`);
    is("jq", /^[1-9]\d+ lines, 0 errors$/);
    for (const what of ["start", "ready", "hup", "workers", "ttl", "rolled", "term", "drained", "stuck", "left"])
      is(`seen_${what}`, /^[1-9]/);
  });

  test("nothing is left on this machine", () => assert.deepEqual(leftovers(), []));
});
