import assert from "node:assert/strict";
import test from "node:test";
import { seconds, type Instant } from "../../../src/base/units.ts";
import { deathOf, recycledBy, type Ending } from "../../../src/master/core/death.ts";
import type { Child, Pid, Reason } from "../../../src/master/core/model.ts";

const at = 0 as Instant;
const base = { pid: 7 as Pid, generation: 1 };
const beatTimeout = seconds(30);
const ready: Child = { ...base, beatTimeout, is: "ready", since: at, beatBy: at };
const starting: Child = { ...base, beatTimeout, is: "starting", readyBy: at, crowdsUntil: undefined };
const draining = (why: Reason): Child => ({ ...base, is: "draining", exitBy: at, why });
const killed = (why: Reason): Child => ({ ...base, is: "killed", reapBy: at, why });
const plain: Ending = {
  code: null,
  signal: null,
  fatal: undefined,
  child: ready,
  recycledBy: "asked",
  drainedBy: undefined,
  lastWords: "",
  oomKilled: false,
};
const heap = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
const fatal = (exit: number) => ({ exit, code: "DROVER_E_APP", message: "no such file" });

const TABLE: readonly [string, Partial<Ending>, expected: boolean][] = [
  ["oom-heap", { signal: "SIGABRT", lastWords: heap }, false],
  ["oom-heap", { code: 134, lastWords: heap }, false],
  ["signal:SIGABRT", { signal: "SIGABRT" }, false],
  ["oom-kernel", { signal: "SIGKILL", oomKilled: true }, false],
  ["signal:SIGKILL", { signal: "SIGKILL" }, false],
  ["signal:SIGSEGV", { signal: "SIGSEGV", oomKilled: true }, false],
  ["stuck", { signal: "SIGKILL", child: killed("stuck"), oomKilled: true }, false],
  ["boot-timeout", { signal: "SIGKILL", child: killed("boot-timeout") }, false],
  ["drain-timeout", { signal: "SIGKILL", child: killed("drain-timeout") }, false],
  ["boot-failed", { code: 3, child: starting }, false],
  ["boot-failed", { code: 78, child: starting, fatal: fatal(78) }, false],
  ["load-failed", { code: 4, child: starting, fatal: fatal(4) }, false],
  ["crash", { code: 1, child: starting }, false],
  ["crash", { code: 1 }, false],
  ["crash", { code: 4 }, false],
  ["crash", { code: 0 }, false],
  ["crash", { code: 0, drainedBy: "application" }, false],
  ["crash", { code: 1, child: draining("roll") }, false],
  ["operator", { code: 0, drainedBy: "operator" }, true],
  ["rolled", { code: 0, child: draining("roll"), drainedBy: "master" }, true],
  ["shrink", { code: 0, child: draining("shrink") }, true],
  ["stop", { signal: "SIGKILL", child: killed("stop") }, true],
  ["abandoned", { signal: "SIGKILL", child: killed("abandoned") }, true],
  ["recycled:rss", { code: 0, child: draining("recycle"), recycledBy: "rss" }, true],
];

for (const [name, given, expected] of TABLE)
  test(`${name} ← ${JSON.stringify(given).slice(0, 110)}`, () => {
    const death = deathOf({ ...plain, ...given });
    assert.equal(death.name, name);
    assert.equal(death.expected, expected);
    assert.match(death.how, /exited with code \d+|was killed by SIG/);
  });

test("a recycling's reason becomes its name", () => {
  assert.equal(recycledBy("it has served 9 requests (DROVER_MAX_REQUESTS)"), "requests");
  assert.equal(recycledBy("it is 9 s old (DROVER_MAX_LIFETIME)"), "lifetime");
  assert.equal(recycledBy("it holds 9 MiB (DROVER_MAX_RSS)"), "rss");
  assert.equal(recycledBy("asked for by the operator"), "asked");
});
