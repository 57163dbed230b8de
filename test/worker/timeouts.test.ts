import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { after, ms, seconds, type Timestamp } from "../../src/base/units.ts";
import { runtime } from "../../src/base/runtime.ts";
import { parseSendQueues } from "../../src/base/sendqueue.ts";
import type { Exchange } from "../../src/worker/exchange.ts";
import { readersByWeight } from "../../src/worker/slowreaders.ts";
import { look } from "../../src/worker/timeouts.ts";
import { Unread } from "../../src/worker/unread.ts";
import { Client, type Raw } from "./http.ts";
import { startRig, type Rig, type RigOptions } from "./rig.ts";

interface Fastify {
  get(
    path: string,
    handler: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): void; send(body: unknown): void }) => unknown,
  ): void;
}

async function serving(options: RigOptions, use: (rig: Rig) => Promise<void>): Promise<Rig> {
  const rig = startRig(options);
  await rig.until("ready");
  try {
    await use(rig);
  } finally {
    rig.tell({ type: "drain", within: ms(500) });
    await rig.exited;
  }
  return rig;
}

const counters = async (rig: Rig) => (await rig.next("beat")).counters;

test("no first byte in time: 504 as problem+json, the handler's signal aborts, and what it sends afterwards hurts nobody", async () => {
  let aborted = 0;
  const builtIn = {
    default: async (fastify: Fastify) =>
      fastify.get("/slow", async (request, reply) => {
        const { signal } = request.raw;
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => ((aborted += 1), resolve())));
        reply.send({ too: "late" });
      }),
  };
  await serving({ builtIn, config: { requestTimeout: ms(150), demo: true } }, async (rig) => {
    const client = new Client(rig.port);
    const answer = await client.get("/slow", ["X-Request-Id: mine"]);
    assert.equal(answer.status, 504);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    assert.equal(answer.headers["x-request-id"], "mine");
    assert.equal(answer.headers["x-drover-demo"], "1");
    assert.deepEqual(JSON.parse(answer.body), {
      type: "about:blank",
      title: "Gateway Timeout",
      status: 504,
      detail: "no answer within 0.15 s",
    });
    await client.until(() => client.closed);
    assert.equal(aborted, 1);
    const now = await counters(rig);
    assert.deepEqual([now.timeouts, now.status5xx, now.served], [1, 1, 1]);
  });
});

test("a foreign application is timed out too, and one that never learns of it serves on", async () => {
  const app = fileURLToPath(new URL("apps/script.mjs", import.meta.url));
  await serving({ config: { app, requestTimeout: ms(150) } }, async (rig) => {
    const client = new Client(rig.port);
    const answer = await client.get("/slow");
    assert.equal(answer.status, 504);
    assert.ok(!Object.keys(answer.headers).some((name) => name.startsWith("x-drover")));
    const { id } = rig.log.find(({ msg }) => String(msg).includes("answered 504")) ?? {};
    assert.equal(answer.headers["x-request-id"], id, "by it the operator finds the request");
    assert.equal((await new Client(rig.port).get("/", ["Connection: close"])).body, "script");
  });
});

test("a client that reads too slowly for the kernel to take more of its answer is not cut off; one that reads nothing is", () => {
  for (const [reads, isCut] of [
    [1_000, false],
    [0, true],
  ] as const) {
    let [now, queued] = [0, 3_000_000];
    const cuts: number[] = [];
    const socket = { writableLength: 9_000_000, bytesWritten: 12_000_000, destroy: () => cuts.push(now) };
    const res = { headersSent: true, socket, writableLength: 9_000_000, getHeader: () => undefined };
    const exchange = { timedOut: false, stream: false, req: { url: "/" }, res, sent: 0, movedAt: 0, queued: undefined, id: () => "" };
    const parts = {
      inFlight: [exchange],
      clock: { now: () => now },
      requestTimeout: () => ms(120_000),
      mostUnread: Infinity,
      queues: () => () => queued,
      tally: { counters: { timeouts: 0 } },
      log: { info() {} },
    };
    for (; now < 90_000; now += 1_000, queued -= reads) look(parts as never);
    assert.equal(cuts.length, isCut ? 1 : 0, `${reads} bytes a second`);
    assert.ok(cuts.every((at) => at < 40_000));
  }
});

test("the kernel's table of connections tells how much of an answer the client has not acknowledged", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:D2B4 01 002F1A00:00000000 01:00000019 00000000     0        0 123456 3 0000000000000000 20 4 30 10 -1
   1: 0100007F:1F90 0100007F:D2B6 06 00000000:00000000 03:00000F21 00000000     0        0 0 3 0000000000000000
`;
  assert.deepEqual([...parseSendQueues(table)], [[123_456, 0x2f1a00]]);
});

test("a client that takes nothing of its answer is cut off", async () => {
  const builtIn = {
    default: async (fastify: Fastify) => fastify.get("/big", (_, reply) => reply.send(Buffer.alloc(30_000_000))),
  };
  await serving({ builtIn, config: { requestTimeout: ms(300) } }, async (rig) => {
    const stalled = new Client(rig.port);
    stalled.socket.pause();
    stalled.write("GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    const cut = new Promise((resolve) => {
      const look = async (): Promise<void> => ((await counters(rig)).timeouts > 0 ? resolve(true) : look());
      void look();
    });
    assert.equal(await cut, true);
    assert.equal((await rig.next("beat")).connections, 0);
    stalled.socket.destroy();
  });
});

test("while too many bytes wait for all clients together, those that read nothing are cut off early, and no more than needed", async () => {
  const builtIn = {
    default: async (fastify: Fastify) => fastify.get("/big", (_, reply) => reply.send(Buffer.alloc(40 * 1_048_576))),
  };
  await serving({ builtIn }, async (rig) => {
    const clients = Array.from({ length: 4 }, () => new Client(rig.port));
    for (const { socket } of clients) socket.pause().write("GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    while ((await counters(rig)).timeouts === 0);
    const cut = rig.log.filter(({ msg }) => / of its answer: |its answer too slowly/.test(String(msg)));
    assert.ok(cut.length > 0 && cut.every(({ limit = 0 }) => Number(limit) <= 1_000), "not after the 30 s of a single one");
    for (let i = 0; i < 3; i += 1) await rig.next("beat");
    const { connections } = await rig.next("beat");
    assert.ok(connections >= 1 && connections <= 3, `${connections} of 4 are left`);
    for (const { socket } of clients) socket.destroy();
  });
});

test("an answer that many clients get from one buffer counts once against the bytes that may wait", async () => {
  const now = systemClock.now();
  const source = {
    version: 1,
    checkedAt: 0 as Timestamp,
    freshUntil: after(now, seconds(60)),
    staleUntil: after(now, seconds(90)),
    expired() {},
  };
  const answer = { source, version: 1, head: [], etag: "v1", bodies: { identity: Buffer.alloc(12 * 1_048_576) } };
  const builtIn = {
    default: async (fastify: Fastify) =>
      fastify.get("/big", (request, reply) => {
        runtime().service("prepared").put("/big", answer);
        reply.hijack();
        runtime().service("prepared").send(request.raw, reply.raw, answer, "MISS");
      }),
  };
  await serving({ builtIn }, async (rig) => {
    const clients = Array.from({ length: 8 }, () => new Client(rig.port));
    for (const { socket } of clients) socket.pause().write("GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    while ((await rig.next("beat")).inFlight < 8);
    for (const end = performance.now() + 3_000; performance.now() < end;) assert.equal((await counters(rig)).timeouts, 0);
    for (const client of clients) client.socket.destroy();
  });
});

test("of shared and unshared answers just enough clients are cut off", () => {
  const MIB = 1_048_576;
  const cut: number[] = [];
  const shared = [Buffer.alloc(30 * MIB), Buffer.alloc(20 * MIB)];
  const exchangeOf = (nr: number, body: Buffer | undefined, own: number, encrypted = false) => ({
    timedOut: false,
    stream: false,
    req: { url: "/" },
    sent: 1,
    movedAt: 0,
    queued: undefined,
    id: () => "",
    client: () => "192.0.2.1",
    shared: body,
    res: {
      headersSent: true,
      writableLength: (body?.length ?? 0) + own,
      socket: { writableLength: 1, bytesWritten: 1, encrypted, destroy: () => cut.push(nr) },
      getHeader: () => undefined,
    },
  });
  const lookAt = (...inFlight: object[]): number[] => {
    cut.length = 0;
    const parts = { inFlight, clock: { now: () => 2_000 }, requestTimeout: () => ms(120_000), mostUnread: 64 * MIB };
    look({ ...parts, queues: () => () => undefined, tally: { counters: { timeouts: 0 } }, log: { info() {} } } as never);
    return [...cut];
  };
  const [first, second] = shared;
  const readers = [0, 1, 2].map((nr) => exchangeOf(nr, first, 100));
  assert.deepEqual(lookAt(...readers, exchangeOf(3, second, 0)), []);
  assert.deepEqual(lookAt(...readers, exchangeOf(3, second, 0), exchangeOf(4, undefined, 20 * MIB)), [0, 1, 2], "30 MiB go with the last");
  assert.deepEqual(lookAt(exchangeOf(0, first, 0, true), exchangeOf(1, first, 0, true), exchangeOf(2, first, 0, true)), [0], "TLS copies");
});

test("a client that ends its side after its request gets the answer; one that has gone is not waited for long", async () => {
  const aborted = Promise.withResolvers<void>();
  const builtIn = {
    default: async (fastify: Fastify) => {
      fastify.get("/slow", async (_, reply) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        reply.send("here");
      });
      fastify.get("/never", ({ raw }) => new Promise(() => raw.signal.addEventListener("abort", () => aborted.resolve())));
      fastify.get("/events", (_, reply) => {
        reply.hijack();
        reply.raw.writeHead(200, { "Content-Type": "text/event-stream" });
        reply.raw.write("data: hello\n\n");
        runtime().service("streams").opened(reply.raw);
      });
    },
  };
  await serving({ builtIn }, async (rig) => {
    const half = new Client(rig.port);
    half.socket.end("GET /slow HTTP/1.1\r\nHost: t\r\n\r\nGET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
    assert.deepEqual([(await half.response()).body, (await half.response()).body], ["here", "here"]);
    await half.until(() => half.closed);

    const stream = new Client(rig.port).write("GET /events HTTP/1.1\r\nHost: t\r\n\r\n");
    await stream.until(() => stream.received.includes("hello"));
    stream.socket.end();
    await stream.until(() => stream.closed);

    const gone = new Client(rig.port);
    gone.socket.end("GET /never HTTP/1.1\r\nHost: t\r\n\r\n");
    await gone.until(() => gone.closed);
    await aborted.promise;
    assert.equal(gone.received, "");
    assert.equal((await counters(rig)).timeouts, 0);
  });
});

/** Clients that each have 8 MiB waiting, looked at every second. @returns who was cut off, in order. */
function readers(rates: readonly (readonly [address: string, bytesPerSecond: number])[], looks: number): string[] {
  const MIB = 1_048_576;
  const cut: string[] = [];
  let now = 0;
  const inFlight = rates.map(([address, rate], nr) => {
    const exchange = {
      timedOut: false,
      stream: false,
      req: { url: "/" },
      sent: 0,
      movedAt: 0,
      queued: undefined,
      id: () => "",
      client: () => address,
      res: {
        headersSent: true,
        get writableLength() {
          return exchange.timedOut ? 0 : 8 * MIB - nr;
        },
        socket: {
          writableLength: 1,
          get bytesWritten() {
            return 1_000 + (now / 1_000) * rate;
          },
          destroy: () => cut.push(`${address} ${nr}`),
        },
        getHeader: () => undefined,
      },
    };
    return exchange;
  });
  const parts = { inFlight, clock: { now: () => now }, requestTimeout: () => ms(120_000), mostUnread: 64 * MIB };
  for (let nr = 0; nr < looks; nr += 1, now += 1_000)
    look({ ...parts, queues: () => () => undefined, tally: { counters: { timeouts: 0 } }, log: { info() {} } } as never);
  return cut;
}

test("clients that read slowly but steadily are cut off while too much waits: largest address first, no more than needed", () => {
  const [slow, fair] = [3_000, 102_400];
  const eight = Array.from({ length: 8 }, () => ["192.0.2.1", slow] as const);
  assert.deepEqual(readers(eight, 10), [], "64 MiB may wait");
  const two = [["192.0.2.2", slow], ["192.0.2.3", fair]] as const; // prettier-ignore
  assert.deepEqual(readers([...two, ...eight], 10), ["192.0.2.1 2", "192.0.2.1 3"]);
});

test("readers of one shared buffer weigh its part each: cutting one of them frees nothing", () => {
  const MIB = 1_048_576;
  const shared = Buffer.alloc(16 * MIB);
  const exchangeOf = (address: string, body: Buffer | undefined, bytes: number) => {
    const res = { writableLength: bytes, socket: { bytesWritten: 0, writableLength: 1 } };
    return { timedOut: false, stream: false, client: () => address, shared: body, seen: undefined, res };
  };
  const many = Array.from({ length: 10 }, () => exchangeOf("192.0.2.1", shared, 16 * MIB));
  const inFlight = [...many, exchangeOf("192.0.2.2", undefined, 20 * MIB)] as never as readonly Exchange[];
  const [worst] = readersByWeight(inFlight, new Unread(inFlight), { now: systemClock.now(), queueOf: () => undefined });
  assert.equal(worst?.first.client(), "192.0.2.2");
});

test("clients that read fast enough are cut off only when four times as much waits, and of the largest address", () => {
  const fair = (address: string, count: number) => Array.from({ length: count }, () => [address, 102_400] as const);
  assert.deepEqual(readers(fair("192.0.2.1", 32), 10), []);
  assert.deepEqual(readers([...fair("192.0.2.2", 2), ...fair("192.0.2.1", 31)], 10), ["192.0.2.1 2"]);
});

test("what is no request is answered 400, 408 or 431 and its connection closed; nothing is smuggled in behind it", async () => {
  const builtIn = { default: async (fastify: Fastify) => fastify.get("/", (_, reply) => reply.send("ok")) };
  await serving({ builtIn, config: { headersTimeout: ms(100), requestTimeout: ms(2_000) } }, async (rig) => {
    for (const [sent, status] of [
      ["NONSENSE\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
      [`GET / HTTP/1.1\r\nHost: t\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
      ["GET / HTTP/1.1\r\nHost: t\r\nX: unfinished", 408],
    ] as const) {
      const client = new Client(rig.port).write(sent);
      const answer = await client.response();
      assert.equal(answer.status, status);
      assert.equal(answer.headers["connection"], "close");
      await client.until(() => client.closed);
      assert.equal(client.received, "");
    }
    assert.equal((await counters(rig)).status4xx, 4);
  });
});

test("a head that came while the process was paused is read before its time is judged; one that did not come is counted", async () => {
  const builtIn = { default: async (fastify: Fastify) => fastify.get("/", (_, reply) => reply.send("ok")) };
  await serving({ builtIn, config: { headersTimeout: ms(300), requestTimeout: ms(5_000) } }, async (rig) => {
    const [whole, half] = [new Client(rig.port), new Client(rig.port).write("GET / HTTP/1.1\r\n")];
    while ((await rig.next("beat")).connections < 2);
    setTimeout(() => {
      whole.write("GET / HTTP/1.1\r\nHost: t\r\n\r\n"); // in the kernel's buffer from now on
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500); // as SIGSTOP would
    }, 0);
    assert.equal((await whole.response()).status, 200);
    assert.equal((await half.response()).status, 408);
    const { counts } = (await rig.next("beat")).figures ?? {};
    assert.equal(counts?.["shed.head-too-late"], 1);
    await whole.end();
  });
});

test("overload: what can't be answered in time is refused with 503, a reason and Retry-After", async () => {
  let free: () => void = () => {};
  const gate = new Promise<void>((resolve) => (free = resolve));
  const builtIn = {
    default: async (fastify: Fastify) =>
      fastify.get("/", async (_, reply) => {
        await gate;
        reply.send("ok");
      }),
  };
  await serving({ builtIn, config: { connections: 32 } }, async (rig) => {
    // 16 at work and 16 waiting fit: the 33rd does not
    const clients = Array.from({ length: 30 }, () => new Client(rig.port));
    const answers = clients.map((client) => client.get("/"));
    while ((await rig.next("beat")).inFlight < 30);
    const three = clients.slice(0, 3);
    for (const client of three) client.write("GET / HTTP/1.1\r\nHost: t\r\n\r\n"); // pipelined behind its first one
    while ((await counters(rig)).refused === 0);
    free();
    await Promise.all(answers);
    const more = (await Promise.all(three.map((client) => client.response()))).toSorted((a, b) => a.status - b.status);
    assert.deepEqual(
      more.map(({ status }) => status),
      [200, 200, 503],
    );
    const { headers } = more[2] as Raw;
    assert.equal(headers["x-drover-refused"], "queue");
    assert.match(headers["retry-after"] ?? "", /^[2-4]$/);
    assert.equal(headers["content-type"], "application/problem+json");
    for (const client of clients) await client.end();
  });
});

test("a stream that the application announces no longer counts against admission", async () => {
  const builtIn = {
    default: async (fastify: Fastify) => {
      fastify.get("/events", (_, reply) => {
        reply.hijack();
        reply.raw.writeHead(200, { "Content-Type": "text/event-stream" });
        reply.raw.write("data: hello\n\n");
        runtime().service("streams").opened(reply.raw);
      });
      fastify.get("/", (_, reply) => reply.send("ok"));
    },
  };
  await serving({ builtIn, config: { connections: 60 } }, async (rig) => {
    const streams = Array.from({ length: 40 }, () => new Client(rig.port).write("GET /events HTTP/1.1\r\nHost: t\r\n\r\n"));
    for (const client of streams) await client.until(() => client.received.includes("data: hello"));
    const client = new Client(rig.port);
    assert.equal((await client.get("/")).status, 200);
    await Promise.all([...streams, client].map((each) => each.end()));
  });
});

test("the time of a request with a body counts from its last byte: a slow upload leaves the service no less", () => {
  let timedOut = 0;
  const res = {
    headersSent: false,
    get socket(): null {
      timedOut += 1; // asked for when it is to be answered 504
      return null;
    },
  };
  const exchange = { timedOut: false, req: { complete: true }, res, startedAt: 0, readyAt: 29_000 };
  const lookAt = (now: number): void =>
    look({ inFlight: [exchange], clock: { now: () => now }, requestTimeout: () => ms(30_000), mostUnread: Infinity } as never);
  lookAt(31_000);
  assert.equal(timedOut, 0);
  lookAt(59_000);
  assert.equal(timedOut, 1);
});
