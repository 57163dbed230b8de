// alone
/** Metrics and alerts beside a worker that is stopped, and beside a webhook that does not answer: neither delays anything. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { get, ROOT, start } from "./harness.ts";
import { drover, metrics, SECRET, webhook } from "./metrics-helper.ts";
import { eventually } from "../support/wait.ts";

test("a worker is stopped: the scrape does not wait for it, its figures stay, their age grows", async (t) => {
  const daemon = await start(t, { args: [join(ROOT, "test/process/apps/plain.mjs")], env: { DROVER_TIMEOUT: "60s" } });
  const { child } = await daemon.place("worker/1");
  assert.ok(child);
  process.kill(child.pid, "SIGSTOP");
  const age = 'drover_report_age_seconds{role="worker",slot="1"}';
  const stuck = await eventually("its last beat is old", async () => {
    const now = await metrics(daemon);
    return now.value(age) > 2.5 && now;
  });
  const slowest = Math.max(...(await Promise.all(Array.from({ length: 10 }, () => metrics(daemon)))).map(({ took }) => took));
  process.kill(child.pid, "SIGCONT");
  console.log(`/metrics with a stopped worker: ${stuck.took.toFixed(1)} ms, the slowest of ten at once ${slowest.toFixed(1)} ms`);
  assert.ok(stuck.value('process_resident_memory_bytes{role="worker",slot="1"}') > 1e7);
  assert.ok(stuck.value('nodejs_heap_size_used_bytes{role="worker",slot="1"}') > 1e6);
  assert.ok(stuck.took < 1_000 && slowest < 2_000, "far from the second that a hung worker would cost");
});

test("a webhook that never answers: requests and commands are as quick as ever", async (t) => {
  const hook = await webhook(t);
  const daemon = await start(t, {
    env: { DROVER_ALERT_WEBHOOK: hook.url, DROVER_ALERT_WEBHOOK_SECRET: SECRET, DROVER_TIMEOUT: "60s" },
  });
  const table = `${daemon.url}/api/tables/players`;
  hook.silent();
  for (let i = 0; i < 5; i += 1) await drover(daemon, "alerts", "test");
  const from = performance.now();
  for (let i = 0; i < 20; i += 1) assert.equal((await get(table)).status, 200);
  await daemon.status();
  assert.ok(performance.now() - from < 5_000);
  await daemon.logged(/^the webhook has not taken alert .*: no answer within 5000 ms; it is tried again$/);
  assert.doesNotMatch(JSON.stringify(daemon.log()), /key=hidden|a-secret-of-some-length/);
  assert.doesNotMatch((await metrics(daemon)).text, /hidden/);
  assert.ok((await metrics(daemon)).value('drover_alert_deliveries_total{sink="webhook",result="failed"}') >= 1);
});
