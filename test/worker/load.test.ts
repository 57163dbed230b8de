import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import type { FromChild } from "../../src/base/protocol.ts";
import type { WorkerConfig } from "../../src/worker/config.ts";
import { Client, type Raw } from "./http.ts";
import { startRig, type Rig } from "./rig.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`apps/${name}`, import.meta.url));

async function serving(name: string, use: (client: Client, rig: Rig) => Promise<void>, over: Partial<WorkerConfig> = {}): Promise<Rig> {
  const rig = startRig({ config: { app: fixture(name), ...over } });
  const client = await rig.until("ready").then(() => new Client(rig.port));
  try {
    await use(client, rig);
  } finally {
    await client.end();
    rig.tell({ type: "drain", within: 2_000 as never });
    assert.equal(await rig.exited, 0);
  }
  return rig;
}

const names = ({ headers }: Raw): string => Object.keys(headers).toSorted().join(" ");

test("a Fastify plugin: its options reach the instance, its onClose hooks run at the end", async () => {
  const rig = await serving("plugin.mjs", async (client) => {
    assert.equal((await client.get("/")).body, '{"form":"fastify"}');
    client.write("POST / HTTP/1.1\r\nHost: t\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n\r\n12345678901234567890");
    assert.equal((await client.response()).status, 413);
  });
  assert.equal((globalThis as { closedPlugin?: boolean }).closedPlugin, true);
  assert.deepEqual(rig.said.at(-1), { type: "drained", served: 2, by: "master" });
});

test("a listener, an Express-like function and TypeScript are served byte for byte: no header is added or dropped", async () => {
  await serving("listener.mjs", async (client) => {
    const answer = await client.get("/any?x=1");
    assert.equal(answer.body, "listener");
    assert.equal(names(answer), "connection content-length date keep-alive x-own");
    assert.equal(answer.headers["keep-alive"], "timeout=75");
  });
  await serving("express.cjs", async (client) => assert.equal((await client.get("/")).body, "express-like"));
  await serving("typed.ts", async (client) => assert.equal((await client.get("/x")).body, "typed /x"));
});

test("an object with fetch: methods, bodies, several cookies, an error, HEAD, and what the standard can't express", async () => {
  await serving("fetch.mjs", async (client) => {
    const answer = await client.get("/a?b=c");
    assert.deepEqual([answer.status, answer.body], [201, "GET /a "]);
    assert.equal(answer.headers["x-own"], "yes");
    const head = await client.get("/a", [], "HEAD");
    assert.deepEqual([head.status, head.body], [201, ""]);
    client.write("POST /p HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody");
    assert.equal((await client.response()).body, "POST /p body");
  });
  await serving("fetch.mjs", async (client, rig) => {
    const cookies = await client.get("/cookies");
    assert.equal(cookies.status, 204);
    assert.match(cookies.head, /set-cookie: a=1\r\nset-cookie: b=2/i);
    assert.equal((await client.get("/throw")).status, 500);
    assert.ok(rig.log.some(({ msg }) => String(msg).includes("fetch failed: no")));
    assert.equal((await client.get("/", [], "TRACE")).status, 400);
  });
});

test("a script: its first listen, whatever port it names, gets the held socket; address() is the real one", async () => {
  const rig = await serving("script.mjs", async (client, { port }) => {
    assert.equal((await client.get("/")).body, "script");
    assert.deepEqual(JSON.parse((await client.get("/address")).body), { address: "127.0.0.1", family: "IPv4", port });
  });
  assert.ok(rig.log.some(({ msg }) => String(msg) === "the application listens on 0.0.0.0:3000: it gets the daemon's sockets instead"));
  const ready = rig.said.find((message) => message.type === "ready") as Extract<FromChild, { type: "ready" }>;
  assert.equal(ready.where, `127.0.0.1:${rig.port} (script)`);
  const server = (globalThis as { scriptServer?: Server }).scriptServer;
  assert.equal(server?.listening, true, "to the application its server is still there after the drain");
});

test("a script on Fastify, told localhost: its second server for ::1 is refused as Fastify expects", async () => {
  await serving("fastify-script.mjs", async (client, { port }) => {
    assert.equal((await client.get("/")).body, '{"script":"fastify"}');
    const script = globalThis as { scriptAddress?: string; scriptAddresses?: { port: number }[] };
    while (script.scriptAddresses === undefined) await new Promise(setImmediate); // it listens before it has asked for ::1
    const { scriptAddress, scriptAddresses } = script;
    assert.equal(scriptAddress, `http://127.0.0.1:${port}`);
    assert.deepEqual(
      scriptAddresses.map((address) => address.port),
      [port],
    );
  });
});

test("a second http server of a script listens where it says, and the log warns about it", async () => {
  const rig = await serving("two-servers.mjs", async (client) => {
    assert.equal((await client.get("/")).body, "first");
    const { second } = globalThis as { second?: Server };
    if (second === undefined) throw new Error("the script has not run");
    if (!second.listening) await once(second, "listening");
    const other = new Client((second.address() as AddressInfo).port);
    assert.equal((await other.get("/", ["Connection: close"])).body, "second");
    second.close();
  });
  assert.ok(
    rig.log.some(
      ({ msg, level }) => level === "warn" && String(msg).includes("the application also listens on 127.0.0.1:0, in every worker"),
    ),
  );
});

test("a fetch application never sees a Host that would change the path", async () => {
  await serving("fetch.mjs", async (client) => {
    client.write("GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n");
    assert.equal((await client.response()).status, 400);
  });
});

test("a Fastify plugin finds drover, and its log is drover's: errors stand in it, requests don't", async () => {
  const rig = await serving("logs.mjs", async (client) => {
    assert.equal((await client.get("/slot")).body, '{"slot":3}');
    assert.equal((await client.get("/fails")).status, 500);
    assert.equal((await client.get("/nowhere")).status, 404);
  });
  const lines = rig.log.filter(({ level }) => level !== "debug").map(({ level, msg }) => `${String(level)} ${String(msg)}`);
  assert.deepEqual(lines, ["info the Fastify plugin is ready", "info own line", "error the route failed"]);
});

test("an ambiguous application is refused with the advice", async () => {
  const rig = startRig({ config: { app: fixture("ambiguous.mjs") } });
  const fatal = await rig.until("fatal");
  assert.deepEqual([fatal.exit, fatal.code], [4, "DROVER_E_APP"]);
  assert.match(fatal.message, /ambiguous\.mjs: can't tell/);
  assert.equal(await rig.exited, 4);
});

test("a built-in plugin that throws is fatal too", async () => {
  const rig = startRig({ builtIn: { default: async () => Promise.reject(new Error("no tables")) } });
  const fatal = await rig.until("fatal");
  assert.match(fatal.message, /the built-in service could not be loaded: Error: no tables/);
  assert.equal(await rig.exited, 4);
});
