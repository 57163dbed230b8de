/** What holds for every answer of the service, whoever makes it: the application, the prepared answers, or the worker itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as application from "../../src/app/index.ts";
import { ms, seconds } from "../../src/base/units.ts";
import { createTables } from "../../src/sheets/client.ts";
import { Client, type Raw } from "../worker/http.ts";
import { startRig, type Rig } from "../worker/rig.ts";
import { loginServices, sampleSheet, type Sheet } from "./world.ts";

async function serving<T>(work: (rig: Rig, sheet: Sheet) => Promise<T>): Promise<T> {
  const sheet = sampleSheet();
  sheet.grant("players", { append: "public", update: "public" });
  const rig = startRig({
    builtIn: application as unknown as Readonly<Record<string, unknown>>,
    services: {
      tables: createTables(sheet),
      site: { staticDir: undefined },
      live: { reconnect: seconds(5), mostStreams: 20 },
      ...loginServices(),
    },
    config: { headersTimeout: ms(300), trustedProxies: [{ address: "127.0.0.1", prefix: 32, family: "ipv4" }], accessLog: 1 },
  });
  await rig.until("ready");
  try {
    return await work(rig, sheet);
  } finally {
    rig.tell({ type: "drain", within: ms(500) });
    await rig.exited;
  }
}

const EVIL = ["Origin: https://evil.test", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"];
const PREFLIGHT = [...EVIL, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"];

const ASKED: readonly (readonly [status: number, method: string, target: string, headers?: readonly string[]])[] = [
  [200, "GET", "/"],
  [200, "GET", "/static/board.css"],
  [404, "GET", "/static/..%2f..%2fpackage.json"],
  [200, "GET", "/api/tables/players?limit=2"],
  [200, "GET", "/api/tables/players?limit=2"],
  [304, "GET", "/api/tables/players?limit=2", ["If-None-Match: *"]],
  [200, "HEAD", "/api/tables/players?limit=2"],
  [200, "GET", "/api/tables/players/p1"],
  [200, "GET", "/api/tables/players/export?format=csv"],
  [200, "HEAD", "/api/tables/players/export?format=xlsx"],
  [200, "HEAD", "/api/events"],
  [200, "GET", "/api/openapi.json"],
  [200, "GET", "/healthz"],
  [201, "POST", "/api/tables/players", ["Content-Type: application/json", "Content-Length: 2", "", "{}"]],
  [415, "POST", "/api/tables/players", ["Content-Type: text/plain", "Content-Length: 2", "", "{}"]],
  [415, "POST", "/api/tables/players", ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 3", "", "a=b"]],
  [400, "GET", "/api/tables/players?x=<script>"],
  [401, "GET", "/api/tables/members"],
  [404, "GET", "/api/tables/secrets"],
  [404, "GET", "/%3Cscript%3E"],
  [405, "PUT", "/api/tables/players"],
  [204, "OPTIONS", "/api/tables/players"],
  [400, "GET", "*"],
  [400, "GET", "/static/%zz"],
];

/** Requests that the worker answers without the application. */
const NONSENSE: readonly (readonly [status: number, text: string])[] = [
  [400, "NONSENSE\r\n\r\n"],
  [400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  [431, `GET / HTTP/1.1\r\nHost: a\r\nx: ${"x".repeat(20_000)}\r\n\r\n`],
  [505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"],
  [408, "GET / HTTP/1.1\r\nHost: a\r\nx: "],
];

function check({ headers, status, body }: Raw, what: string): void {
  assert.equal(headers["x-content-type-options"], "nosniff", what);
  assert.equal(headers["referrer-policy"], "same-origin", what);
  const policy = headers["content-security-policy"] ?? "";
  assert.match(policy, /default-src 'none'/, what);
  assert.match(policy, /frame-ancestors 'none'/, what);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/, what);
  const names = Object.keys(headers);
  assert.deepEqual(
    names.filter((name) => name.startsWith("access-control")),
    [],
    `${what}: no CORS`,
  );
  for (const name of ["server", "x-powered-by", "set-cookie"]) assert.ok(!names.includes(name), `${what}: no ${name}`);
  if (status >= 400) {
    assert.match(headers["content-type"] ?? "", /^application\/problem\+json/, what);
    assert.equal(headers["cache-control"], "no-store", what);
    assert.doesNotMatch(body, /\/src\/|node:|\bat .*:\d+:\d+/, `${what}: nothing of the inside`);
  }
}

test("every answer: nosniff, a policy, no CORS whatever the origin, errors that are JSON and tell nothing", () =>
  serving(async (rig) => {
    for (const extra of [[], EVIL, PREFLIGHT])
      for (const [status, method, target, headers = []] of ASKED) {
        const client = new Client(rig.port);
        const answer = await client
          .write([`${method} ${target} HTTP/1.1`, "Host: t", ...extra, ...headers, ...(headers.includes("") ? [] : ["", ""])].join("\r\n"))
          .response(method === "HEAD");
        const what = `${method} ${target} ${extra.length}`;
        const changes = !["GET", "HEAD", "OPTIONS"].includes(method);
        assert.equal(answer.status, changes && extra.length > 0 ? 403 : status, `${what}: ${answer.body}`);
        check(answer, what);
        await client.end();
      }
    for (const [status, text] of NONSENSE) {
      const client = new Client(rig.port).write(text);
      const answer = await client.response();
      assert.equal(answer.status, status);
      check(answer, text.slice(0, 40));
      await client.end();
    }
  }));

test("headers with an underscore are not those with a hyphen: nobody is believed, authenticated or let in by them", () =>
  serving(async (rig, sheet) => {
    const from = async (headers: readonly string[]): Promise<string> => {
      rig.access.length = 0;
      const client = new Client(rig.port);
      await client.get(`/healthz`, headers);
      await client.end();
      for (;;) {
        const [lines] = rig.access;
        if (lines !== undefined) return String((JSON.parse(lines.split("\n")[0] ?? "") as { client: unknown }).client);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    assert.equal(await from(["X-Forwarded-For: 192.0.2.1"]), "192.0.2.1", "the proxy is believed");
    for (const name of ["X_Forwarded_For", "X_FORWARDED-FOR", "X-Forwarded_For", "HTTP_X_FORWARDED_FOR"])
      assert.equal(await from([`${name}: 192.0.2.1`]), "127.0.0.1", name);
    const client = new Client(rig.port);
    const tag = (await client.get("/api/tables/players/p1")).headers["etag"];
    assert.equal((await client.get("/api/tables/players/p1", [`If_None_Match: ${tag}`])).status, 200);
    assert.notEqual((await client.get("/healthz", ["X_Request_Id: forged"])).headers["x-request-id"], "forged");
    const length = await client
      .write("POST /api/tables/players HTTP/1.1\r\nHost: t\r\nContent_Length: 2\r\nContent-Type: application/json\r\n\r\n")
      .response();
    assert.equal(length.status, 400, "no body came: what follows is another request");
    const once = ["Content-Type: application/json", "Idempotency_Key: k", "Content-Length: 2", "", "{}"];
    const write = `POST /api/tables/players HTTP/1.1\r\nHost: t\r\n${once.join("\r\n")}`;
    for (const _ of [1, 2]) assert.equal((await client.write(write).response()).status, 201);
    assert.deepEqual(
      sheet.asked.slice(-2).map(({ request }) => request.once),
      [undefined, undefined],
    );
    await client.end();
  }));
