import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Server, ServerResponse } from "node:http";
import { test } from "node:test";
import { runtime } from "../../src/base/runtime.ts";
import { ms } from "../../src/base/units.ts";
import { diesWithMaster } from "../../src/worker/lifeline.ts";
import { installWorkerSignals } from "../../src/worker/signals.ts";
import { createThreads } from "../../src/worker/threads.ts";
import { Client } from "./http.ts";
import { config, startRig } from "./rig.ts";

const plugin = {
  default: async (fastify: { get: (path: string, handler: () => unknown) => void }) => fastify.get("/", () => ({ ok: true })),
};
const TASKS = new URL("apps/task.ts", import.meta.url);

test("an answer that waits because its client wishes so is counted, and its duration is not", async () => {
  const waiting = {
    default: async (fastify: { get: (path: string, handler: (_: unknown, reply: { raw: ServerResponse }) => unknown) => void }) => {
      fastify.get("/", () => "ok");
      fastify.get("/waits", async (_, reply) => {
        runtime().service("streams").waits(reply.raw);
        return await new Promise((resolve) => setTimeout(resolve, 30, "ok"));
      });
    },
  };
  const rig = startRig({ builtIn: waiting });
  await rig.until("ready");
  const client = new Client(rig.port);
  await client.get("/waits");
  await client.get("/");
  const served = async (): Promise<number> => (await rig.next("beat")).counters.served;
  while ((await served()) < 2);
  const durations = rig.said.flatMap((said) => (said.type === "beat" ? said.latency : [])).reduce((sum, [, count]) => sum + count, 0);
  assert.equal(durations, 1);
  await client.end();
  rig.tell({ type: "drain", within: ms(300) });
  await rig.exited;
});

test("configure → ready → beats; health, reopen and retune are taken; drained at the end", async () => {
  const rig = startRig({ builtIn: plugin });
  assert.equal((await rig.until("ready")).where, `127.0.0.1:${rig.port} (fastify)`);
  const client = new Client(rig.port);
  await client.get("/");
  const beat = await rig.next("beat");
  assert.deepEqual([beat.connections, beat.inFlight, beat.full, beat.counters.accepted], [1, 0, false, 1]);
  assert.equal(rig.said.filter(({ type }) => type === "beat").flatMap((b) => (b.type === "beat" ? b.latency : [])).length, 1);
  const { slot, generation, addresses } = runtime();
  assert.deepEqual([slot, generation, addresses.length], [3, 7, 1]);
  const health = {
    status: "degraded",
    generation: 7,
    workers: { ready: 1, target: 2 },
    broker: "away",
    upstream: "down",
    demo: false,
  } as const;
  rig.tell({ type: "health", health });
  assert.deepEqual(runtime().health(), health);
  assert.throws(() => runtime().service("nothing" as never), /no service "nothing"/);
  rig.tell({ type: "reopen" });
  assert.ok(rig.log.some(({ msg }) => msg === "reopened"));
  rig.tell({
    type: "retune",
    config: config({ keepAlive: ms(9_000), trustedProxies: [{ address: "127.0.0.1", prefix: 32, family: "ipv4" }] }),
  });
  assert.equal((await client.get("/")).headers["keep-alive"], "timeout=9");
  await client.end();
  rig.tell({ type: "drain", within: ms(1_000) });
  assert.equal(await rig.exited, 0);
});

test("a message that should carry a socket and does not is said, not fatal", async () => {
  const rig = startRig({ builtIn: plugin });
  rig.tell({ type: "handle", address: 0 });
  rig.tell({ type: "handle", address: 7 }, {});
  await rig.until("ready");
  assert.equal(rig.log.filter(({ msg }) => String(msg).includes("without its socket")).length, 2);
  rig.tell({ type: "drain", within: ms(300) });
  await rig.exited;
});

test("access lines: one a request, hits too, with address and id, never the query; none unless asked for", async () => {
  const rig = startRig({ builtIn: plugin, config: { accessLog: 1 } });
  await rig.until("ready");
  const client = new Client(rig.port);
  await client.get("/?token=secret", ["X-Request-Id: me"]);
  await client.get('/no"where');
  await client.end();
  rig.tell({ type: "drain", within: ms(1_000) });
  await rig.exited;
  const lines = rig.access
    .join("")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ method, path, status, client: address, id, slot, role, msg }) => ({ method, path, status, address, id, slot, role, msg })),
    [
      { method: "GET", path: "/", status: 200, address: "127.0.0.1", id: "me", slot: 3, role: "worker", msg: "request" },
      {
        method: "GET",
        path: '/no"where',
        status: 404,
        address: "127.0.0.1",
        id: lines[1]?.["id"],
        slot: 3,
        role: "worker",
        msg: "request",
      },
    ],
  );
  assert.ok(Math.abs(Date.parse(String(lines[0]?.["time"])) - Date.now()) < 5_000);
});

test("TERM to a worker drains it; an application that closes its own server takes its worker with it", async () => {
  const rig = startRig({ builtIn: plugin });
  await rig.until("ready");
  rig.signal("SIGINT");
  const client = new Client(rig.port);
  assert.equal((await client.get("/")).status, 200);
  rig.signal("SIGTERM");
  assert.equal(await rig.exited, 0);
  await client.end();
  let server: Server | undefined;
  const closing = startRig({ builtIn: { default: async (fastify: { server: Server }) => void (server = fastify.server) } });
  await closing.until("ready");
  server?.close();
  assert.equal(await closing.exited, 0);
  assert.ok(closing.log.some(({ msg }) => String(msg).includes("closed its server")));
});

test("a worker whose parent is another process, or whose channel closes, exits", () => {
  const exits: number[] = [];
  let lost: () => void = () => {};
  const port = { send() {}, onMessage() {}, onLost: (handler: () => void) => void (lost = handler) };
  diesWithMaster(port, 100, 1, (code) => exits.push(code));
  assert.deepEqual(exits, [0]);
  diesWithMaster(port, 100, 100, (code) => exits.push(code));
  assert.deepEqual(exits, [0]);
  lost();
  assert.deepEqual(exits, [0, 0]);
});

test("the terminal's signals are ignored, TERM drains, USR1 is left to Node", () => {
  const process = new EventEmitter();
  let terminated = 0;
  let handled = 0;
  installWorkerSignals(
    process,
    () => (terminated += 1),
    () => (handled += 1),
  );
  for (const signal of ["SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR2"]) assert.equal(process.emit(signal), true);
  assert.equal(terminated, 0);
  process.emit("SIGTERM");
  assert.equal(terminated, 1);
  assert.equal(process.listenerCount("SIGUSR1"), 0);
  process.on("SIGCHLD", () => {});
  assert.equal(handled, 0);
  for (let nr = 0; nr < 2; nr += 1) process.once("SIGUSR1", () => {});
  assert.equal(handled, 1, "reported once: without a listener Node's own handler does not come back");
});

test("threads: shared memory passes without a copy, a named export is called, an abort ends the wait, the queue is bounded", async () => {
  const threads = createThreads();
  const memory = new SharedArrayBuffer(8);
  assert.equal(await threads.run<number>(TASKS, { bytes: memory, add: 7 }), 8);
  assert.equal(new Uint8Array(memory)[0], 7);
  assert.equal(await threads.run<string>(TASKS, 1, { name: "slow" }), "slow");
  await assert.rejects(threads.run(TASKS, 10_000, { name: "slow", signal: AbortSignal.timeout(20) }), { name: "AbortError" });
  const many = Array.from({ length: 40 }, () => threads.run(TASKS, 5, { name: "slow" }));
  const results = await Promise.allSettled(many);
  const busy = results.filter((result) => result.status === "rejected" && (result.reason as { code?: string }).code === "THREADS_BUSY");
  assert.ok(busy.length > 0 && busy.length < 40, `${busy.length} refused`);
});
