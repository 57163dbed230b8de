/** The body of a request that its head decides: not received when the application refuses, received without a place when it reads. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Client } from "./http.ts";
import { startRig, type Rig } from "./rig.ts";

interface Reply {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body: string): Reply;
}
interface Fastify {
  addHook(name: "onRequest", hook: (request: { url: string }, reply: Reply) => Promise<unknown>): void;
  post(path: string, handler: (request: { body: unknown }) => unknown): void;
}
const builtIn = {
  default: async (fastify: Fastify): Promise<void> => {
    fastify.addHook("onRequest", async ({ url }, reply) => {
      await new Promise(setImmediate); // it asks somebody
      return url === "/refused" ? reply.code(429).header("Connection", "close").send("not now") : undefined;
    });
    fastify.post("/refused", () => "never");
    fastify.post("/read", ({ body }) => String(String(body).length));
  },
};

const LENGTH = 999_000;
/** A read with the head, and one more. */
const LITTLE = 131_072;
const head = (path: string, more = "", length = LENGTH): string =>
  `POST ${path} HTTP/1.1\r\nHost: t\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n${more}\r\n`;

/** @param use gets the worker's side of each connection. */
async function serving(use: (rig: Rig, sockets: readonly Socket[]) => Promise<void>): Promise<void> {
  const sockets: Socket[] = [];
  const came = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe("net.server.socket", came);
  const rig = startRig({ builtIn });
  await rig.until("ready");
  try {
    await use(rig, sockets);
  } finally {
    unsubscribe("net.server.socket", came);
    rig.tell({ type: "drain", within: 0 as never });
    await rig.exited;
  }
}

test("a request that its head decides is refused before its body has come, and its connection ends", async () => {
  await serving(async ({ port }) => {
    for (const part of ["", "x", "x".repeat(100_000)]) {
      const client = new Client(port).write(head("/refused")).write(part);
      const { status, headers } = await client.response();
      assert.deepEqual([status, headers["connection"]], [429, "close"]);
      await client.until(() => client.closed);
      assert.equal(client.error, undefined, "no reset");
    }
  });
});

test("of the body of a refused request one read is received, however fast it comes; its client has the answer", async () => {
  await serving(async ({ port }, sockets) => {
    const clients = Array.from({ length: 20 }, () => new Client(port).write(head("/refused") + "x".repeat(LENGTH)));
    for (const client of clients) {
      assert.equal((await client.response()).status, 429);
      await client.until(() => client.closed);
    }
    assert.equal(sockets.length, clients.length);
    for (const { bytesRead } of sockets) assert.ok(bytesRead <= LITTLE, `${bytesRead} bytes were read`);
  });
});

test("a client that waits for 100 Continue gets it when its body is read, and never with a refusal", async () => {
  const expects = "Expect: 100-continue\r\n";
  await serving(async ({ port }) => {
    const refused = new Client(port).write(head("/refused", expects));
    assert.equal((await refused.response()).status, 429);
    await refused.until(() => refused.closed);
    const client = new Client(port);
    for (let nr = 0; nr < 2; nr += 1) {
      client.write(head("/read", expects));
      await client.until(() => client.received.includes("\r\n\r\n"));
      assert.match(client.received, /^HTTP\/1\.1 100 Continue\r\n\r\n/);
      assert.equal((await client.response(true)).status, 100);
      assert.equal((await client.write("x".repeat(LENGTH)).response()).body, String(LENGTH));
    }
    const eager = await client.write(`${head("/read", expects, 4)}body`).response();
    assert.deepEqual([eager.status, eager.body, eager.headers["connection"]], [200, "4", "keep-alive"], "it has come: nothing is awaited");
    await client.end();
  });
});

test("a body that is read comes whole, whatever its pieces; of one address 32 are on their way at a time", async () => {
  await serving(async ({ port }) => {
    const clients = Array.from({ length: 32 }, () => new Client(port).write(head("/read", "Expect: 100-continue\r\n")));
    for (const client of clients) assert.equal((await client.response(true)).status, 100);
    const last = new Client(port).write(`${head("/read")}x`);
    const refused = await last.response();
    assert.deepEqual([refused.status, refused.headers["x-drover-refused"], refused.headers["connection"]], [429, "bodies", "close"]);
    assert.equal(refused.head.match(/^x-request-id:/gim)?.length, 1);
    await last.until(() => last.closed);
    for (const client of clients.slice(0, 3)) {
      for (let sent = 0; sent < LENGTH; sent += 90_000) client.write("x".repeat(Math.min(90_000, LENGTH - sent)));
      assert.equal((await client.response()).body, String(LENGTH));
    }
    for (const client of clients) await client.end();
  });
});
