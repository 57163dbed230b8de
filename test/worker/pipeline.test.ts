/** A pipelined connection carries each answer whole and in order, whatever mix of requests it had and however they were cut. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fc } from "../support/fast-check.ts";
import { systemClock } from "../../src/base/clock.ts";
import { runtime } from "../../src/base/runtime.ts";
import { after, seconds, type Timestamp } from "../../src/base/units.ts";
import type { PreparedAnswer } from "../../src/worker/app.ts";
import { Client } from "./http.ts";
import { startRig, type Rig } from "./rig.ts";

const PREPARED = Buffer.from(JSON.stringify({ rows: Array.from({ length: 60 }, (_, id) => ({ id })) }));
const ROUTED = Buffer.from("a body that is a buffer ".repeat(20));

const prepared = (): PreparedAnswer => ({
  source: {
    version: 1,
    checkedAt: Date.now() as Timestamp,
    freshUntil: after(systemClock.now(), seconds(600)),
    staleUntil: after(systemClock.now(), seconds(900)),
    expired() {},
  },
  version: 1,
  head: ["Content-Type", "application/json"],
  etag: "v1",
  bodies: { identity: PREPARED },
});

interface Fastify {
  get(path: string, handler: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse }) => unknown): void;
  post(path: string, handler: (request: { body: string }) => unknown): void;
  addContentTypeParser(
    type: string,
    options: object,
    parse: (request: unknown, body: string, done: (e: null, b: string) => void) => void,
  ): void;
}

const builtIn = {
  default: async (fastify: Fastify): Promise<void> => {
    runtime().service("prepared").put("/prepared", prepared());
    fastify.addContentTypeParser("text/plain", { parseAs: "string" }, (_request, body, done) => done(null, body));
    fastify.get("/routed", () => ROUTED);
    fastify.get("/slow", async () => (await turn(), await turn(), ROUTED));
    fastify.get("/error", () => {
      throw new Error("on purpose");
    });
    fastify.post("/echo", ({ body }) => Buffer.from(`<${body}>`));
  },
};

interface Sent {
  readonly text: string;
  readonly head: boolean;
  readonly expects: boolean;
  readonly status: number;
  /** undefined: whatever it is. */
  readonly body: string | undefined;
}

const KINDS = ["prepared", "HEAD", "304", "routed", "slow", "error", "unknown", "length", "chunked"] as const;

function request(kind: (typeof KINDS)[number], expects: boolean): Sent {
  const expect = expects ? "Expect: 100-continue\r\n" : "";
  const line = (method: string, path: string, more = ""): string => `${method} ${path} HTTP/1.1\r\nHost: t\r\n${expect}${more}\r\n`;
  const plain = { head: false, expects, status: 200 };
  switch (kind) {
    case "prepared":
      return { ...plain, text: line("GET", "/prepared"), body: PREPARED.toString() };
    case "HEAD":
      return { ...plain, text: line("HEAD", "/prepared"), head: true, body: "" };
    case "304":
      return { ...plain, text: line("GET", "/prepared", 'If-None-Match: "v1"\r\n'), status: 304, body: "" };
    case "routed":
    case "slow":
      return { ...plain, text: line("GET", `/${kind}`), body: ROUTED.toString() };
    case "error":
      return { ...plain, text: line("GET", "/error"), status: 500, body: undefined };
    case "unknown":
      return { ...plain, text: line("GET", "/unknown"), status: 404, body: undefined };
    case "length":
      return { ...plain, text: `${line("POST", "/echo", "Content-Type: text/plain\r\nContent-Length: 5\r\n")}GET /`, body: "<GET />" };
    case "chunked":
      return {
        ...plain,
        text: `${line("POST", "/echo", "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n")}2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n`,
        body: "<abcde>",
      };
  }
}

interface Parsed {
  readonly interim: number;
  readonly status: number;
  readonly closes: boolean;
  readonly body: string;
}

/** Reads answers as RFC 9112 §6.3 has them, knowing nothing but the requests' methods. */
function parse(stream: string, requests: readonly Sent[]): Parsed[] {
  const found: Parsed[] = [];
  let at = 0;
  const head = (): { status: number; fields: Map<string, string> } => {
    const end = stream.indexOf("\r\n\r\n", at);
    assert.ok(end >= 0, `a head ends: ${JSON.stringify(stream.slice(at, at + 200))}`);
    const [first = "", ...lines] = stream.slice(at, end).split("\r\n");
    const [, status] = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(first) ?? assert.fail(`a status line: ${JSON.stringify(first)}`);
    at = end + 4;
    return {
      status: Number(status),
      fields: new Map(lines.map((l) => [l.slice(0, l.indexOf(":")).toLowerCase(), l.slice(l.indexOf(":") + 1).trim()])),
    };
  };
  const body = (length: number): string => {
    assert.ok(at + length <= stream.length, "a body is whole");
    at += length;
    return stream.slice(at - length, at);
  };
  const chunks = (): string => {
    let text = "";
    for (;;) {
      const end = stream.indexOf("\r\n", at);
      const size = Number.parseInt(stream.slice(at, end), 16);
      at = end + 2;
      text += body(size);
      assert.equal(body(2), "\r\n");
      if (size === 0) return text;
    }
  };
  for (const { head: headOnly } of requests) {
    if (at === stream.length) break;
    let interim = 0;
    let answer = head();
    for (; answer.status < 200; answer = head()) {
      assert.equal(answer.status, 100);
      interim += 1;
    }
    const { status, fields } = answer;
    const bodyless = headOnly || status === 204 || status === 304;
    const text = bodyless ? "" : fields.get("transfer-encoding") === "chunked" ? chunks() : body(Number(fields.get("content-length")));
    const closes = fields.get("connection") === "close";
    found.push({ interim, status, closes, body: text });
    if (closes) break;
  }
  assert.equal(stream.slice(at), "", "nothing stands behind the last answer");
  return found;
}

async function check(rig: Rig, requests: readonly Sent[], cuts: readonly number[]): Promise<void> {
  const client = new Client(rig.port);
  const all = [...requests.map(({ text }) => text), "GET /last HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"].join("");
  const last: Sent = { text: "", head: false, expects: false, status: 404, body: undefined };
  const places = [...new Set(cuts.map((cut) => cut % all.length))].sort((a, b) => a - b);
  for (const [nr, from] of [0, ...places].entries()) {
    client.write(all.slice(from, places[nr] ?? all.length));
    await turn();
  }
  await client.until(() => client.closed);
  const sent = [...requests, last];
  const answers = parse(client.received, sent);
  for (const [nr, { interim, status, body }] of answers.entries()) {
    const wanted = sent[nr] as Sent;
    assert.equal(status, wanted.status, wanted.text);
    if (wanted.body !== undefined) assert.equal(body, wanted.body, wanted.text);
    assert.ok(interim <= Number(wanted.expects), "only a client that expects it hears 100 Continue, once");
  }
  assert.ok(answers.length === sent.length || answers.at(-1)?.closes === true, `${answers.length} of ${sent.length} answers`);
}

async function serving(use: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = startRig({ builtIn });
  await rig.until("ready");
  try {
    await use(rig);
  } finally {
    rig.tell({ type: "drain", within: 1_000 as never });
    await rig.exited;
  }
}

test("100 Continue never lands inside an answer: pipelines of mixed requests in random pieces", { timeout: 60_000 }, async () => {
  await serving(async (rig) => {
    await check(rig, [request("slow", false), request("prepared", true), request("length", true)], []);
    const one = fc.tuple(fc.constantFrom(...KINDS), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(2_000), { maxLength: 5 }), (kinds, cuts) =>
        check(
          rig,
          kinds.map(([kind, expects]) => request(kind, expects)),
          cuts,
        ),
      ),
      { numRuns: 150 },
    );
  });
});

test("a client that waits for 100 Continue gets it before it sends its body, also behind another answer", async () => {
  await serving(async (rig) => {
    const client = new Client(rig.port);
    const [head, body] = [
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n",
      "ok",
    ];
    client.write(request("slow", false).text + head);
    assert.equal((await client.response()).body, ROUTED.toString());
    await client.until(() => client.received === "HTTP/1.1 100 Continue\r\n\r\n");
    client.write(body);
    await client.until(() => client.received.endsWith("<ok>"));
    await client.end();
  });
});

test("interim responses of an application stay in front of their own answer behind another one", async () => {
  const rig = startRig({ config: { app: fileURLToPath(new URL("apps/interim.mjs", import.meta.url)) } });
  await rig.until("ready");
  try {
    const client = new Client(rig.port);
    const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: t\r\n${more}\r\n`;
    client.write(`${get("/slow")}${get("/", "Expect: 100-continue\r\n")}${get("/hints")}${get("/", "Connection: close\r\n")}`);
    await client.until(() => client.closed);
    const first = client.received.replaceAll(/HTTP\/1\.1 1\d\d [^]*?\r\n\r\n/g, "");
    const bodies = first.split("HTTP/1.1 200 OK").map((answer) => answer.slice(answer.indexOf("\r\n\r\n") + 4));
    assert.deepEqual(bodies.slice(1, 3), ["slow", "done"]);
    assert.doesNotMatch(client.received, /\r\n\r\nHTTP\/1\.1 1\d\d [^]*?\r\n\r\ndone/, "no interim response stands between head and body");
  } finally {
    rig.tell({ type: "drain", within: 1_000 as never });
    await rig.exited;
  }
});
