/** What drover emit nginx writes does by itself, in front of a server of the test. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import http, { type OutgoingHttpHeaders } from "node:http";
import { join } from "node:path";
import test from "node:test";
import { gunzipSync } from "node:zlib";
import { needs } from "../support/needs.ts";
import { folder } from "../support/cleanup.ts";
import { ask, nginx, type Answer } from "./nginx.ts";

const skip = needs("nginx", "nginx-light") || needs("openssl", "openssl");
const SCRIPT = "// never changes\n".repeat(200);

type Ask = (path: string, options?: Parameters<typeof ask>[1]) => Promise<Answer>;

test("nginx by itself", { skip }, async (t) => {
  const dir = folder(t);
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, "site"));
  writeFileSync(join(dir, "site/logo.svg"), "<svg/>");
  const socket = join(dir, "http.sock");
  const asked: string[] = [];
  const server = http.createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    if (req.url !== "/app.js") return void res.writeHead(req.url === "/drover" ? 429 : 200).end("drover");
    res.writeHead(200, { "content-type": "text/javascript", "cache-control": "public, max-age=30" }).end(SCRIPT);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  chmodSync(socket, 0o777);
  t.after(() => (server.closeAllConnections(), server.close()));
  const front = await nginx(t, `unix:${socket}`, { flags: { rate_limit: "3/h" }, options: { static: join(dir, "site") } });
  assert.deepEqual([front.tested.status, /\[(?:warn|emerg|error)\]/.exec(front.tested.stderr)?.[0]], [0, undefined], front.tested.stderr);
  const through: Ask = (path, options = {}) => ask(`${front.url}${path}`, { ca: front.ca, ...options });

  await t.test("0.14: nginx serves /static itself, for a day", async () => {
    const file = await through("/static/logo.svg");
    assert.deepEqual([file.status, String(file.body), asked], [200, "<svg/>", []], "nginx sends the file, drover learns nothing of it");
    assert.equal(file.headers["cache-control"], "max-age=86400, public, immutable");
    assert.match(String(file.headers["strict-transport-security"]), /^max-age=/);
  });

  await t.test("0.16: anonymous writes of one address are limited as drover does; a session or a login is not", async () => {
    const post = (path: string, headers: OutgoingHttpHeaders = {}) => through(path, { method: "POST", headers, body: "{}" });
    const writes = [];
    for (let nr = 0; nr < 6; nr += 1) writes.push(await post("/api/tables/actions"));
    assert.deepEqual(
      writes.map(({ status }) => status),
      [200, 200, 200, 200, 429, 429],
      "the burst is drover's, and one more",
    );
    const { headers, body } = writes[5] as Answer;
    assert.deepEqual([headers["retry-after"], headers["content-type"]], ["60", "application/problem+json"]);
    assert.equal((JSON.parse(String(body)) as { status: number }).status, 429);
    assert.equal((await through("/api/tables/actions")).status, 200, "reads pass");
    for (const more of [{ cookie: "s=1" }, { authorization: "Bearer 1" }])
      assert.equal((await post("/api/tables/actions", more)).status, 200);
    assert.equal((await post("/api/login")).status, 200, "a login counts by its secret, in drover");
    const own = await post("/drover", { cookie: "s=1" });
    assert.deepEqual([own.status, String(own.body)], [429, "drover"], "drover's own refusal passes through");
  });

  await t.test("1.8: what is public is compressed and cached", async () => {
    const headers = { "accept-encoding": "gzip" };
    const [first, second] = [await through("/app.js", { headers }), await through("/app.js", { headers })];
    assert.equal(first.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(second.body).toString(), SCRIPT);
    assert.deepEqual([first.headers["x-proxy-cache"], asked.filter((line) => line === "GET /app.js").length], ["MISS", 1]);
  });
});

test("0.14: nginx accepts the other forms: drover with TLS, an application, a longer cache, no limit", { skip }, async (t) => {
  const authorities = existsSync("/etc/ssl/certs/ca-certificates.crt"); // Debian's ca-certificates
  const tls = authorities ? { tls_cert: "/etc/drover/tls.pem", tls_key: "/etc/drover/tls.key" } : {};
  const flags = { ...tls, rate_limit: "off", app: "/srv/app.js", body_limit: "7m", drain_idle: "0" };
  const { tested } = await nginx(t, "127.0.0.1:1", { flags, options: { cache: "10s" } });
  assert.deepEqual([tested.status, /\[(?:warn|emerg|error)\]/.exec(tested.stderr)?.[0]], [0, undefined], tested.stderr);
});
