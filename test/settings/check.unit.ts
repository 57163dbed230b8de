import assert from "node:assert/strict";
import { test } from "node:test";
import { mebibytes, ms, seconds } from "../../src/base/units.ts";
import { beatInterval } from "../../src/settings/check.ts";
import { demoIsOn, type Start } from "../../src/settings/demo.ts";
import { problems, resolved } from "./given.ts";

test("a beat every tenth of the timeout, between 100 ms and a second", () => {
  assert.deepEqual([ms(100), seconds(2), seconds(30)].map(beatInterval), [ms(100), ms(200), ms(1_000)]);
});

test("the timeout must be more than three beats", () => {
  assert.match(
    problems({ env: { DROVER_TIMEOUT: "300ms" } }).join(),
    /timeout: 300ms \(environment DROVER_TIMEOUT\): expected more than 300ms/,
  );
  assert.equal(resolved({ env: { DROVER_TIMEOUT: "301ms" } }).settings.timeout, ms(301));
});

test("connections must fit into the open files of a process", () => {
  assert.match(problems({ machine: { nofile: 1_024 } }).join(), /worker_connections: 1000 \(default\): expected at most 924.*LimitNOFILE/);
  assert.match(problems({ machine: { nofile: 64 } }).join(), /expected more open files/);
  assert.deepEqual(resolved({ machine: { nofile: 1_100 } }).warnings, []);
  assert.deepEqual(resolved({ machine: { nofile: undefined } }).warnings, []);
});

test("2.4: the number of workers lies within DROVER_MIN_WORKERS and DROVER_MAX_WORKERS; its default does by itself", () => {
  const said = (env: Record<string, string>): string => problems({ env }).join();
  assert.match(
    said({ DROVER_WORKERS: "9", DROVER_MAX_WORKERS: "8" }),
    /^workers: 9 \(environment DROVER_WORKERS\): expected 1 to 8, the bounds of/,
  );
  assert.match(said({ DROVER_WORKERS: "2", DROVER_MIN_WORKERS: "3" }), /^workers: 2 .*: expected 3 to 256/);
  assert.match(
    said({ DROVER_WORKERS: "9", DROVER_MIN_WORKERS: "9", DROVER_MAX_WORKERS: "8" }),
    /^min_workers: 9 .*: expected at most max_workers, 8/,
  );
  assert.equal(resolved({ env: { DROVER_MAX_WORKERS: "1" } }).settings.workers, 1);
  assert.equal(resolved({ env: { DROVER_MIN_WORKERS: "40" } }).settings.workers, 40);
});

test("the priority of workers is a nice value that needs no right", () => {
  assert.equal(resolved({}).settings.worker_priority, 0);
  assert.equal(resolved({ env: { DROVER_WORKER_PRIORITY: "19" } }).settings.worker_priority, 19);
  for (const wrong of ["-1", "20", "5.5", "low", "", "+5"])
    assert.match(
      problems({ env: { DROVER_WORKER_PRIORITY: wrong } }).join(),
      /worker_priority: .*\(environment DROVER_WORKER_PRIORITY\): expected a whole number from 0 to 19/,
      wrong,
    );
});

const warningOf = (env: NodeJS.ProcessEnv): string => resolved({ env }).warnings.join("\n");

test("what is legal but unwise draws a warning with its source", () => {
  assert.match(
    warningOf({ DROVER_WORKERS: "100" }),
    /workers: 100 \(environment DROVER_WORKERS\) of about 90m each need 8\.8g, more than the memory of 8g/,
  );
  assert.match(warningOf({ DROVER_MEMORY: "16g" }), /memory: 16g .* more than the 8g there are/);
  assert.match(warningOf({ DROVER_MAX_RSS: "64m" }), /max_rss: 64m .*over and over/);
  assert.match(warningOf({ DROVER_TRUSTED_PROXIES: "::/0" }), /trusts everyone/);
  assert.match(warningOf({ DROVER_OAUTH_ENDPOINT: "http://example.com" }), /oauth_endpoint: .* not encrypted/);
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) assert.equal(warningOf({ DROVER_SHEETS_ENDPOINT: `http://${host}:1` }), "");
  assert.deepEqual(resolved({ machine: { cpus: 1, memory: mebibytes(512) } }).warnings, []);
});

test("the demo is a person's first try, never a service's fallback", () => {
  const bare: Start = { command: "serve", underSystemd: false, container: false, app: undefined };
  const on = (env: NodeJS.ProcessEnv, over: Partial<Start> = {}): boolean => demoIsOn(resolved({ env }).settings, { ...bare, ...over });
  assert.equal(on({}), true);
  assert.equal(on({}, { command: "start" }), true);
  assert.equal(on({}, { underSystemd: true }), false);
  assert.equal(on({}, { container: true }), false);
  assert.equal(on({}, { app: "./app.js" }), false);
  assert.equal(on({ DROVER_APP: "./app.js" }), false);
  assert.equal(on({ DROVER_SPREADSHEET_ID: "x".repeat(20) }), false);
  assert.equal(on({ DROVER_DEMO: "on" }, { underSystemd: true, container: true, app: "x" }), true);
  assert.equal(on({ DROVER_DEMO: "off" }), false);
});
