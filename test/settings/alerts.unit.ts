import assert from "node:assert/strict";
import test from "node:test";
import { minutes, ms, seconds } from "../../src/base/units.ts";
import { problems, resolved } from "./given.ts";

test("4.10: what alerts fire at, unless somebody says otherwise", () => {
  const { settings } = resolved();
  const { alert_threshold, alert_urgent, alert_latency, alert_latency_for, alert_cpu, alert_ram, alert_quota, alert_restarts, alert_disk } =
    settings;
  assert.deepEqual(
    [alert_threshold, alert_urgent, alert_cpu, alert_ram, alert_quota, alert_restarts, alert_disk],
    [80, 95, 80, 80, 70, 3, 90],
  );
  assert.equal(settings.alert_runbook, undefined);
  assert.deepEqual([alert_latency, alert_latency_for, settings.alert_command_timeout], [ms(500), minutes(3), seconds(10)]);
  assert.deepEqual([settings.alert_webhook, settings.alert_webhook_secret, settings.alert_command], [undefined, undefined, undefined]);
});

test("ALERT_THRESHOLD as people wrote it: percent, with its sign, or a share", () => {
  for (const [text, value] of [
    ["80", 80],
    ["75%", 75],
    ["62.5 %", 62.5],
    ["0.8", 80],
    [".85", 85],
    ["1", 100],
    ["2", 2],
  ] as const)
    assert.equal(resolved({ env: { ALERT_THRESHOLD: text, DROVER_ALERT_URGENT: "100" } }).settings.alert_threshold, value, text);
  for (const text of ["160", "0", "-5", "80 percent", "0x50", "", "eighty"])
    assert.match(problems({ env: { ALERT_THRESHOLD: text } }).join(), /alert_threshold: .* expected a percentage from 1 to 100/, text);
  assert.match(problems({ env: { DROVER_ALERT_THRESHOLD: "0.8" } }).join(), /alert_threshold/, "a share by the new name is a mistake");
});

test("urgent comes after the warning", () => {
  assert.match(
    problems({ env: { DROVER_ALERT_THRESHOLD: "96" } }).join(),
    /^alert_urgent: 95% \(.*\): expected at least alert_threshold, 96%/,
  );
});

test("a webhook keeps its path and query, and is never repeated in an error", () => {
  const url = "https://hooks.example.com/services/T0/B0/xyz?thread=1";
  assert.equal(resolved({ env: { DROVER_ALERT_WEBHOOK: url } }).settings.alert_webhook, url);
  for (const text of ["ftp://example.com/hunter2", "hunter2", "https://user:hunter2@example.com/", "http://"]) {
    const said = problems({ env: { DROVER_ALERT_WEBHOOK: text } }).join();
    assert.match(said, /alert_webhook: \*\*\*/);
    assert.doesNotMatch(said, /hunter2/);
  }
  assert.match(
    problems({ env: { DROVER_ALERT_WEBHOOK_SECRET: "short" } }).join(),
    /alert_webhook_secret: \*\*\* .* at least 16 characters/,
  );
});

test("warnings: a webhook in the clear, a secret that signs nothing", () => {
  const warned = (env: NodeJS.ProcessEnv): string => resolved({ env }).warnings.join();
  assert.match(warned({ DROVER_ALERT_WEBHOOK: "http://example.com/x" }), /alert_webhook .*not encrypted/);
  assert.doesNotMatch(warned({ DROVER_ALERT_WEBHOOK: "http://127.0.0.1:9/x" }), /not encrypted/);
  assert.match(warned({ DROVER_ALERT_WEBHOOK_SECRET: "0123456789abcdef" }), /signs nothing/);
});
