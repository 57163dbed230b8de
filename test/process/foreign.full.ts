// alone
/** Applications of other frameworks, unmodified: an Express script and a ws server, supervised like any other. */
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { get, ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const APPS = join(ROOT, "test/process/apps");

const express = (t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<Daemon> => start(t, { args: [join(APPS, "express.mjs")], env });
const ws = (t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<Daemon> => start(t, { args: [join(APPS, "ws.mjs")], env });

const portOf = (url: string): number => Number(new URL(url).port);

async function reloaded(daemon: Daemon): Promise<void> {
  const { generation } = await daemon.status();
  await daemon.control("reload");
  await eventually("the roll is done", async () => {
    const { lastRoll, roll } = await daemon.status();
    return roll === null && lastRoll?.is === "done" && lastRoll.generation > generation;
  });
}

/** Clients that ask until they are told to stop: one half keeps its connection, the other takes a new one each time. */
function clients(daemon: Daemon, count: number): () => Promise<{ served: number; failures: string[] }> {
  const asking = { on: true };
  let served = 0;
  const failures: string[] = [];
  const one = async (agent: http.Agent | false): Promise<void> => {
    while (asking.on) {
      await get(`${daemon.url}/pid`, { agent }).then(
        ({ status }) => void (status === 200 ? (served += 1) : failures.push(`status ${status}`)),
        (error: Error) => failures.push(error.message),
      );
      await sleep(50);
    }
  };
  const agents = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? new http.Agent({ keepAlive: true, maxSockets: 1 }) : false));
  const all = agents.map(one);
  return async () => {
    asking.on = false;
    await Promise.all(all);
    for (const agent of agents) if (agent !== false) agent.destroy();
    return { served, failures };
  };
}

test("Express: three reloads under 16 clients, and none of them fails", async (t) => {
  const daemon = await express(t, { DROVER_WORKERS: "3" });
  const asked = clients(daemon, 16);
  for (let i = 0; i < 3; i += 1) await reloaded(daemon);
  const { served, failures } = await asked();
  console.log(`Express, 3 reloads under 16 clients: ${served} served, ${failures.length} failed`);
  assert.deepEqual(failures, []);
  assert.ok(served > 100, `${served}`);
});

test("Express: a handler that loops is named, its worker replaced; one that throws later is a crash with its stack", async (t) => {
  const daemon = await express(t, { DROVER_TIMEOUT: "2s" });
  const record = (death: string) => eventually(`a record says ${death}`, () => daemon.log().findLast((line) => line["death"] === death));
  void get(`${daemon.url}/loop`).catch(() => {});
  const stuck = await record("stuck");
  await eventually("all are ready", async () => (await daemon.status()).workers.ready === 2);
  assert.match(String(stuck["msg"]), /was stuck: spinning at express\.mjs:\d+ spin/);
  assert.match((stuck["inFlight"] as string[]).join(), /GET \/loop for/);

  await get(`${daemon.url}/crash`).catch(() => {});
  const crash = await record("crash");
  assert.match((crash["stderr"] as string[]).join("\n"), /nobody catches this[^]*later.*express\.mjs/);
  await eventually("all are ready", async () => (await daemon.status()).workers.ready === 2);
  assert.equal((await get(daemon.url)).status, 200);
});

interface Ended {
  readonly code: number;
  readonly clean: boolean;
  readonly messages: string[];
}

/** A client as a browser has one. */
async function connected(url: string): Promise<{ socket: WebSocket; ended: Promise<Ended> }> {
  const socket = new WebSocket(url.replace("http", "ws"));
  const messages: string[] = [];
  socket.addEventListener("message", ({ data }) => void messages.push(String(data)));
  const ended = new Promise<Ended>((resolve) =>
    socket.addEventListener("close", ({ code, wasClean }) => resolve({ code, clean: wasClean, messages })),
  );
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("no WebSocket")));
  });
  return { socket, ended };
}

const echoed = (socket: WebSocket, text: string): Promise<string> =>
  new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true });
    socket.send(text);
  });

test("ws: an echo, compressed too; 1001 at a reload, and the client comes back to the new generation", async (t) => {
  const daemon = await ws(t);
  const many = await Promise.all(Array.from({ length: 8 }, () => connected(daemon.url)));
  for (const { socket } of many) {
    assert.equal(await echoed(socket, "short"), "short");
    assert.equal(await echoed(socket, "long ".repeat(10_000)), "long ".repeat(10_000));
  }
  await reloaded(daemon);
  for (const { ended } of many) {
    const { code, clean } = await ended;
    assert.deepEqual([code, clean], [1001, true]);
  }
  const { socket, ended } = await connected(daemon.url);
  assert.equal(await echoed(socket, "again"), "again");
  const { code } = await daemon.stop("SIGTERM");
  assert.equal((await ended).code, 1001);
  assert.equal(code, 0);
});

test("ws: in the middle of a flood of frames every client gets whole ones, and then 1001", async (t) => {
  const daemon = await ws(t, { DROVER_WORKERS: "1" });
  const many = await Promise.all(Array.from({ length: 4 }, () => connected(`${daemon.url}/flood`)));
  await Promise.all(many.map(({ socket }) => new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }))));
  await reloaded(daemon);
  for (const { ended } of many) {
    const { code, clean, messages } = await ended;
    assert.deepEqual([code, clean], [1001, true]);
    assert.ok(messages.length > 0 && messages.every((text) => text.length === 100_000));
  }
});

test("ws: a client that ignores the goodbye, and one that does not even read, are ended by the grace", async (t) => {
  const daemon = await ws(t, { DROVER_WORKERS: "1", DROVER_GRACEFUL_TIMEOUT: "3s", DROVER_DRAIN_IDLE: "500ms" });
  const upgrade = (path: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  const open = async (path: string): Promise<{ socket: net.Socket; closed: Promise<unknown>; text(): string }> => {
    let text = "";
    const socket = net.connect(portOf(daemon.url), "127.0.0.1", () => socket.write(upgrade(path)));
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("error", () => {});
    await eventually("the upgrade is answered", () => text.includes("101 Switching"));
    return { socket, closed: new Promise((resolve) => socket.once("close", resolve)), text: () => text };
  };
  const deaf = await open("/");
  const blind = await open("/flood");
  blind.socket.pause();
  const began = performance.now();
  const { code } = await daemon.stop("SIGTERM");
  const took = performance.now() - began;
  await deaf.closed;
  assert.ok(deaf.text().endsWith("\x88\x02\x03\xe9"), "it got 1001");
  blind.socket.destroy();
  console.log(`clients that ignore 1001: the daemon has left after ${Math.round(took)} ms (grace 3 s)`);
  assert.equal(code, 0);
  assert.ok(took < 6_000, `${took} ms`);
});

/** A GET that never ends by itself; resolves at the head. */
function stream(url: string): Promise<{ text(): string; ended: Promise<number> }> {
  return new Promise((resolve, reject) => {
    const req = http.get(url, { agent: false }, (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const ended = new Promise<number>((over) => res.once("close", () => over(performance.now())));
      resolve({ text: () => text, ended });
    });
    req.on("error", reject);
  });
}

test("the request timeout cuts neither event streams nor WebSockets, busy or quiet", async (t) => {
  const [plain, sockets] = await Promise.all([express(t, { DROVER_REQUEST_TIMEOUT: "400ms" }), ws(t, { DROVER_REQUEST_TIMEOUT: "400ms" })]);
  const [busy, quiet] = await Promise.all([stream(`${plain.url}/events`), stream(`${plain.url}/quiet`)]);
  const { socket } = await connected(sockets.url);
  assert.equal((await get(`${plain.url}/slow`)).status, 504, "a slow request is cut");
  let ends = 0;
  for (const { ended } of [busy, quiet]) void ended.then(() => (ends += 1));
  await sleep(2_000); // five times the timeout: that nothing happens takes time
  assert.equal(ends, 0);
  assert.equal(await echoed(socket, "still here"), "still here");
  assert.equal((await plain.status()).counters.timeouts, 1);
  assert.equal((await sockets.status()).counters.timeouts, 0);
  socket.close();
});

test("event streams end at once at a drain, each with its own time to come back", async (t) => {
  const daemon = await express(t, { DROVER_GRACEFUL_TIMEOUT: "20s" });
  const streams = await Promise.all(Array.from({ length: 12 }, (_, i) => stream(`${daemon.url}/${i % 2 === 0 ? "events" : "quiet"}`)));
  const began = performance.now();
  const { code } = await daemon.stop("SIGTERM");
  const last = Math.max(...(await Promise.all(streams.map(({ ended }) => ended)))) - began;
  const retries = streams.map(({ text }) => Number(/retry: (\d+)\n\n$/.exec(text())?.[1]));
  console.log(`12 event streams ended within ${Math.round(last)} ms of TERM; retry ${Math.min(...retries)} to ${Math.max(...retries)} ms`);
  assert.equal(code, 0);
  assert.ok(last < 3_000, `${last} ms`);
  assert.ok(
    retries.every((retry) => retry >= 500 && retry <= 3_000),
    retries.join(),
  );
  assert.ok(new Set(retries).size > 3, "they differ");
});
