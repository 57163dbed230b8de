/** The worked examples of docs/applications.md, each served by a daemon on the demo's spreadsheet, and what they do when things go wrong. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { request } from "../tools/emulator/world.ts";
import { get, ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";

const EXAMPLES = join(ROOT, "examples");
const DEMO = { DROVER_DEMO: "on", DROVER_TABLES: join(EXAMPLES, "tables.json"), DROVER_WORKERS: "1" };
const json = (text: { toString(): string }): Record<string, unknown> => JSON.parse(text.toString()) as Record<string, unknown>;

const serve = (t: TestContext, name: string, env: NodeJS.ProcessEnv = {}): Promise<Daemon> =>
  start(t, { args: [join(EXAMPLES, name)], env: { ...DEMO, ...env } });

async function send(url: string, method: string, body?: unknown, headers: Record<string, string> = {}) {
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const answer = await request(url, method, { ...type, ...headers }, body === undefined ? undefined : JSON.stringify(body));
  return { status: answer.status, headers: answer.headers, body: answer.body.toString() };
}

test("app.ts, a Fastify plugin: reads, appends once, loses no change of two workers, computes in a thread", async (t) => {
  const daemon = await serve(t, "app.ts", { DROVER_WORKERS: "2" });
  const top = json((await get(`${daemon.url}/top`)).body);
  assert.deepEqual([top["stale"], (top["ranking"] as string[]).length], [false, 3]);
  const action = { player: "p001", kind: "tag", target: "p002" };
  const [first, again] = [
    await send(`${daemon.url}/actions`, "POST", action, { "idempotency-key": "k" }),
    await send(`${daemon.url}/actions`, "POST", action, { "idempotency-key": "k" }),
  ];
  assert.deepEqual([first.status, json(first.body)["state"], json(again.body)["key"]], [201, "journaled", json(first.body)["key"]]);
  assert.equal((await send(`${daemon.url}/actions`, "POST", { ...action, player: "nobody" })).status, 422);
  assert.equal((await send(`${daemon.url}/actions`, "POST", { ...action, kind: "x".repeat(20_000) })).status, 413, "options.bodyLimit");
  const long = await send(`${daemon.url}/actions`, "POST", { player: "p001" });
  assert.deepEqual([long.status, json(long.body)["code"]], [400, "FST_ERR_VALIDATION"]);
  const unknown = await send(`${daemon.url}/players/p9999/points?add=1`, "POST");
  assert.deepEqual([unknown.status, json(unknown.body)["code"]], [404, "DROVER_E_REFUSED"]);
  const scored = await Promise.all(Array.from({ length: 40 }, () => send(`${daemon.url}/players/p001/points?add=1`, "POST")));
  const scores = scored.map(({ status, body }) => (assert.equal(status, 200, body), Number(json(body)["score"])));
  assert.equal(Math.max(...scores), 130 + 40, "p001 began with 130");
  assert.equal((await daemon.status()).counters.timeouts, 0);
  assert.equal((await daemon.logged(/the game is ready/))["role"], "worker");
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  await daemon.logged(/this worker is about to leave/);
});

test("listener.ts: sessions of its own in places of drover's", async (t) => {
  const daemon = await serve(t, "listener.ts");
  assert.equal((await get(`${daemon.url}/`)).status, 401);
  const joined = await get(`${daemon.url}/join?name=ada`);
  assert.match(joined.body, /^ada is in, \d+ of \d+; 500 players\n$/, joined.body);
  const cookie = String(joined.headers["set-cookie"]).split(";")[0] ?? "";
  assert.equal((await get(daemon.url, { headers: { cookie } })).status, 200);
  assert.equal((await get(daemon.url, { headers: { cookie: `${cookie}x` } })).status, 401, "a seal that is not ours");
  const newer = await get(`${daemon.url}/join?name=ada`);
  assert.equal(newer.status, 200);
  const old = await get(daemon.url, { headers: { cookie } });
  assert.deepEqual([old.status, old.body], [401, "taken-over\n"]);
  await daemon.stop();
});

test("fetch.ts: a row with its tag, a change that must match, errors in the application's own form", async (t) => {
  const daemon = await serve(t, "fetch.ts");
  const url = `${daemon.url}/players/p002`;
  const found = await get(url);
  const etag = String(found.headers.etag);
  assert.deepEqual([found.status, json(found.body)["id"]], [200, "p002"]);
  assert.equal((await send(url, "PUT", { status: "out" }, { "if-match": etag })).status, 200);
  assert.equal(json((await get(url)).body)["status"], "out");
  const stale = await send(url, "PUT", { status: "in" }, { "if-match": etag });
  assert.deepEqual([stale.status, json(stale.body)["reason"]], [412, "conflict"]);
  assert.equal((await send(url, "DELETE")).status, 405);
  assert.equal((await get(`${daemon.url}/players/none`)).status, 404);
  await daemon.stop();
});

test("Google is away from the start: 503 with a time to come back, and the worker is ready all the same", async (t) => {
  const cwd = folder(t);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const key = { type: "service_account", client_email: "a@example.org", private_key: privateKey.export({ type: "pkcs8", format: "pem" }) };
  writeFileSync(join(cwd, "key.json"), JSON.stringify(key), { mode: 0o600 });
  const nowhere = "http://127.0.0.1:1/"; // tcpmux: nobody listens there
  const daemon = await start(t, {
    cwd,
    args: [join(EXAMPLES, "fetch.ts")],
    env: {
      ...DEMO,
      DROVER_DEMO: "off",
      DROVER_SPREADSHEET_ID: "1".repeat(30),
      GOOGLE_APPLICATION_CREDENTIALS: join(cwd, "key.json"),
      DROVER_SHEETS_ENDPOINT: nowhere,
      DROVER_OAUTH_ENDPOINT: nowhere,
    },
  });
  const read = await get(`${daemon.url}/players/p001`);
  assert.equal(read.status, 503, read.body);
  assert.ok(Number(read.headers["retry-after"]) >= 1);
  assert.match(String(json(read.body)["reason"]), /^(?:unavailable|away)$/);
  assert.doesNotMatch(read.body, /127\.0\.0\.1|example\.org/);
  await daemon.stop();
});

test("server.mjs, an Express server as it is: served, drained, its errors its own", async (t) => {
  const daemon = await serve(t, "server.mjs", { DROVER_DEMO: "off" });
  assert.equal((await get(daemon.url)).body, "Hello World!");
  assert.equal((await get(`${daemon.url}/fail`)).status, 500);
  await daemon.logged(/gets the daemon's sockets instead/);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("an application that can't be served: one sentence on the terminal, and the exit code of the table", async (t) => {
  const dir = folder(t);
  cpSync(join(ROOT, "test/worker/apps"), join(dir, "apps"), { recursive: true });
  const cases = [
    ["./nothing-here.mjs", /^drover: the application \S+nothing-here\.mjs does not exist/, 4],
    ["./apps", /^drover: the application \S+apps is no file: name the module itself/, 4],
    ["./apps/throws.mjs", /^drover: \S+throws\.mjs could not be loaded: TypeError: broken on purpose$/m, 4],
    ["./apps/exits.mjs", /^drover: \S+exits\.mjs ended its process with exit code 0 while it was loaded$/m, 3],
    ["./apps/tables.mjs", /^drover: this application asks for tables, but no spreadsheet is named/m, 78],
  ] as const;
  for (const [app, expected, code] of cases) {
    const daemon = await start(t, { cwd: dir, args: [app], env: { DROVER_WORKERS: "1", DROVER_DEMO: "off" }, noWait: true });
    assert.deepEqual(await daemon.exited, { code, signal: null }, app);
    assert.match(daemon.stderr, expected);
  }
});
