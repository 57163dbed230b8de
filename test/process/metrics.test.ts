/** Metrics and alerts of a real daemon: over deaths of workers, with one that hangs, with a webhook that answers and one that does not. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { cleanEnv, DROVER, get, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const SECRET = "a-secret-of-some-length";
const run = promisify(execFile);

interface Delivery {
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** A webhook: it refuses the first delivery, as a busy one may. */
async function webhook(t: TestContext): Promise<{ url: string; got: Delivery[]; refused: () => number; silent(): void }> {
  const got: Delivery[] = [];
  let [asked, silent] = [0, false];
  const server = http.createServer((req, res) => {
    let text = "";
    req.on("data", (chunk: Buffer) => (text += chunk.toString()));
    req.on("end", () => {
      if (silent) return;
      if ((asked += 1) === 1) return void res.writeHead(503).end("not yet");
      got.push({ body: JSON.parse(text) as Record<string, unknown>, text, headers: req.headers });
      res.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hidden`;
  return { url, got, refused: () => asked, silent: () => void (silent = true) };
}

async function metrics(daemon: Daemon): Promise<{ text: string; took: number; value(line: string): number }> {
  const from = performance.now();
  const { body, status, headers } = await get("http://localhost/metrics", { socketPath: join(daemon.dir, "var/run/control.sock") });
  const took = performance.now() - from;
  assert.equal(status, 200);
  assert.match(headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
  return {
    text: body,
    took,
    value: (line) =>
      Number(
        body
          .split("\n")
          .find((l) => l.startsWith(`${line} `))
          ?.slice(line.length + 1) ?? Number.NaN,
      ),
  };
}

const drover = (daemon: Daemon, ...args: string[]) => run(DROVER, args, { cwd: daemon.dir, env: cleanEnv() });
const OK = 'drover_http_responses_total{code="2xx"}';

test("counters survive kills, a hung worker delays no scrape, alerts are signed and delivered, and a dead webhook delays nothing", async (t) => {
  const hook = await webhook(t);
  const daemon = await start(t, {
    env: { DROVER_ALERT_WEBHOOK: hook.url, DROVER_ALERT_WEBHOOK_SECRET: SECRET, DROVER_ALERT_RESTARTS: "1", DROVER_TIMEOUT: "60s" },
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
    assert.ok(Math.abs(Date.now() / 1_000 - Number(time)) < 60);
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

  await t.test("one worker is stopped: the scrape comes at once, its figures stay, their age grows", async () => {
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

  await t.test("a webhook that never answers: requests and commands are as quick as ever", async () => {
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

  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});
