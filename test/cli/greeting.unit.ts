import assert from "node:assert/strict";
import test from "node:test";
import { greeting, laterText, type GreetingInput } from "../../src/cli/greeting.ts";
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

test("the start line says when Google can't be reached, refuses, or has not answered yet", () => {
  const sheet = { ...input, plan: { demo: false, app: undefined, spreadsheetId: "1AbC" } as Plan };
  const data = (google: GreetingInput["google"]): string => /Data +(.*)/.exec(greeting({ ...sheet, google }, true))?.[1] ?? "";
  assert.equal(data({ state: "ok", message: "" }), "the Google spreadsheet 1AbC");
  assert.equal(data(undefined), "the Google spreadsheet 1AbC");
  assert.equal(data({ state: "never", message: "x" }), "the Google spreadsheet 1AbC (Google has not answered yet)");
  assert.equal(
    data({ state: "down", message: "no answer: ECONNREFUSED" }),
    "the Google spreadsheet 1AbC (Google can't be reached: no answer: ECONNREFUSED)",
  );
  assert.equal(data({ state: "denied", message: "share it with a@b" }), "the Google spreadsheet 1AbC (Google refuses: share it with a@b)");
  const json = JSON.parse(greeting({ ...sheet, google: { state: "down", message: "no answer" } }, false)) as Record<string, unknown>;
  assert.deepEqual([json["data"], json["google"], json["google_message"]], ["the Google spreadsheet 1AbC", "down", "no answer"]);
  assert.equal((JSON.parse(greeting(input, false)) as Record<string, unknown>)["google"], undefined, "the demo asks no Google");
});

test("what was not known at the start is told once it is", () => {
  assert.equal(laterText({ state: "never", message: "" }), undefined);
  assert.equal(laterText({ state: "ok", message: "" }), "Google answers");
  assert.equal(laterText({ state: "down", message: "no answer" }), "Google can't be reached: no answer");
});
