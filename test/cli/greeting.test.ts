import assert from "node:assert/strict";
import test from "node:test";
import { greeting } from "../../src/cli/greeting.ts";
import type { Plan } from "../../src/cli/plan.ts";

const input = {
  urls: ["http://127.0.0.1:8080"],
  bound: ["127.0.0.1:8080"],
  plan: { demo: true, app: undefined } as Plan,
  logFile: "var/log/drover.log",
  workers: "2 workers",
  fromNpm: true,
};

test("a one-time link to the dashboard is shown on a terminal, and never where a log would keep it", () => {
  const dashboard = "http://127.0.0.1:8080/admin#ticket=abc";
  assert.match(
    greeting({ ...input, dashboard }, true),
    /^ {2}Dashboard {16}http:\/\/127\.0\.0\.1:8080\/admin#ticket=abc {2}\(good once, for 10 minutes\)$/m,
  );
  assert.doesNotMatch(greeting({ ...input, dashboard }, false), /ticket/);
  assert.doesNotMatch(greeting(input, true), /Dashboard/);
});

test("a port on every address of the machine is named as what it is, also where the URL names one address", () => {
  const open = { ...input, bound: ["0.0.0.0:8080"] };
  assert.match(
    greeting(open, true),
    /drover is ready {10}http:\/\/127\.0\.0\.1:8080 {2}\(and on every address of this machine: 0\.0\.0\.0:8080\)/,
  );
  assert.doesNotMatch(greeting(input, true), /every address/);
  assert.deepEqual((JSON.parse(greeting(open, false)) as { bound: unknown }).bound, ["0.0.0.0:8080"]);
});
