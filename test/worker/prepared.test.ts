import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { systemClock } from "../../src/base/clock.ts";
import { runtime } from "../../src/base/runtime.ts";
import { after, bytes, ms, seconds, type Timestamp } from "../../src/base/units.ts";
import type { PreparedAnswer, PreparedSource } from "../../src/worker/app.ts";
import { PreparedStore } from "../../src/worker/prepared.ts";
import { Tally } from "../../src/worker/tally.ts";
import { chooseWrite, writeByNode } from "../../src/worker/writing.ts";
import { Client, type Raw } from "./http.ts";
import { startRig, type Rig, type RigOptions } from "./rig.ts";

const BODY = Buffer.from(JSON.stringify({ rows: Array.from({ length: 200 }, (_, id) => ({ id, name: `player ${id}` })) }));

interface Source extends PreparedSource {
  reason?: string;
  asked: number;
}

function source(): Source {
  const now = systemClock.now();
  return {
    version: 1,
    checkedAt: (Date.now() - 3_000) as Timestamp,
    freshUntil: after(now, seconds(60)),
    staleUntil: after(now, seconds(90)),
    asked: 0,
    expired() {
      this.asked += 1;
    },
  };
}

const answerFrom = (from: PreparedSource, over: Partial<PreparedAnswer> = {}): PreparedAnswer => ({
  source: from,
  version: from.version,
  head: ["Content-Type", "application/json", "Cache-Control", "no-cache"],
  etag: "v1",
  bodies: { identity: BODY },
  ...over,
});

type Handler = (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): void }) => unknown;

async function serving(from: Source, use: (client: Client, rig: Rig) => Promise<void>, config: RigOptions["config"] = {}): Promise<void> {
  const handler: Handler = (request, reply) => {
    const answer = answerFrom(from);
    runtime()
      .service("prepared")
      .put(request.raw.url ?? "", answer);
    reply.hijack();
    runtime().service("prepared").send(request.raw, reply.raw, answer, "MISS");
  };
  const builtIn = { default: async (fastify: { get: (path: string, handler: Handler) => void }) => fastify.get("/t", handler) };
  const rig = startRig({ builtIn, config });
  await rig.until("ready");
  const client = new Client(rig.port);
  try {
    await use(client, rig);
  } finally {
    await client.end();
    rig.tell({ type: "drain", within: 1_000 as never });
    await rig.exited;
  }
}

test("the first answer is a MISS, the next ones are HITs with the same bytes, Age and tag", async () => {
  await serving(
    source(),
    async (client, rig) => {
      const miss = await client.get("/t");
      const hit = await client.get("/t");
      assert.deepEqual([miss.headers["x-cache"], hit.headers["x-cache"]], ["MISS", "HIT"]);
      assert.equal(hit.body, miss.body);
      for (const { headers } of [miss, hit]) {
        assert.equal(headers["etag"], '"v1"');
        assert.match(headers["age"] ?? "", /^[3-5]$/, "a second more where the machine is busy");
        assert.equal(headers["vary"], "Accept-Encoding");
        assert.equal(headers["content-length"], String(BODY.length));
        assert.equal(headers["x-drover-demo"], "1");
        assert.equal(headers["connection"], "keep-alive");
        assert.match(headers["x-request-id"] ?? "", /^[0-9a-f]{12}-\d+$/);
      }
      assert.notEqual(hit.headers["x-request-id"], miss.headers["x-request-id"]);
      assert.ok(Math.abs(Date.parse(hit.headers["date"] ?? "") - Date.now()) < 3_000);
      const { counters } = await rig.next("beat");
      assert.deepEqual([counters.hits, counters.misses, counters.served, counters.status2xx], [1, 1, 2, 2]);
    },
    { demo: true },
  );
});

test("an id that came with the request is kept if it is harmless, else replaced", async () => {
  await serving(source(), async (client) => {
    await client.get("/t");
    assert.equal((await client.get("/t", ["X-Request-Id: abc.DEF_1-2"])).headers["x-request-id"], "abc.DEF_1-2");
    for (const bad of ["a b", "x".repeat(65), 'a"b', "é"])
      assert.match((await client.get("/t", [`X-Request-Id: ${bad}`])).headers["x-request-id"] ?? "", /^[0-9a-f]{12}-\d+$/);
  });
});

test("conditional requests: 304 with the tag, without what describes a body; HEAD; other methods go to the application", async () => {
  await serving(source(), async (client) => {
    await client.get("/t");
    for (const condition of ['"v1"', 'W/"x", W/"v1"', "*"]) {
      const not = await client.get("/t", [`If-None-Match: ${condition}`]);
      assert.deepEqual([not.status, not.body, not.headers["etag"], not.headers["x-cache"]], [304, "", '"v1"', "HIT"]);
      assert.equal(not.headers["cache-control"], "no-cache");
      assert.equal(not.headers["content-type"] ?? not.headers["content-length"], undefined);
    }
    assert.equal((await client.get("/t", ['If-None-Match: "v0"'])).status, 200);
    const head = await client.get("/t", [], "HEAD");
    assert.deepEqual([head.status, head.headers["content-length"], head.headers["x-cache"]], [200, String(BODY.length), "HIT"]);
    assert.equal((await client.get("/t", [], "DELETE")).status, 404);
  });
});

test("encodings are prepared in the background; until then identity goes out; each has its own tag", async () => {
  await serving(source(), async (client) => {
    await client.get("/t");
    for (const [accept, encoding, suffix, decode] of [
      ["gzip", "gzip", "-gz", gunzipSync],
      ["gzip, br", "br", "-br", brotliDecompressSync],
    ] as const) {
      const first = await client.get("/t", [`Accept-Encoding: ${accept}`]);
      assert.ok(first.headers["content-encoding"] !== encoding);
      let answer = first;
      while (answer.headers["content-encoding"] !== encoding) answer = await client.get("/t", [`Accept-Encoding: ${accept}`]);
      assert.equal(answer.headers["etag"], `"v1${suffix}"`);
      assert.deepEqual(decode(Buffer.from(answer.body, "latin1")), BODY);
      assert.equal((await client.get("/t", [`Accept-Encoding: ${accept}`, `If-None-Match: "v1${suffix}"`])).status, 304);
    }
    assert.equal((await client.get("/t")).headers["content-encoding"], undefined);
  });
});

test("after its time an answer is STALE and asks for a refresh; then it is not used; another version kills it", async () => {
  const from = source();
  await serving(from, async (client) => {
    await client.get("/t");
    from.freshUntil = systemClock.now();
    assert.equal((await client.get("/t")).headers["x-cache"], "STALE");
    assert.equal((await client.get("/t")).headers["x-cache-reason"], undefined);
    from.reason = "timeout";
    for (const condition of [[], ['If-None-Match: "v1"']]) {
      const { headers } = await client.get("/t", condition);
      assert.deepEqual([headers["x-cache"], headers["x-cache-reason"]], ["STALE", "timeout"]);
    }
    assert.equal(from.asked, 4);
    from.freshUntil = after(systemClock.now(), seconds(9)); // the refresh brought the same rows
    const { headers } = await client.get("/t");
    assert.deepEqual([headers["x-cache"], headers["x-cache-reason"]], ["HIT", undefined], "fresh rows need no reason");
    from.version = 2;
    assert.equal((await client.get("/t")).headers["x-cache"], "MISS");
    assert.equal((await client.get("/t")).headers["x-cache"], "HIT");
    from.staleUntil = systemClock.now();
    assert.equal((await client.get("/t")).headers["x-cache"], "MISS");
  });
});

test("kept and closed connections, HEAD, 304 and ids of clients in turn: every answer has its own head", async () => {
  await serving(source(), async (kept, rig) => {
    await kept.get("/t");
    const closed = async (headers: readonly string[]): Promise<Raw> => {
      const client = new Client(rig.port);
      const answer = await client.get("/t", ["Connection: close", ...headers]);
      await client.until(() => client.closed);
      return answer;
    };
    const ids = new Set<string | undefined>();
    for (let round = 0; round < 4; round += 1) {
      const own = [`X-Request-Id: mine-${round}`];
      const not = ['If-None-Match: "v1"'];
      const [get, head, unchanged] = [await kept.get("/t"), await kept.get("/t", [], "HEAD"), await kept.get("/t", not)];
      const [last, lastUnchanged, named] = [await closed([]), await closed(not), await kept.get("/t", own)];
      assert.deepEqual(
        [get, head, unchanged, last, lastUnchanged, named].map(({ status, body }) => [status, body.length]),
        [200, 200, 304, 200, 304, 200].map((status, nr) => [status, status === 304 || nr === 1 ? 0 : BODY.length]),
      );
      for (const { headers } of [get, head, unchanged, named])
        assert.match(`${headers["connection"]} ${headers["keep-alive"]}`, /^keep-alive timeout=\d+$/);
      for (const { headers } of [last, lastUnchanged])
        assert.deepEqual([headers["connection"], headers["keep-alive"]], ["close", undefined]);
      assert.equal(named.headers["x-request-id"], `mine-${round}`);
      for (const { headers } of [get, head, unchanged, last, lastUnchanged]) ids.add(headers["x-request-id"]);
      for (const { headers } of [get, head, last, named]) assert.equal(headers["content-length"], String(BODY.length));
      for (const { headers } of [unchanged, lastUnchanged]) assert.equal(headers["content-length"], undefined);
      const same = ({ head: text }: Raw): string => text.replace(/^(?:X-Request-Id|Date|Age|Connection|Keep-Alive): .*\r\n/gm, "");
      assert.deepEqual([same(head), same(last), same(named)], [same(get), same(get), same(get)]);
      assert.equal(same(lastUnchanged), same(unchanged));
    }
    assert.equal(ids.size, 20);
  });
});

test("pipelined requests are answered in order, and an HTTP/1.0 client's connection is closed", async () => {
  await serving(source(), async (client, rig) => {
    await client.get("/t");
    client.write("GET /none HTTP/1.1\r\nHost: t\r\n\r\nGET /t HTTP/1.1\r\nHost: t\r\n\r\nGET /t HTTP/1.1\r\nHost: t\r\n\r\n");
    assert.deepEqual(
      [(await client.response()).status, (await client.response()).status, (await client.response()).status],
      [404, 200, 200],
    );
    const old = new Client(rig.port).write("GET /t HTTP/1.0\r\n\r\n");
    assert.equal((await old.response()).headers["connection"], "close");
    await old.until(() => old.closed);
  });
});

test("the store is bounded in bytes, and does not take what is too long to be asked for again", () => {
  const store = new PreparedStore({ tally: new Tally(), clock: systemClock, demo: false, capacity: bytes(100_000), written: () => {} });
  const from = source();
  for (let nr = 0; nr < 100; nr += 1) store.put(`/t?${nr}`, answerFrom(from));
  assert.ok(store.size <= 100_000 && store.size > 50_000, String(store.size));
  store.clear();
  store.put(`/${"x".repeat(3_000)}`, answerFrom(from));
  store.put("/huge", answerFrom(from, { bodies: { identity: Buffer.alloc(90_000) } }));
  assert.equal(store.size, 0);
});

test("writing a head in one piece gives Node's own bytes on the pinned Node.js", () => {
  assert.notEqual(chooseWrite(), writeByNode);
});

test("headers that HTTP does not allow are refused when an answer is first rendered", async () => {
  const bad = answerFrom(source(), { head: ["X-Bad", "a\r\nSet-Cookie: evil=1"] });
  const builtIn = {
    default: async (fastify: { get: (path: string, handler: Handler) => void }) =>
      fastify.get("/t", (request, reply) => runtime().service("prepared").send(request.raw, reply.raw, bad, "MISS")),
  };
  const rig = startRig({ builtIn });
  await rig.until("ready");
  const client = new Client(rig.port);
  assert.equal((await client.get("/t")).status, 500);
  await client.end();
  rig.tell({ type: "drain", within: ms(500) });
  await rig.exited;
});
