/** What goes wrong on a connection is answered after the requests before it, and read by the client before the connection ends. */
import assert from "node:assert/strict";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bytes } from "../../src/base/units.ts";
import { Client } from "./http.ts";
import { startRig, type Rig, type RigOptions } from "./rig.ts";

const app = fileURLToPath(new URL("apps/seen.mjs", import.meta.url));

interface Fastify {
  get(path: string, handler: () => unknown): void;
  post(path: string, handler: (request: { body: unknown }) => unknown): void;
}
let posts = 0;
const builtIn = {
  default: async (fastify: Fastify): Promise<void> => {
    fastify.get("/", () => "quick");
    fastify.get("/slow", async () => (await sleep(50), "slow"));
    fastify.post("/", () => `post ${(posts += 1)}`);
  },
};

async function serving(options: RigOptions, use: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = startRig(options);
  await rig.until("ready");
  try {
    await use(rig);
  } finally {
    rig.tell({ type: "drain", within: 1_000 as never });
    await rig.exited;
  }
}

const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: t\r\n${more}\r\n`;

test("an application's body over the limit is 413 after the answers before it, which arrive whole", async () => {
  await serving({ config: { app, bodyLimit: bytes(1_000) } }, async (rig) => {
    for (const head of ["Content-Length: 300000\r\n\r\n", `Transfer-Encoding: chunked\r\n\r\n493e0\r\n`]) {
      const client = new Client(rig.port).write(`${get("/slow")}POST / HTTP/1.1\r\nHost: t\r\n${head}${"x".repeat(300_000)}`);
      assert.match((await client.response()).body, /"\/slow"/);
      assert.equal((await client.response()).status, 413);
      await client.until(() => client.closed);
      assert.equal(client.error, undefined, "no reset");
    }
  });
});

test("the built-in service's body over the limit is 413 after the answers before it, and no reset", async () => {
  await serving({ builtIn }, async (rig) => {
    const json = "Host: t\r\nContent-Type: application/json\r\n";
    for (const head of ["Content-Length: 2000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1e8480\r\n"]) {
      const client = new Client(rig.port).write(`${get("/slow")}POST / HTTP/1.1\r\n${json}${head}${"x".repeat(2_000_000)}`);
      assert.equal((await client.response()).body, "slow");
      assert.equal((await client.response()).status, 413);
      await client.until(() => client.closed);
      assert.equal(client.error, undefined, "no reset");
    }
  });
});

test("what is no request is 400 after the answers before it", async () => {
  await serving({ builtIn }, async (rig) => {
    const client = new Client(rig.port).write(`${get("/slow")}${get("/")}what is this?\r\n\r\n`);
    assert.equal((await client.response()).body, "slow");
    assert.equal((await client.response()).body, "quick");
    assert.equal((await client.response()).status, 400);
    await client.until(() => client.closed);
    assert.equal(client.received, "");
  });
});

test("a Fastify plugin's client gets the answer to its request before the 400, and one refusal", async () => {
  const plugin = fileURLToPath(new URL("apps/paths.mjs", import.meta.url));
  for (const strict of [false, true])
    await serving({ config: { app: plugin, strict } }, async (rig) => {
      const last = new Client(rig.port).write(`${get("/slow", "Connection: close\r\n")}what is this?\r\n\r\n`);
      const { status, body } = await last.response();
      assert.deepEqual([status, body], [200, '{"url":"/slow"}']);
      await last.until(() => last.closed);
      assert.equal(last.received, "");
      if (!strict) return; // without it the request is the application's to judge
      const odd = new Client(rig.port).write(
        `POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${get("/slow")}`,
      );
      assert.equal((await odd.response()).status, 400);
      await odd.until(() => odd.closed);
      assert.equal(odd.received, "");
    });
});

test("in strict mode an application's client, too, gets the answer to its request before the 400", async () => {
  await serving({ config: { app, strict: true } }, async (rig) => {
    for (const [more, behind, next] of [
      ["", "what is this?\r\n\r\n", 400],
      ["Connection: close\r\n", get("/"), undefined],
    ] as const) {
      const client = new Client(rig.port).write(`${get("/slow", more)}${behind}`);
      const { status, body } = await client.response();
      assert.deepEqual([status, /"\/slow"/.test(body)], [200, true]);
      if (next !== undefined) assert.equal((await client.response()).status, next);
      await client.until(() => client.closed);
      assert.equal(client.received, "");
    }
  });
});

test("of a body that nothing reads a little is dropped after the answer, then the connection ends", async () => {
  for (const options of [{ builtIn }, { config: { app, bodyLimit: bytes(0) } }] satisfies RigOptions[])
    await serving(options, async (rig) => {
      for (const head of [`Content-Length: ${2 ** 40}\r\n`, "Transfer-Encoding: chunked\r\n"]) {
        const client = new Client(rig.port).write(get("/", head));
        assert.equal((await client.response()).status, 200);
        const chunk = head.startsWith("T") ? `10000\r\n${"x".repeat(65_536)}\r\n` : "x".repeat(65_536);
        let sent = 0;
        const more = (): void => {
          while (!client.closed && client.socket.write(chunk)) sent += chunk.length;
        };
        client.socket.on("drain", more);
        more();
        await client.until(() => client.closed);
        assert.ok(sent < 64 * 1_048_576, `${sent} bytes were taken`);
      }
      const short = new Client(rig.port);
      assert.equal((await short.write(`${get("/", "Content-Length: 3\r\n")}abc`).response()).status, 200);
      assert.equal((await short.get("/")).status, 200, "a short one keeps its connection");
      await short.end();
    });
});

test("no request behind the last answer of a connection is processed", async () => {
  await serving({ builtIn }, async (rig) => {
    const before = posts;
    const post = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n";
    const client = new Client(rig.port).write(`${get("/", "Host: other\r\n")}${post}`);
    assert.equal((await client.response()).status, 400);
    await client.until(() => client.closed);
    assert.equal(posts, before);
    assert.equal((await new Client(rig.port).write(post).response()).body, `post ${before + 1}`);
  });
});

test("an answer that is made takes no place of the service, however late its client reads it", { timeout: 30_000 }, async () => {
  const large = Buffer.alloc(5 * 1_048_576); // 12 of them: less than may wait for all clients
  const made = {
    default: async (fastify: Fastify & { get(path: string, handler: (request: unknown, reply: Hijackable) => unknown): void }) => {
      fastify.get("/", () => "quick");
      fastify.get("/large", () => large);
      fastify.get("/endless", (_request: unknown, reply: Hijackable) => {
        reply.hijack();
        reply.raw.write("on and on");
      });
    },
  };
  await serving({ builtIn: made, config: { connections: 20 } }, async (rig) => {
    // 16 places: half the connections, at least 16.
    const readers = Array.from({ length: 12 }, () => new Client(rig.port).write(get("/large")));
    for (const { socket } of readers) socket.pause();
    const queued = new Client(rig.port).write(`${get("/endless")}${get("/").repeat(30)}`);
    await queued.until(() => queued.received.includes("on and on"));
    const other = new Client(rig.port);
    for (let nr = 0; nr < 20; nr += 1) assert.equal((await other.get("/")).status, 200);
    await Promise.all([...readers, queued, other].map((client) => client.end()));
  });
});

interface Hijackable {
  hijack(): void;
  readonly raw: { write(text: string): void };
}

test("requests behind the last answer are dropped, and little is read of them while it takes long", async () => {
  const [reading, slow] = [Promise.withResolvers<Socket>(), Promise.withResolvers<string>()];
  const waiting = {
    default: async (fastify: Fastify & { readonly server: Server }): Promise<void> => {
      fastify.server.once("connection", reading.resolve);
      fastify.get("/", () => slow.promise);
    },
  };
  await serving({ builtIn: waiting }, async (rig) => {
    const client = new Client(rig.port).write(get("/", "Connection: Upgrade\r\nUpgrade: x\r\n"));
    const socket = await reading.promise;
    while (socket.bytesRead === 0) await rig.next("beat");
    client.write(get("/").repeat(100_000));
    for (let beats = 0; beats < 20; beats += 1) await rig.next("beat");
    assert.ok(socket.bytesRead < 300_000, `${socket.bytesRead} bytes were read`);
    slow.resolve("slow");
    assert.equal((await client.response()).body, "slow");
    await client.until(() => client.closed);
  });
});

test("a declined Upgrade is its connection's last request: node:http drops what came behind it in the same piece", async () => {
  const upgrade = "Connection: Upgrade\r\nUpgrade: h2c\r\n";
  for (const options of [{ builtIn }, { config: { app, strict: true } }])
    await serving(options, async (rig) => {
      for (const behind of [get("/"), "GET /lost?"]) {
        const client = new Client(rig.port).write(`${get("/", upgrade)}${behind}`);
        const { status, head } = await client.response();
        assert.equal(status, 200);
        assert.match(head, /^connection: close\r$/im);
        client.write(get("/"));
        await client.until(() => client.closed);
        assert.equal(client.received, "");
      }
      const posting = new Client(rig.port).write(`POST / HTTP/1.1\r\nHost: t\r\n${upgrade}Content-Length: 2\r\n\r\n{`);
      posting.write("}");
      assert.ok((await posting.response()).status < 500);
      await posting.until(() => posting.closed);
    });
});
