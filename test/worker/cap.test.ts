import assert from "node:assert/strict";
import { test } from "node:test";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Holder } from "./holder.ts";
import { Client } from "./http.ts";
import { startRig } from "./rig.ts";

interface Route {
  readonly server: Server;
  get(path: string, handler: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): void }) => void): void;
}

const listenerOf = (listener: (req: IncomingMessage, res: ServerResponse) => unknown, seen: (server: Server) => void = () => {}) => ({
  default: async (fastify: Route) => {
    seen(fastify.server);
    fastify.get("/", (request, reply) => {
      reply.hijack();
      listener(request.raw, reply.raw);
    });
  },
});

test("40 clients on a cap of 20: idle ones make room, the rest waits, nobody is reset and the application notices nothing", async () => {
  const holder = await Holder.start();
  let most = 0;
  let server: Server | undefined;
  const addresses = new Set<string>();
  let closes = 0;
  const listener = (_: IncomingMessage, res: ServerResponse): void => {
    addresses.add(JSON.stringify(server?.address()));
    setTimeout(() => res.end("ok"), 20);
  };
  const builtIn = listenerOf(listener, (made) => (server = made.on("close", () => (closes += 1))));
  const rig = startRig({ holder, config: { connections: 20 }, builtIn });
  try {
    await rig.until("ready");
    const watch = setInterval(() => {
      const beat = rig.said.findLast((message) => message.type === "beat");
      if (beat?.type === "beat") most = Math.max(most, beat.connections);
    }, 5);
    const clients = Array.from({ length: 40 }, () => new Client(rig.port));
    const threeTimes = async (client: Client) => [await client.get("/"), await client.get("/"), await client.get("/")];
    const answers = (await Promise.all(clients.map(threeTimes))).flat();
    clearInterval(watch);
    assert.equal(answers.filter(({ status }) => status === 200).length, 120);
    assert.equal(closes, 0);
    assert.deepEqual([...addresses], [JSON.stringify({ address: "127.0.0.1", family: "IPv4", port: rig.port })]);
    assert.deepEqual(
      clients.filter((client) => client.error !== undefined),
      [],
    );
    assert.ok(most <= 21, `${most} connections at a time: the cap, and one for whom room is made`);
    assert.ok(
      rig.said.some((message) => message.type === "beat" && message.full),
      "the cap was never reached",
    );
    await Promise.all(clients.map((client) => client.end()));
  } finally {
    rig.tell({ type: "drain", within: 1_000 as never });
    await rig.exited;
    holder.stop();
  }
});

test("with all connections in use the worker stops accepting, and starts again when one ends", async () => {
  const holder = await Holder.start();
  const open: ServerResponse[] = [];
  const rig = startRig({ holder, config: { connections: 4 }, builtIn: listenerOf((_, res) => void open.push(res)) });
  try {
    await rig.until("ready");
    const busy = Array.from({ length: 4 }, () => new Client(rig.port));
    const answered = busy.map((client) => client.get("/"));
    while (open.length < 4) await new Promise(setImmediate);
    const late = new Client(rig.port);
    const lateAnswer = late.get("/");
    let full = rig.said.findLast((message) => message.type === "beat");
    while (full?.type !== "beat" || !full.full) {
      await rig.next("beat");
      full = rig.said.findLast((message) => message.type === "beat");
    }
    assert.equal(open.length, 4, "the fifth waits in the kernel's queue");
    open[0]?.end("first");
    const { client } = await Promise.race(busy.map(async (c, nr) => ({ client: c, body: (await answered[nr])?.body })));
    await client.end();
    while (open.length < 5) await new Promise(setImmediate);
    open[4]?.end("late");
    assert.equal((await lateAnswer).body, "late");
    for (const res of open) res.end();
    await Promise.all([...busy, late].map((client) => client.end()));
  } finally {
    rig.tell({ type: "drain", within: 500 as never });
    await rig.exited;
    holder.stop();
  }
});
