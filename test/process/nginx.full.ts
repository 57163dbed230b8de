/**
 * What drover emit nginx writes, in the real nginx, before the real daemon: what comes through, what is kept, and that nobody notices when either side
 * is reloaded.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { needs } from "../support/needs.ts";
import { http } from "../../src/base/http.ts";
import { get, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { ask, kept, nginx, type Answer, type Front } from "./nginx.ts";

const skip = needs("nginx", "nginx-light") || needs("openssl", "openssl");
const SCRIPT = "// never changes\n".repeat(200);

type Ask = (path: string, options?: Parameters<typeof ask>[1]) => Promise<Answer>;

test("nginx before drover", { skip }, async (t) => {
  const cwd = folder(t);
  mkdirSync(join(cwd, "site"));
  writeFileSync(join(cwd, "site/app-3f9a8b7c.js"), SCRIPT);
  const daemon = await start(t, {
    cwd,
    env: { DROVER_TRUSTED_PROXIES: "127.0.0.1", DROVER_ACCESS_LOG: "on", DROVER_STATIC_DIR: join(cwd, "site") },
  });
  const front = await nginx(t, new URL(daemon.url).host);
  const through: Ask = (path, options = {}) => ask(`${front.url}${path}`, { ca: front.ca, ...options });

  await t.test("its configuration is right, and http:// leads to https://", async () => {
    assert.deepEqual([front.tested.status, /\[(?:warn|emerg|error)\]/.exec(front.tested.stderr)?.[0]], [0, undefined], front.tested.stderr);
    const plain = await get(`${front.plainUrl}/api/tables/players?limit=1`, { family: 4 });
    assert.deepEqual([plain.status, plain.headers.location], [308, "https://localhost/api/tables/players?limit=1"]);
  });

  await t.test("ETag and 304 come through the cache, each encoding with its own", () => etags(through));
  await t.test("the client's true address, whatever it says of itself", () => addresses(through, daemon));
  await t.test("files with a hash are kept; nginx compresses what drover does not", () => immutable(through));
  await t.test("what is one client's is never kept", () => unkept(through, front));
  await t.test("events come at once", () => events(through, front));
  await t.test("both sides are reloaded under load: nobody notices", () => reloads(t, front, daemon));
  assert.equal(front.errors(), "", "nginx had nothing to complain of");
});

async function etags(through: Ask): Promise<void> {
  const path = "/api/tables/players?limit=50";
  const states: (string | undefined)[] = [];
  const tags = new Map<string, string>();
  for (const encoding of ["", "gzip", "br"]) {
    const headers = { "accept-encoding": encoding === "" ? "identity" : `deflate, ${encoding}` };
    const found = await eventually(`an answer in ${encoding || "identity"}`, async () => {
      const answer = await through(path, { headers });
      return (answer.headers["content-encoding"] ?? "") === encoding && answer; // drover compresses in the background
    });
    const { etag = "" } = found.headers;
    const plain = encoding === "gzip" ? gunzipSync(found.body) : encoding === "br" ? brotliDecompressSync(found.body) : found.body;
    assert.equal((JSON.parse(String(plain)) as { rows: unknown[] }).rows.length, 50);
    tags.set(encoding, etag);
    const again = await through(path, { headers: { ...headers, "if-none-match": etag } });
    assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, etag]);
    states.push(String(again.headers["x-proxy-cache"]));
    assert.match(String(found.headers["cache-control"]), /^public, max-age=30, s-maxage=30, stale-while-revalidate=/);
    assert.match(String(found.headers["strict-transport-security"]), /^max-age=/);
  }
  assert.equal(new Set(tags.values()).size, 3, "three encodings, three strong tags");
  assert.ok([...tags.values()].every((tag) => tag.startsWith('"')));
  assert.ok(states.includes("HIT"), `${states.join()}: nginx answers 304 by itself`);
  const refused = await through(path, { headers: { "accept-encoding": "br;q=0, gzip;q=0" } });
  assert.equal(refused.headers["content-encoding"], undefined);
}

async function addresses(through: Ask, daemon: Daemon): Promise<void> {
  const said = { "x-forwarded-for": "6.6.6.6", "x-real-ip": "6.6.6.6", forwarded: "for=7.7.7.7;proto=http", cookie: "a=1" };
  await through("/api/tables/teams?limit=3", { localAddress: "127.0.0.9", headers: said });
  const line = await eventually("the request's line", () => daemon.log().find(({ path }) => String(path).startsWith("/api/tables/teams")));
  assert.equal(line["client"], "127.0.0.9", JSON.stringify(line));
}

async function immutable(through: Ask): Promise<void> {
  const path = "/static/app-3f9a8b7c.js";
  const states: (string | undefined)[] = [];
  for (const encoding of ["identity", "identity", "gzip"]) {
    const { headers, body } = await through(path, { headers: { "accept-encoding": encoding } });
    assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
    assert.equal(headers["content-encoding"], encoding === "gzip" ? "gzip" : undefined);
    assert.equal((encoding === "gzip" ? gunzipSync(body) : body).toString(), SCRIPT);
    const again = await through(path, { headers: { "accept-encoding": encoding, "if-none-match": headers.etag ?? "" } });
    assert.equal(again.status, 304);
    states.push(String(headers["x-proxy-cache"]));
  }
  assert.match(states[1] ?? "", /^(?:HIT|REVALIDATED)$/);
}

async function unkept(through: Ask, front: Front): Promise<void> {
  const mark = `unkept-${process.pid}`;
  const body = JSON.stringify({ id: mark, kind: "scan", player: "p001" });
  const written = await through("/api/tables/actions", { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal(written.status, 201, String(written.body));
  const { id } = (JSON.parse(String(written.body)) as { write: { id: string } }).write;
  for (const path of [`/api/writes/${id}`, `/api/writes/${id}`, "/api/tables/unknown", "/healthz", "/healthz"]) {
    const answer = await through(path);
    assert.match(String(answer.headers["cache-control"]), /no-store/);
    assert.notEqual(answer.headers["x-proxy-cache"], "HIT");
  }
  for (const headers of [{ cookie: "drover-session=1" }, { authorization: "Bearer 1" }] as const)
    for (const _ of [1, 2]) {
      const answer = await through("/api/tables/zones?limit=2", { headers });
      assert.equal(answer.headers["x-proxy-cache"], "BYPASS", "who has a session gets nothing that was kept, and leaves nothing");
    }
  const all = kept(front);
  assert.ok(all.includes("/api/tables/players?limit=50"), "the cache's files are read here");
  assert.ok(!all.includes(id) && !all.includes("/api/tables/zones?limit=2"));
}

async function events(through: Ask, front: Front): Promise<void> {
  const agent = new https.Agent();
  const stream = await new Promise<IncomingMessage>((resolve, reject) => {
    https.get(`${front.url}/api/events?tables=actions`, { ca: front.ca, agent, family: 4 }, resolve).on("error", reject);
  });
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  stream.on("error", () => {}); // cut off below
  await eventually("the stream has begun", () => text.includes("id: "));
  const key = `through-${process.pid}`;
  const body = JSON.stringify({ id: key, kind: "scan", player: "p002" });
  const began = performance.now();
  const written = await through("/api/tables/actions", { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal(written.status, 201, String(written.body));
  await eventually("the event is there", () => text.includes(key));
  const took = performance.now() - began;
  stream.destroy();
  assert.ok(took < 3_000, `${took} ms`);
  console.log(`an event came through nginx ${Math.round(took)} ms after its write was sent`);
}

/** Clients as browsers are: a kept connection that was closed in their face is no failure if the same works on a new one. */
async function reloads(t: TestContext, front: Front, daemon: Daemon): Promise<void> {
  const state = { on: true, served: 0, retried: 0, slowest: 0 };
  const failed: string[] = [];
  const one = async (nr: number): Promise<void> => {
    const agent = nr % 2 === 0 ? new https.Agent({ keepAlive: true, maxSockets: 1 }) : false;
    for (let i = 0; state.on; i += 1) {
      const began = performance.now();
      const url = `${front.url}/api/tables/players?limit=${1 + ((nr * 31 + i) % 400)}`; // mostly past the micro-cache
      const answer = await ask(url, { ca: front.ca, agent }).catch((error: Error & { reused?: boolean }) => {
        if (error.reused !== true) return error;
        state.retried += 1;
        return ask(url, { ca: front.ca }).catch((second: Error) => second);
      });
      if (answer instanceof Error) failed.push(answer.message);
      else if (answer.status === 200) state.served += 1;
      else failed.push(String(answer.status));
      state.slowest = Math.max(state.slowest, performance.now() - began);
    }
    if (agent !== false) agent.destroy();
  };
  const running = Array.from({ length: 12 }, (_, nr) => one(nr));
  t.after(() => (state.on = false));
  await eventually("there is load", () => state.served > 50);
  daemon.signal("SIGHUP");
  await eventually("drover has rolled", async () => {
    const { lastRoll } = await daemon.status();
    assert.notEqual(lastRoll?.is, "rolledBack");
    return lastRoll?.is === "done";
  });
  await front.reload();
  const so = state.served;
  await eventually("and it goes on", () => state.served > so + 50);
  state.on = false;
  await Promise.all(running);
  console.log(
    `reload of drover and of nginx under 12 clients: ${state.served} served, ${failed.length} failed, ` +
      `${state.retried} sent again on a new connection, slowest ${Math.round(state.slowest)} ms`,
  );
  assert.deepEqual(failed, []);
}

test("what nginx may keep, and what goes through untouched", { skip }, async (t) => {
  const asked: IncomingMessage[] = [];
  const answers: Readonly<Record<string, OutgoingHttpHeaders>> = {
    "/public": { "cache-control": "public, max-age=30, s-maxage=30" },
    "/private": { "cache-control": "private, max-age=30" },
    "/no-store": { "cache-control": "no-store" },
    "/no-cache": { "cache-control": "public, no-cache" },
    "/silent": {},
    "/cookie": { "cache-control": "public, max-age=30", "set-cookie": "s=1" },
    "/varies": { "cache-control": "public, max-age=30", vary: "Accept-Encoding, Cookie" },
    "/publicity": { "cache-control": "max-age=30, x=publicity" },
    "/static/private": { "cache-control": "private, max-age=30" },
    "/static/public": { "cache-control": "public, max-age=30" },
  };
  const sockets = new Set<Socket>();
  const server = http
    .createServer((req, res) => {
      asked.push(req);
      res.writeHead(200, { "content-type": "text/plain", ...answers[req.url ?? ""] }).end(String(asked.length));
    })
    .on("upgrade", (req: IncomingMessage, socket: Socket) => {
      asked.push(req);
      sockets.add(socket);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.pipe(socket);
    })
    .listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => {
    sockets.forEach((socket) => socket.destroy());
    server.closeAllConnections();
    server.close();
  });
  const front = await nginx(t, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  const through: Ask = (path, options = {}) => ask(`${front.url}${path}`, { ca: front.ca, ...options });
  for (const path of Object.keys(answers)) {
    const [first, second] = [await through(path), await through(path)];
    assert.equal(
      String(first.body) === String(second.body),
      ["/public", "/static/public"].includes(path),
      `${path} is kept by nobody else`,
    );
  }
  assert.notEqual(String((await through("/public", { headers: { cookie: "s=1" } })).body), "1");
  const { headers } = asked[0] as IncomingMessage;
  assert.deepEqual(
    [headers["x-forwarded-proto"], headers["x-forwarded-for"], headers.connection, headers.host],
    ["https", "127.0.0.1", undefined, new URL(front.url).host],
  );
  const socket = await new Promise<Socket>((resolve, reject) => {
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    };
    https
      .get(`${front.url}/live`, { ca: front.ca, agent: false, family: 4, headers: upgrade })
      .on("upgrade", (_, upgraded: Socket) => resolve(upgraded))
      .on("response", (res) => reject(new Error(`no upgrade: ${res.statusCode}`)))
      .on("error", reject);
  });
  const echo = new Promise((resolve) => socket.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  socket.write("through");
  assert.equal(await echo, "through");
  socket.destroy();
  assert.equal(asked.at(-1)?.headers.upgrade, "websocket");
});
