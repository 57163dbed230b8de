/** What node:http lets through and the built-in service does not: see RFC 9112 §2.3, §3.2, §6.1. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isHost } from "../../src/base/target.ts";
import { Client } from "./http.ts";
import { startRig } from "./rig.ts";

const builtIn = {
  default: async (fastify: { get(path: string, handler: () => string): void; options(path: string, handler: () => string): void }) => {
    fastify.get("/", () => "let in");
    fastify.get("*", () => "let in");
    fastify.options("*", () => "let in");
  },
};

const REFUSED: readonly (readonly [what: string, request: string, status: number])[] = [
  ["an empty host, the first of all", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400],
  ["two equal hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400],
  ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", 400],
  ["two hosts, the first of them in the target", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["a host with a user", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", 400],
  ["a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
  ["a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400],
  ["two hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["chunks in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["an asterisk that is not asked for options", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["HTTP/2.0 in HTTP/1's form", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
  ["101 headers", `GET / HTTP/1.1\r\nHost: a\r\n${"x:\r\n".repeat(100)}\r\n`, 431],
  ["another host behind 200 headers", `GET / HTTP/1.1\r\nHost: a\r\n${"x:\r\n".repeat(200)}Host: b\r\n\r\n`, 431],
  ["a coding without an end", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400],
  ["a user in the target", "GET http://me@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["no host in the target", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["HTTP/0.9", "GET /\r\n\r\n", 505],
];
const LET_IN = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET / HTTP/1.1\r\nhOsT: [::1]:8080\r\nhots: b\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  "GET http://a/ HTTP/1.1\r\nHost: xn--bcher-kva.example:\r\n\r\n",
  `GET / HTTP/1.1\r\nHost: a\r\n${"x:\r\n".repeat(99)}\r\n`,
  "OPTIONS * HTTP/1.1\r\nHost: a_b\r\n\r\n",
];

test("what HTTP forbids is refused before the application, and ends its connection", async () => {
  const rig = startRig({ builtIn });
  try {
    await rig.until("ready");
    for (const [what, request, status] of REFUSED) {
      const client = new Client(rig.port).write(request).write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const answer = await client.response();
      await client.until(() => client.closed);
      assert.equal(answer.status, status, what);
      assert.match(answer.head, /^connection: close\r$/im, what);
      assert.match(answer.head, /^x-request-id: /im, what);
      assert.equal(client.received, "", `${what}: nothing behind it is answered`);
      assert.doesNotMatch(answer.body, /let in/);
    }
    for (const request of LET_IN) {
      const client = new Client(rig.port).write(request);
      assert.equal((await client.response()).body, "let in", request);
      await client.end();
    }
  } finally {
    rig.tell({ type: "drain", within: 500 as never });
    await rig.exited;
  }
});

const SEEN = fileURLToPath(new URL("apps/seen.mjs", import.meta.url));

test("an application of its own sees what Node.js accepts, and in strict mode only what HTTP allows", async () => {
  for (const strict of [false, true]) {
    const rig = startRig({ config: { app: SEEN, strict } });
    try {
      await rig.until("ready");
      for (const [what, request, status] of REFUSED.filter(([, text]) => !text.includes("x:\r\n"))) {
        const client = new Client(rig.port).write(request);
        assert.equal((await client.response()).status, strict ? status : 200, `${what}, strict: ${strict}`);
        await client.end();
      }
      const absolute = new Client(rig.port).write("GET http://b:1/x?y HTTP/1.1\r\nHost: a\r\n\r\n");
      assert.deepEqual(
        JSON.parse((await absolute.response()).body),
        strict ? { method: "GET", url: "/x?y", host: "b:1" } : { method: "GET", url: "http://b:1/x?y", host: "a" },
      );
      await absolute.end();
      const plain = new Client(rig.port);
      assert.equal((await plain.get("/")).status, 200);
      assert.equal((await plain.write("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").response()).status, 200);
      await plain.end();
    } finally {
      rig.tell({ type: "drain", within: 500 as never });
      await rig.exited;
    }
  }
});

test("absolute-form is served as origin-form with the target's host", async () => {
  const rig = startRig({
    builtIn: {
      default: async (fastify: Raw) =>
        fastify.get("*", ({ raw: { url, headers, rawHeaders } }) => ({ url, host: headers.host, raw: rawHeaders })),
    },
  });
  try {
    await rig.until("ready");
    for (const [target, url] of [
      ["http://b/x?y=1", "/x?y=1"],
      ["HTTPS://b", "/"],
      ["http://b?q", "/?q"],
    ] as const) {
      const client = new Client(rig.port).write(`GET ${target} HTTP/1.1\r\nhost: a\r\n\r\n`);
      assert.deepEqual(JSON.parse((await client.response()).body), { url, host: "b", raw: ["host", "b"] });
      await client.end();
    }
  } finally {
    rig.tell({ type: "drain", within: 500 as never });
    await rig.exited;
  }
});

interface Raw {
  get(path: string, handler: (request: { raw: IncomingMessage }) => object): void;
}

test("hosts", () => {
  for (const host of ["a", "A.b-c.d", "127.0.0.1:80", "[::1]", "[fe80::1]:8", "a_b", "a%20b", "a:"]) assert.ok(isHost(host), host);
  for (const host of ["", " ", "a b", "a,b", "a@b", "a/b", "a?b", "a#b", "[::1", "::1", "a:b", "a:1:2", "é", "a\\b"])
    assert.ok(!isHost(host), host);
});

/** An application that says which headers it sees, in each of the ways Node.js shows them. */
const showing = {
  default: async (fastify: { get(path: string, handler: (request: { raw: IncomingMessage }) => object): void }) => {
    fastify.get("/", ({ raw }) => ({
      raw: raw.rawHeaders.filter((_, at) => at % 2 === 0),
      plain: Object.keys(raw.headers),
      distinct: Object.keys(raw.headersDistinct),
    }));
  },
};
const UNDERSCORED = ["X_Forwarded_For", "CONTENT_LENGTH", "_", "a_", "__proto__", "X-Real_IP"];

test("headers with an underscore: left out wherever an application looks, or refused by setting", async () => {
  for (const underscores of ["drop", "refuse"] as const) {
    const rig = startRig({ builtIn: showing, config: { underscores } });
    try {
      await rig.until("ready");
      const plain = new Client(rig.port);
      assert.equal((await plain.get("/")).status, 200, "there are none");
      await plain.end();
      for (const name of UNDERSCORED) {
        const client = new Client(rig.port).write(`GET / HTTP/1.1\r\n${name}: 7\r\nHost: a\r\nX-Fine: 1\r\n${name}: 8\r\n\r\n`);
        const { status, body, head } = await client.response();
        if (underscores === "drop")
          assert.deepEqual(JSON.parse(body), { raw: ["Host", "X-Fine"], plain: ["host", "x-fine"], distinct: ["host", "x-fine"] });
        else assert.deepEqual([status, /^connection: close\r$/im.test(head)], [400, true], name);
        await client.end();
      }
    } finally {
      rig.tell({ type: "drain", within: 500 as never });
      await rig.exited;
    }
  }
});

test("many requests pipelined on one connection may each watch for its end without a warning", async () => {
  const warned: string[] = [];
  const onWarning = (warning: Error): void => void warned.push(warning.message);
  process.on("warning", onWarning);
  const watching = {
    default: async (fastify: { get(path: string, handler: (request: { raw: { signal: AbortSignal } }) => Promise<string>): void }) => {
      fastify.get("/", async ({ raw }) => (await new Promise(setImmediate), raw.signal.aborted ? "gone" : "here"));
    },
  };
  const rig = startRig({ builtIn: watching });
  try {
    await rig.until("ready");
    const client = new Client(rig.port).write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(40));
    for (let nr = 0; nr < 40; nr += 1) assert.equal((await client.response()).body, "here");
    await new Promise(setImmediate);
    assert.deepEqual(warned, []);
    await client.end();
  } finally {
    process.off("warning", onWarning);
    rig.tell({ type: "drain", within: 500 as never });
    await rig.exited;
  }
});
