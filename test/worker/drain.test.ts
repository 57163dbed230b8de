import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { runtime } from "../../src/base/runtime.ts";
import { ms } from "../../src/base/units.ts";
import { Client } from "./http.ts";
import { startRig, type Rig } from "./rig.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`apps/${name}`, import.meta.url));

interface Fastify {
  get(
    path: string,
    handler: (request: unknown, reply: { raw: ServerResponse; hijack(): void; send(body: unknown): void }) => unknown,
  ): void;
}

/** A service with one request that ends when told. */
function slowService(): { builtIn: Record<string, unknown>; free: () => void; begun: Promise<void> } {
  const { promise: freed, resolve: free } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const plugin = async (fastify: Fastify): Promise<void> => {
    fastify.get("/fast", (_, reply) => reply.send("fast"));
    fastify.get("/slow", async (_, reply) => {
      begin();
      await freed;
      reply.send("slow");
    });
  };
  return { builtIn: { default: plugin }, free, begun };
}

const connected = async (rig: Rig, count: number): Promise<void> => {
  while ((await rig.next("beat")).connections !== count);
};

test("in flight finishes, idle and never-used connections get one more request, and every answer closes", async () => {
  const { builtIn, free, begun } = slowService();
  const rig = startRig({ builtIn, config: { drainIdle: ms(300) } });
  await rig.until("ready");
  const [busy, idle, fresh, silent] = [1, 2, 3, 4].map(() => new Client(rig.port)) as [Client, Client, Client, Client];
  await idle.get("/fast");
  const slow = busy.get("/slow");
  await begun;
  await connected(rig, 4);
  const draining = new Promise((resolve) => runtime().draining.addEventListener("abort", resolve));
  rig.tell({ type: "drain", within: ms(5_000) });
  await draining;
  const answers = await Promise.all([idle.get("/fast"), fresh.get("/fast")]);
  for (const { status, headers } of answers) assert.deepEqual([status, headers["connection"]], [200, "close"]);
  const refused = new Client(rig.port);
  await refused.until(() => refused.closed);
  assert.match(String(refused.error), /ECONNREFUSED/);
  await silent.until(() => silent.closed);
  assert.equal(silent.error, undefined, "closed, not reset");
  free();
  const { body, headers } = await slow;
  assert.deepEqual([body, headers["connection"]], ["slow", "close"]);
  assert.equal(await rig.exited, 0);
  assert.deepEqual(rig.said.at(-1), { type: "drained", served: 4, by: "master" });
});

test("the last to drain accepts as long as connections rest, and goes at once when none does", async () => {
  const { builtIn } = slowService();
  const rig = startRig({ builtIn, config: { drainIdle: ms(400) } });
  await rig.until("ready");
  const idle = new Client(rig.port);
  await idle.get("/fast");
  rig.tell({ type: "drain", within: ms(3_600_000), last: true });
  const late = new Client(rig.port);
  const { status, headers } = await late.get("/fast");
  assert.deepEqual([status, headers["connection"]], [200, "close"]);
  assert.equal(runtime().draining.aborted, false, "the application is told when accepting is over");
  assert.equal((await idle.get("/fast")).headers["connection"], "close");
  const silent = new Client(rig.port);
  assert.equal(await rig.exited, 0, "long before its hour is over");
  await silent.until(() => silent.closed);
  assert.equal(runtime().draining.aborted, true);
  assert.deepEqual(rig.said.at(-1), { type: "drained", served: 3, by: "master" });
});

test("the last to drain is not kept by those who rest for longer, and has no time to linger in a quick stop", async () => {
  for (const within of [5_000, 300]) {
    const { builtIn } = slowService();
    const rig = startRig({ builtIn, config: { drainIdle: ms(200) } });
    await rig.until("ready");
    const idle = new Client(rig.port);
    await idle.get("/fast");
    rig.tell({ type: "drain", within: ms(within), last: true });
    await idle.until(() => idle.closed);
    assert.equal(idle.error, undefined, "closed, not reset");
    assert.equal(await rig.exited, 0);
  }
});

test("what is not done within the time is cut off, and the worker exits 0 all the same", async () => {
  const { builtIn, begun } = slowService();
  const rig = startRig({ builtIn });
  await rig.until("ready");
  const busy = new Client(rig.port);
  const slow = busy.get("/slow").catch(() => "cut");
  await begun;
  rig.tell({ type: "drain", within: ms(300) });
  assert.equal(await rig.exited, 0);
  assert.equal(await slow, "cut");
  assert.ok(rig.log.some(({ msg, requests }) => String(msg).includes("cut off") && requests === 1));
});

test("a second order to drain that leaves less time wins", async () => {
  const { builtIn, begun } = slowService();
  const rig = startRig({ builtIn });
  await rig.until("ready");
  const busy = new Client(rig.port);
  busy.get("/slow").catch(() => {});
  await begun;
  rig.tell({ type: "drain", within: ms(60_000) });
  rig.tell({ type: "drain", within: ms(50) });
  assert.equal(await rig.exited, 0);
  busy.socket.destroy();
});

test("event streams of any application end at once, with a retry of each client's own, and late writes hurt nobody", async () => {
  const rig = startRig({ config: { app: fixture("script.mjs") } });
  await rig.until("ready");
  const clients = [new Client(rig.port), new Client(rig.port)];
  for (const client of clients) client.write("GET /events HTTP/1.1\r\nHost: t\r\n\r\n");
  for (const client of clients) await client.until(() => client.received.includes("data: x"));
  rig.tell({ type: "drain", within: ms(5_000) });
  for (const client of clients) {
    await client.until(() => client.closed || client.received.endsWith("0\r\n\r\n"));
    assert.match(client.received, /\r\nretry: \d{3,4}\n\n\r\n0\r\n\r\n$/);
    await client.end();
  }
  assert.equal(await rig.exited, 0);
});

test("a WebSocket gets 1001 and is closed when its client does not close", async () => {
  const rig = startRig({ config: { app: fixture("upgrade.mjs"), drainIdle: ms(150) } });
  await rig.until("ready");
  const client = new Client(rig.port).write("GET / HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await client.until(() => client.received.includes("101 Switching"));
  rig.tell({ type: "drain", within: ms(5_000) });
  await client.until(() => client.closed);
  assert.ok(client.received.endsWith("\x88\x02\x03\xe9"), "the close frame with 1001");
  assert.equal(await rig.exited, 0);
});

test("asked to drain while it loads, a worker leaves without ever saying ready", async () => {
  const { promise: loaded, resolve: load } = Promise.withResolvers<void>();
  const rig = startRig({ builtIn: { default: async () => await loaded } });
  rig.tell({ type: "drain", within: ms(500) });
  assert.equal(await rig.exited, 0);
  load();
  assert.equal(
    rig.said.some(({ type }) => type === "ready"),
    false,
  );
});
