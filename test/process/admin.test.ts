/** The administration of a real daemon. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import type { OutgoingHttpHeaders } from "node:http";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { http } from "../../src/base/http.ts";
import { cleanEnv, DROVER, get, ONE, ROOT, start, type Daemon, type Reply } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const run = promisify(execFile);
const drover = async (daemon: Daemon, ...args: string[]): Promise<string> =>
  (await run(DROVER, args, { cwd: daemon.dir, env: cleanEnv() })).stdout.trim();
const tokenOf = (daemon: Daemon): string => readFileSync(join(daemon.dir, "var/admin-token"), "utf8").trim();
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
/** A key and its end reach each worker by a message. Wrong tries meanwhile count for an address of their own. */
const everyWorker = (what: string, status: number, url: string, headers: OutgoingHttpHeaders): Promise<true> =>
  eventually(what, async () => {
    for (let nr = 0; nr < 12; nr += 1) if ((await get(url, { headers, localAddress: "127.0.0.2" })).status !== status) return false;
    return true;
  });

function ask(url: string, method: string, headers: OutgoingHttpHeaders, body?: unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const type = text === undefined ? {} : { "content-type": "application/json" };
    const req = http.request(url, { method, agent: false, headers: { ...type, ...headers }, timeout: 15_000 }, (res) => {
      let all = "";
      res.on("data", (chunk: Buffer) => (all += chunk.toString()));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: all }));
    });
    req.on("timeout", () => req.destroy(new Error(`no answer from ${url}`)));
    req.on("error", reject);
    req.end(text);
  });
}

test("4.5, 4.7: an operator over HTTP: the first token, orders, limits that outlast a broker, a browser's link, answers while every worker is stopped", async (t) => {
  const daemon = await start(t, { env: { DROVER_MAX_SLOTS: "200" } });
  const token = tokenOf(daemon);
  const order = (path: string, body: unknown = {}) => ask(`${daemon.url}/api/admin/${path}`, "POST", bearer(token), body);
  const capacity = async () =>
    (JSON.parse((await get(`${daemon.url}/api/admin/capacity`, { headers: bearer(token) })).body) as { capacity: Record<string, unknown> })
      .capacity;
  for (const file of ["admin-token", "admin-tokens.json"]) assert.equal(statSync(join(daemon.dir, "var", file)).mode & 0o777, 0o600);
  assert.equal(statSync(join(daemon.dir, "var/run/admin.sock")).mode & 0o777, 0o600);

  const first = await capacity();
  assert.deepEqual([first["current_bots"], first["max_bots"], first["status"], first["can_accept_new"]], [0, 200, "LOW", true]);
  const health = async () => JSON.parse((await get(`${daemon.url}/api/admin/health`)).body) as { status: string; capacity: unknown };
  for (let nr = 0; nr < 12; nr += 1)
    assert.deepEqual((await health()).capacity, { status: "LOW", percent_used: 0 }, "a young worker knows it, too");
  await eventually("a worker has learned that all is well", async () => (await health()).status === "ok");

  assert.equal((await order("limits", { max_slots: 50 })).status, 200);
  await eventually("there are 50 slots", async () => (await capacity())["max_bots"] === 50);
  const before = (await daemon.place("broker/0")).child?.pid ?? 0;
  process.kill(before, "SIGKILL");
  await eventually("another broker serves", async () => {
    const { state, child } = await daemon.place("broker/0");
    return state === "ready" && child !== null && child.pid !== before && child.beatAge !== null;
  });
  assert.equal((await capacity())["max_bots"], 50);
  const { port } = new URL(daemon.url);
  const proxied = { hostname: "127.0.0.1", port, path: `http://127.0.0.1:${port}/api/admin/capacity`, headers: bearer(token) };
  assert.equal((await get(daemon.url, proxied)).status, 200, "a target in absolute-form");
  assert.match((await order("cache/purge", { table: "players" })).body, /players will be asked of Google anew/);
  assert.equal((await order("cache/purge", { table: "nowhere" })).status, 409);

  assert.equal((await order("scale", { to: 3 })).status, 200);
  await eventually("three workers serve", async () => (await daemon.status()).workers.ready === 3);
  await eventually("it has nothing to do, and its stack says so", async () =>
    /worker 1 \(pid \d+\) is idle/.test((await order("stack", { slot: 1 })).body),
  );
  assert.equal((await order("scale", { to: 5_000 })).status, 422);
  assert.equal((await daemon.status()).workers.target, 3);

  // A link, used by a browser that comes to any of the workers; then the session is known to all of them.
  const link = new URL((await drover(daemon, "dashboard")).split("\n", 1)[0] ?? "");
  assert.equal(`${link.origin}${link.pathname}`, `${daemon.url}/admin`);
  const ticket = link.hash.replace("#ticket=", "");
  const login = await ask(`${daemon.url}/api/admin/login`, "POST", {}, { ticket });
  assert.equal(login.status, 200);
  assert.equal((await ask(`${daemon.url}/api/admin/login`, "POST", {}, { ticket })).status, 401);
  const cookie = login.headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";
  await everyWorker("every worker knows the session", 200, `${daemon.url}/api/admin/stats`, { cookie });
  assert.equal((await ask(`${daemon.url}/api/admin/reload`, "POST", { cookie })).status, 403);
  assert.equal((await daemon.status()).generation, 1);

  // A program's own token, and its end.
  const viewer = await drover(daemon, "dashboard", "--token", "viewer", "--name", "prometheus", "--days", "30");
  await everyWorker("every worker knows it", 200, `${daemon.url}/api/admin/stats`, bearer(viewer));
  assert.equal((await ask(`${daemon.url}/api/admin/reload`, "POST", bearer(viewer))).status, 403);
  const metrics = await get(`${daemon.url}/metrics`, { headers: bearer(viewer) });
  assert.deepEqual([metrics.status, metrics.headers["content-type"]], [200, "text/plain; version=0.0.4; charset=utf-8"]);
  assert.match(metrics.body, /^drover_http_requests_total\{class="admin"\} [1-9]/m);
  assert.match(metrics.body, /^drover_http_refused_total\{reason="overload"\} 0$/m);
  assert.equal((await get(`${daemon.url}/metrics`)).status, 401);
  assert.equal((await ask(`${daemon.url}/api/admin/alerts/ack`, "POST", bearer(viewer), { name: "google" })).status, 403);
  assert.match((await order("alerts/ack", { name: "google" })).body, /no alert google is raised now/);
  assert.equal(await drover(daemon, "dashboard", "--revoke", "prometheus"), "1 token revoked");
  await eventually("a worker knows no more of it", async () => {
    const { status } = await get(`${daemon.url}/api/admin/stats`, { headers: bearer(viewer), localAddress: "127.0.0.2" });
    return status === 401 || status === 429;
  });

  // What a guesser meets, over all workers together.
  const tries = [];
  for (let nr = 0; nr < 20; nr += 1) tries.push((await get(`${daemon.url}/api/admin/capacity`, { headers: bearer(`wrong-${nr}`) })).status);
  assert.deepEqual([tries[0], tries.at(-1)], [401, 429]);
  assert.equal((await get(`${daemon.url}/api/admin/capacity`, { headers: bearer(token) })).status, 200);

  // With every worker stopped the control socket answers.
  const workers = (await daemon.status()).places.flatMap(({ role, child }) => (role === "worker" && child ? [child.pid] : []));
  assert.equal(workers.length, 3);
  for (const pid of workers) process.kill(pid, "SIGSTOP");
  const socketPath = join(daemon.dir, "var/run/control.sock");
  for (let nr = 0; nr < 20; nr += 1) assert.equal((await get("http://x/api/admin/capacity", { socketPath })).status, 200);
  for (const pid of workers) process.kill(pid, "SIGCONT");

  await eventually("the order is in the audit log", () =>
    daemon.log().some(({ audit, action, by, outcome }) => audit === true && action === "limits" && by === "first" && outcome === "done"),
  );
  const log = readFileSync(join(daemon.dir, "var/log/drover.log"), "utf8");
  for (const secret of [token, viewer, ticket, cookie.split("=")[1] ?? "?"]) assert.ok(!log.includes(secret), "no secret is in the log");
});

test("4.5: a foreign application keeps its routes; the administration has an address of its own", async (t) => {
  const app = join(ROOT, "test/process/apps/plain.mjs");
  const daemon = await start(t, { args: [app, "--admin-bind", "127.0.0.1:0"], env: { ...ONE, DROVER_DEMO: "off" } });
  const own = (await get(`${daemon.url}/api/admin/capacity`)).body;
  assert.ok(!own.includes("capacity"), "it is the application's");
  const link = new URL((await drover(daemon, "dashboard")).split("\n", 1)[0] ?? "");
  const token = tokenOf(daemon);
  const { status, body } = await get(`${link.origin}/api/admin/capacity`, { headers: bearer(token) });
  assert.equal(status, 200, body);
  assert.equal((await get(`${link.origin}/admin`)).status, 200);
  const { hostname, port } = link;
  const proxied = { hostname, port, path: `${link.origin}/api/admin/capacity`, headers: bearer(token) };
  assert.equal((await get(link.origin, proxied)).status, 200, "a target in absolute-form");
  assert.equal((await get(`${link.origin}/else`)).status, 404);
  assert.equal((await get(`${link.origin}/api/admin/health`)).status, 200);
  const tries = [];
  for (let nr = 0; nr < 20; nr += 1) tries.push((await get(`${link.origin}/api/admin/stats`)).status);
  assert.deepEqual([tries[0], tries.at(-1)], [401, 429]);
  assert.equal((await ask(`${link.origin}/api/admin/scale`, "POST", { ...bearer(token), host: "evil.test" }, { to: 1 })).status, 429);
  assert.equal((await ask(`${link.origin}/api/admin/scale`, "POST", bearer(token), { to: 1 })).status, 200);
});

test("DROVER_ADMIN_BIND behind HTTPS: by the word of a trusted proxy the browser's cookie is Secure and bound to this host", async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: "1", DROVER_ADMIN_BIND: "127.0.0.1:0", DROVER_TRUSTED_PROXIES: "127.0.0.1" } });
  const own = new URL((await drover(daemon, "dashboard")).split("\n", 1)[0] ?? "").origin;
  const https = { "x-forwarded-proto": "https" };
  const login = async (headers: OutgoingHttpHeaders) =>
    (await ask(`${own}/api/admin/login`, "POST", headers, { token: tokenOf(daemon) })).headers["set-cookie"]?.join() ?? "";
  const sealed = await login(https);
  assert.match(sealed, /^__Host-drover-admin=[\w-]+; Path=\/; .*; Secure$/);
  const cookie = sealed.split(";", 1)[0] ?? "";
  assert.equal((await get(`${own}/api/admin/capacity`, { headers: { ...https, cookie } })).status, 200);
  assert.match(await login({}), /^drover-admin=(?!.*Secure)/, "over plain HTTP a browser would not send it back");
});
