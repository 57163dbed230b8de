/** What drover emit caddy writes, in the real Caddy: it is accepted as it is, and passes on what it should, to a listener and to the real daemon. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../support/needs.ts";
import { installed, textOf } from "../tools/emit/emitted.ts";
import { caddy, judged, type Caddy } from "./caddy.ts";
import { get, ROOT, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";
import { ask, type Answer } from "./nginx.ts";

const skip = needs("caddy", "caddy");

test("Caddy takes the emitted Caddyfile, and passes on the true address and events as they come", { skip, timeout: 60_000 }, async (t) => {
  const { status, said } = judged(t);
  assert.equal(status, 0, said);
  assert.doesNotMatch(said, /not formatted/);

  const held: http.ServerResponse[] = [];
  const server = http.createServer((req, res) => {
    if (req.url !== "/api/events") return void res.end(JSON.stringify(req.headers));
    res.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    held.push(res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const { url } = await caddy(t, `127.0.0.1:${(server.address() as AddressInfo).port}`, false);
  const claims = { "x-forwarded-for": "6.6.6.6", forwarded: "for=7.7.7.7", "x-forwarded-proto": "https" };
  const headers = JSON.parse((await get(`${url}/`, { headers: claims })).body) as http.IncomingHttpHeaders;
  assert.deepEqual(
    [headers["x-forwarded-for"], headers["x-forwarded-proto"], headers.forwarded, headers.host],
    ["127.0.0.1", "http", undefined, new URL(url).host],
  );
  const stream = await new Promise<http.IncomingMessage>((resolve) => http.get(`${url}/api/events`, { agent: false }, resolve));
  stream.on("error", () => {});
  const next = (): Promise<string> => new Promise((resolve) => stream.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  assert.equal(await next(), "data: 1\n\n");
  held[0]?.write("data: 2\n\n");
  assert.equal(await next(), "data: 2\n\n");
  stream.destroy();
});

test("caddy validate accepts every form: a unix socket, TLS behind it, files of its own", { skip, timeout: 60_000 }, (t) => {
  const tls = { tls_cert: "/etc/drover/tls.pem", tls_key: "/etc/drover/tls.key" };
  for (const flags of [{ bind: "unix:/run/drover.sock", drain_idle: "0" }, tls, { app: "/srv/app.js", body_limit: "7m" }]) {
    const text = textOf("caddy", { static: "/srv/site" }, { given: installed(flags) });
    const { status, said } = judged(t, text);
    assert.equal(status, 0, said);
    assert.doesNotMatch(said, /not formatted/);
  }
});

const unready = skip || needs("openssl", "openssl");

test("behind Caddy and TLS: a login, the address that is refused, and events", { skip: unready, timeout: 120_000 }, async (t) => {
  // Nothing says who the proxy is: on an address that only this machine can reach, it is believed.
  const daemon = await start(t, { args: ["--workers", "1", "--emulator-latency", "none"] });
  const front = await caddy(t, new URL(daemon.url).host, true);
  await logsIn(front);
  await eventsComeAtOnce(t, front);
  await onlyWhoFailsIsRefused(front);
});

/** A person of the sample, with her secret. */
function person(): { name: string; secret: string } {
  const line = /^p001,([^,]*),.*,([A-Z0-9-]+)\r?$/m.exec(readFileSync(join(ROOT, "config/sample/players.csv"), "utf8"));
  return { name: line?.[1] ?? "", secret: line?.[2] ?? "" };
}

function through({ url, ca }: Caddy, path: string, { json, ...options }: https.RequestOptions & { json?: unknown } = {}): Promise<Answer> {
  const headers = {
    ...(options.headers as http.OutgoingHttpHeaders),
    ...(json === undefined ? {} : { "content-type": "application/json" }),
  };
  const body = json === undefined ? {} : { method: "POST", body: JSON.stringify(json) };
  return ask(`${url}${path}`, { ca, ...options, ...body, headers });
}

async function logsIn(front: Caddy): Promise<void> {
  const { status, headers, body } = await through(front, "/api/login", { json: person() });
  assert.equal(status, 200, String(body));
  const [cookie = ""] = headers["set-cookie"] ?? [];
  assert.match(cookie, /^[^;]+;.*\bSecure\b/i);
  assert.match(cookie, /\bHttpOnly\b/i);
  const me = await through(front, "/api/me", { headers: { cookie: cookie.split(";")[0] } });
  assert.deepEqual([me.status, (JSON.parse(String(me.body)) as { name: string }).name], [200, person().name]);
  assert.match(String(headers["strict-transport-security"]), /^max-age=/);
}

async function eventsComeAtOnce(t: TestContext, { url, ca }: Caddy): Promise<void> {
  const stream = await new Promise<http.IncomingMessage>((resolve, reject) => {
    https.get(`${url}/api/events?tables=actions`, { ca, agent: false, family: 4 }, resolve).on("error", reject);
  });
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString())).on("error", () => {}); // cut off below
  await eventually("the stream has begun", () => text.includes("id: "));
  const id = `caddy-${process.pid}`;
  const began = performance.now();
  const written = await through({ url, ca }, "/api/tables/actions", { json: { id, kind: "scan", player: "p002" } });
  assert.equal(written.status, 201, String(written.body));
  await eventually("the event is there", () => text.includes(id));
  t.diagnostic(`an event came through Caddy ${Math.round(performance.now() - began)} ms after its write was sent`);
  stream.destroy();
}

/** Whatever they say of themselves, and whoever else comes through the same proxy. */
async function onlyWhoFailsIsRefused(front: Caddy): Promise<void> {
  const json = { ...person(), secret: "WRONG" };
  const tries = async (localAddress: string, nr: number): Promise<number> =>
    (
      await through(front, "/api/login", {
        json,
        localAddress,
        headers: { "x-forwarded-for": `6.6.6.${nr}`, forwarded: `for=7.7.7.${nr}` },
      })
    ).status;
  const statuses: number[] = [];
  for (let nr = 0; nr < 12; nr += 1) statuses.push(await tries("127.0.0.9", nr));
  assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429], statuses.join());
  assert.equal(await tries("127.0.0.10", 0), 401);
  assert.equal((await through(front, "/api/login", { json: person(), localAddress: "127.0.0.10" })).status, 200);
}
