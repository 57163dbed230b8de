/** Metrics and alerts of a real daemon: over deaths of workers, with a webhook that refuses at first. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { folder } from "../support/cleanup.ts";
import { get, start } from "./harness.ts";
import { drover, metrics, SECRET, webhook } from "./metrics-helper.ts";
import { slow, eventually } from "../support/wait.ts";

const OK = 'drover_http_responses_total{code="2xx"}';

test("counters survive kills, alerts are signed and delivered", async (t) => {
  const hook = await webhook(t);
  const daemon = await start(t, {
    env: { DROVER_ALERT_WEBHOOK: hook.url, DROVER_ALERT_WEBHOOK_SECRET: SECRET, DROVER_ALERT_RESTARTS: "1", DROVER_TIMEOUT: slow(60) },
  });
  const table = `${daemon.url}/api/tables/players`;

  await t.test("a test alert: refused once, tried again, signed", async () => {
    const { stdout } = await drover(daemon, "alerts", "test");
    assert.match(stdout, /a test goes to: log, webhook/);
    const [delivery] = await eventually("it was delivered", () => hook.got.length > 0 && hook.got);
    assert.ok(delivery);
    const { body, text, headers } = delivery;
    assert.equal(hook.refused(), 2, "the second try");
    assert.deepEqual([body["alert"], body["event"]], ["test", "test"]);
    const [, time = "", mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["x-drover-signature"])) ?? [];
    assert.equal(mac, createHmac("sha256", SECRET).update(`${time}.${text}`).digest("hex"));
    assert.equal(headers["x-drover-delivery"], body["id"]);
    await daemon.logged(/^the webhook has not taken alert .*it answered 503: not yet; it is tried again$/);
  });

  await t.test("counters do not fall when workers are killed, and what killed them is told", async () => {
    for (let i = 0; i < 10; i += 1) assert.equal((await get(table)).status, 200);
    assert.equal((await get(`${daemon.url}/nowhere`)).status, 404);
    const before = await eventually("the beats have told it", async () => {
      const now = await metrics(daemon);
      const all = now.value(OK) >= 10 && now.value('drover_http_responses_total{code="4xx"}') >= 1;
      return all && now.value('drover_http_requests_total{class="read"}') >= 11 && now;
    });
    assert.equal(before.value('drover_http_responses_total{code="4xx"}'), 1);
    assert.equal(before.value('drover_http_requests_total{class="read"}'), 11);
    assert.ok(before.value('drover_upstream_calls_total{pool="read",outcome="ok"}') >= 1);
    for (const id of ["worker/0", "worker/1"]) {
      const { child } = await daemon.place(id);
      assert.ok(child);
      process.kill(child.pid, "SIGKILL");
      await eventually("it was replaced", async () => {
        const now = (await daemon.place(id)).child;
        return now !== null && now.pid !== child.pid && now.state === "ready";
      });
    }
    const after = await metrics(daemon);
    assert.ok(after.value(OK) >= before.value(OK));
    assert.equal(after.value("http_request_duration_seconds_count"), before.value("http_request_duration_seconds_count"));
    assert.equal(after.value('drover_restarts_total{reason="signal:SIGKILL"}'), 2);
    assert.equal(after.value('drover_unexpected_restarts_total{role="worker",slot="0"}'), 1);
    const cpu = 'process_cpu_seconds_total{role="worker",slot="0"}';
    assert.ok(after.value(cpu) >= before.value(cpu), "CPU time of the dead is kept");
    const { body } = await eventually("the alert came", () => hook.got.find((delivery) => delivery.body["alert"] === "restarts"));
    assert.deepEqual([body["event"], body["level"], body["value"]], ["raised", "warning", 2]);
    const { stdout } = await drover(daemon, "status");
    assert.match(
      stdout,
      /^alert {6}WARNING restarts for .*: 2 unexpected restarts within 5 minutes; the last: worker\/\d signal:SIGKILL$/m,
    );
    assert.match(stdout, /^advice {5}\w+: .+; .+$/m);
    await drover(daemon, "alerts", "ack", "restarts");
    assert.match((await drover(daemon, "alerts")).stdout, /^warning restarts for .*, seen: /);
    await assert.rejects(drover(daemon, "alerts", "ack", "disk"), /no alert \\?"disk\\?" fires/);
    await assert.rejects(drover(daemon, "alerts", "shout"), /usage: drover alerts/);
  });

  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("an application without tables, which has no broker, is told of by its webhook too", async (t) => {
  const hook = await webhook(t);
  const dir = folder(t);
  writeFileSync(join(dir, "app.mjs"), 'import http from "node:http"; http.createServer((req, res) => res.end("ok")).listen(3000);');
  const daemon = await start(t, { cwd: dir, args: [join(dir, "app.mjs")], env: { DROVER_WORKERS: "1", DROVER_ALERT_WEBHOOK: hook.url } });
  assert.equal((await daemon.status()).health.broker, "none");
  await drover(daemon, "alerts", "test");
  const delivery = await eventually("it was delivered", () => hook.got[0]);
  assert.equal(delivery.body["alert"], "test");
});
