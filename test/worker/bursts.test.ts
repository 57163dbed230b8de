/** What one connection may cost in one turn of the loop: requests that came in one read. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import test from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { runtime } from "../../src/base/runtime.ts";
import { after, seconds, type Timestamp } from "../../src/base/units.ts";
import type { PreparedAnswer } from "../../src/worker/app.ts";
import type { Seat } from "../../src/worker/connections.ts";
import { InFlight } from "../../src/worker/inflight.ts";
import { Client } from "./http.ts";
import { startRig, type Rig } from "./rig.ts";

const BODY = Buffer.from("ready");

const prepared = (): PreparedAnswer => ({
  source: {
    version: 1,
    checkedAt: Date.now() as Timestamp,
    freshUntil: after(systemClock.now(), seconds(600)),
    staleUntil: after(systemClock.now(), seconds(900)),
    expired() {},
  },
  version: 1,
  head: ["Content-Type", "text/plain"],
  etag: "v1",
  bodies: { identity: BODY },
});

interface Fastify {
  get(path: string, handler: () => unknown): void;
}

const builtIn = {
  default: async (fastify: Fastify): Promise<void> => {
    runtime().service("prepared").put("/prepared", prepared());
    fastify.get("/hang", () => new Promise(() => {}));
    fastify.get("/routed", async () => await Promise.resolve("made"));
  },
};

/** @param use gets how many requests node:http has parsed by now. */
async function serving(use: (rig: Rig, parsed: () => number) => Promise<void>, started = (): void => {}): Promise<void> {
  let count = 0;
  const begun = (): void => {
    count += 1;
    started();
  };
  subscribe("http.server.request.start", begun);
  const rig = startRig({ builtIn });
  try {
    await rig.until("ready");
    await use(rig, () => count);
  } finally {
    unsubscribe("http.server.request.start", begun);
    rig.tell({ type: "drain", within: 0 as never });
    await rig.exited;
  }
}

const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: t\r\n${more}\r\n`;

for (const path of ["/prepared", "/routed"])
  test(`of 1,000 requests for ${path} that come at once 64 are answered, the last of them closes the connection`, async () => {
    await serving(async (rig, parsed) => {
      const client = new Client(rig.port).write(get(path).repeat(1_000));
      for (let nr = 1; nr <= 64; nr += 1) {
        const { status, headers } = await client.response();
        assert.equal(status, 200);
        assert.equal(headers["connection"], nr === 64 ? "close" : "keep-alive");
      }
      await client.until(() => client.closed);
      assert.equal(client.received, "");
      assert.ok(parsed() <= 66, `${parsed()} of 1,000 requests were parsed`);
    });
  });

test("a client that pipelines a few requests at a time is served as long as it likes", async () => {
  await serving(async (rig) => {
    const client = new Client(rig.port);
    for (let round = 0; round < 10; round += 1) {
      client.write(`${get("/prepared").repeat(30)}${get("/routed").repeat(30)}`);
      for (let nr = 0; nr < 60; nr += 1) assert.equal((await client.response()).headers["connection"], "keep-alive");
    }
    await client.end();
  });
});

test("behind a connection's last answer nothing is parsed", async () => {
  await serving(async (rig, parsed) => {
    const client = new Client(rig.port).write(get("/prepared", "Upgrade: other\r\n") + get("/prepared").repeat(1_000));
    assert.equal((await client.response()).status, 200);
    await client.until(() => client.closed);
    assert.equal(client.error, undefined);
    assert.equal(client.received, "");
    assert.ok(parsed() <= 3, `${parsed()} of 1,001 requests were parsed`);
  });
});

test("while very many requests have no answer, a connection with many of them is cut; others stay", async () => {
  await serving(async (rig) => {
    const clients: Socket[] = [];
    const closed = new Set<Socket>();
    const open = (requests: number): Client => {
      const client = new Client(rig.port).write(get("/hang").repeat(requests));
      client.socket.once("close", () => closed.add(client.socket));
      clients.push(client.socket);
      return client;
    };
    const few = open(10);
    // In portions that the listening socket's queue takes.
    for (let nr = 0; nr < 5; nr += 1) {
      for (let more = 0; more < 31; more += 1) open(63);
      while ((await rig.next("beat")).inFlight < 10 + clients.slice(1).length * 63);
    }
    assert.equal(closed.size, 0);
    for (let nr = 0; nr < 10; nr += 1) open(63);
    while (closed.size === 0) await rig.next("beat");
    assert.equal(few.closed, false);
    for (const client of clients) client.destroy();
  });
});

test("beats go out within a turn of the loop that lasts", async () => {
  let turn = 0;
  let rig: Rig | undefined;
  const beats = new Map<number, Set<number>>(); // of each turn: how many beats had been sent at each of its requests
  const busy = (): void => {
    const until = performance.now() + 0.5;
    while (performance.now() < until);
    const seen = beats.get(turn) ?? new Set();
    beats.set(turn, seen.add(rig?.said.filter(({ type }) => type === "beat").length ?? 0));
  };
  const next = setImmediate(function again() {
    turn += 1;
    following = setImmediate(again);
  });
  let following = next;
  await serving(async (serves) => {
    rig = serves;
    const clients = Array.from({ length: 10 }, () => new Client(serves.port));
    for (const client of clients) await client.get("/prepared"); // from now on the worker has accepted it
    for (const client of clients) client.write(get("/prepared").repeat(64));
    while ([...beats.values()].every((seen) => seen.size < 2)) await serves.next("beat");
    for (const client of clients) await client.end();
  }, busy);
  clearImmediate(following);
});

test("the end of a connection concerns its own requests only", () => {
  const seats = [{ requests: 0 }, { requests: 0 }] as Seat[];
  const ended: number[] = [];
  const connections = { of: ({ nr }: { nr: number }) => seats[nr] };
  const inFlight = new InFlight(
    systemClock,
    connections as never,
    ({ req }) => void ended.push((req.socket as never as { nr: number }).nr),
  );
  const looked = [0, 0];
  for (let nr = 0; nr < 1_000; nr += 1) {
    const req = { socket: { nr: nr % 2, bytesWritten: 0 }, headers: {} } as unknown as IncomingMessage;
    const exchange = inFlight.begin(req, { once() {} } as unknown as ServerResponse);
    const { seat } = exchange;
    Object.defineProperty(exchange, "seat", { get: () => ((looked[nr % 2] = (looked[nr % 2] ?? 0) + 1), seat) });
  }
  inFlight.dropped(seats[1] as Seat);
  assert.deepEqual(ended, Array(500).fill(1));
  assert.equal(looked[0], 0, "requests of another connection were looked at");
  assert.deepEqual([seats[0]?.requests, seats[1]?.requests, inFlight.size], [500, 0, 500]);
});
