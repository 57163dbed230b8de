/** The shipped unit on a real systemd, as an operator would run it: user, hardening, socket, demo data (inside.sh). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cannot, inside, leftovers } from "./private.ts";

describe("drover.service on a real systemd", { skip: cannot() }, () => {
  test("it starts, answers, reloads, stops, and what it may not do it does not", (t) => {
    const { fact, is } = inside("inside.sh");
    t.diagnostic(`ready after ${fact("start_ms")} ms, stopped after ${fact("stop_ms")} ms`);
    is("env_file", "640 root:drover");
    is("enabled", "enabled enabled");
    is("start", "0 active active");
    is("user", "drover");
    is("notify", "main");
    is("scheduling", /^ 2 SCHED_BATCH [2-9] SCHED_OTHER $/); // two workers; the master, the broker, the emulator
    is("status", /^2\/2 workers, gen 1, HEALTHY 0\/500, quota \d+\/\d+, \d+ connections, demo$/);
    is("answer", /^\{.*"rows":\[\{/);
    is("reload", "0");
    is("reload_pid", "same");
    is("reload_answer", /^\{.*"rows":\[\{/);
    is("refused", "1 active {");
    is("rotated", /^(drover 640|drover 600|no logrotate here)$/);
    is("stop", "0 inactive success");
    assert.ok(Number(fact("stop_ms")) < 10_000, `stop took ${fact("stop_ms")} ms`);
    is("left", "0 0");
    is("wrong", "exit-code 78 failed restarts=0");
    is("wrong_socket", "exit-code trigger-limit-hit");
    is("cured", "0 active");
    is("other_bind", "78 1");
  });

  test("nothing is left on this machine", () => assert.deepEqual(leftovers(), []));
});
