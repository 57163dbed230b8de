// alone
/** A flood of connections at a full worker: how long a client behind it waits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Holder } from "./holder.ts";
import { Client } from "./http.ts";
import { startRig } from "./rig.ts";

/** Answers every request at once. */
const OK = {
  default: async (fastify: { get(path: string, handler: () => string): void }) => fastify.get("/", () => "ok"),
};

test("a flood of idle connections, or of heads that trickle in, keeps nobody out for long", async (t) => {
  const holder = await Holder.start();
  const rig = startRig({ holder, config: { connections: 10 }, builtIn: OK });
  const flood: Client[] = [];
  const trickle = setInterval(() => flood.forEach((client, nr) => nr % 4 === 0 && client.socket.writable && client.write("\r\n")), 30);
  try {
    await rig.until("ready");
    for (let nr = 0; nr < 150; nr += 1) {
      const client = new Client(rig.port);
      flood.push(client);
      if (nr % 2 === 1) client.write("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    const begun = performance.now();
    const good = new Client(rig.port);
    assert.equal((await good.get("/")).body, "ok");
    const waited = performance.now() - begun;
    t.diagnostic(`behind 150 of them at a cap of 10: ${waited.toFixed(0)} ms`);
    assert.ok(waited < 8_000, `it waited ${waited.toFixed(0)} ms: the flood was let in at a cap's worth a second`);
    const cheated = flood.filter((client, nr) => nr % 2 === 1 && client.closed && !client.received.endsWith("ok"));
    assert.equal(cheated.length, 0, "who asks is not closed without an answer");
    await good.end();
  } finally {
    clearInterval(trickle);
    await Promise.all(flood.map((client) => client.end()));
    rig.tell({ type: "drain", within: 500 as never });
    await rig.exited;
    holder.stop();
  }
});
