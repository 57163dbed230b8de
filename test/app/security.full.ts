// alone
/** Clients that read nothing or send slowly: when they are cut off, and the memory that they cost. */
import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "../worker/http.ts";
import { folder } from "../support/cleanup.ts";
import { startWorker, type WorkerProcess } from "./export/worker.ts";

const REQUEST_TIMEOUT = 1_500;
const HEADERS_TIMEOUT = 1_000;
/** What a busy machine may add to every moment that is measured here; what is stalled fills the kernel's buffers first. */
const BUSY = 8_000;

/** @returns milliseconds until the server closes the connection. */
async function closedAfter(worker: WorkerProcess, begin: string, more: string): Promise<number> {
  const client = new Client(worker.port);
  const began = performance.now();
  client.write(begin);
  const drip = setInterval(() => client.socket.writable && client.write(more), 100);
  await client.until(() => client.closed);
  clearInterval(drip);
  assert.ok(!client.received.startsWith("HTTP/1.1 2"), client.received.slice(0, 100));
  return performance.now() - began;
}

interface Stalled {
  readonly client: Client;
  /** When its first bytes came; undefined: they have not. */
  since: number | undefined;
}

/** Asks, reads the head and then nothing. */
function stall(port: number, target: string, address: string): Stalled {
  const client = new Client(port, address).write(`GET ${target} HTTP/1.1\r\nHost: t\r\n\r\n`);
  const stalled: Stalled = { client, since: undefined };
  client.socket.once("data", () => {
    client.socket.pause();
    stalled.since = performance.now();
  });
  return stalled;
}

/** @returns milliseconds from the last reader's stall until the worker has cut off all, and the most memory that it had meanwhile. */
async function cutOff(worker: WorkerProcess, readers: readonly Stalled[]): Promise<{ after: number; rss: number }> {
  const began = performance.now();
  for (let rss = 0; ;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const seen = await worker.seen();
    rss = Math.max(rss, seen.rss);
    const now = performance.now();
    if (seen.timeouts >= readers.length) return { after: now - Math.max(...readers.map(({ since }) => since ?? began)), rss };
    assert.ok(now - began < 20_000, `of ${readers.length} stalled readers ${seen.timeouts} were cut off`);
  }
}

test("who reads nothing is cut off in time and costs little memory; who sends slowly is cut off in time", async (t) => {
  const directory = folder(t);
  const file = await open(join(directory, "30MB.bin"), "w");
  await file.truncate(30_000_000);
  await file.close();
  await using worker = await startWorker({
    rows: 50_000,
    text: 500,
    requestTimeout: REQUEST_TIMEOUT,
    headersTimeout: HEADERS_TIMEOUT,
    staticDir: directory,
  });
  const warm = new Client(worker.port);
  await warm.get("/api/tables/big/export?format=csv&limit=1");
  await warm.get("/static/30MB.bin", [], "HEAD");
  await warm.end();
  await worker.seen();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const idle = (await worker.seen()).rss;

  const post = "POST /api/tables/small HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n";
  const targets = [
    ...Array.from({ length: 20 }, () => "/static/30MB.bin"),
    ...Array.from({ length: 10 }, (_, i) => `/api/tables/big/export?format=${i % 2 === 0 ? "csv" : "json"}`),
  ];
  const readers = targets.map((target, i) => stall(worker.port, target, `127.0.0.${i + 2}`));
  const [{ after, rss }, ...slow] = await Promise.all([
    cutOff(worker, readers),
    closedAfter(worker, "GET / HTTP/1.1\r\nHost: t\r\n", "x: y\r\n"),
    closedAfter(worker, "", ""),
    closedAfter(worker, `${post}Content-Length: 1000000\r\n\r\n`, "["),
    closedAfter(worker, `${post}Transfer-Encoding: chunked\r\n\r\n`, "1\r\n[\r\n"),
  ]);
  for (const { client } of readers) await client.end();
  const growth = (rss - idle) / 1_048_576;
  console.log(
    `20 stalled readers of a 30 MB file and 10 of a 30 MB export: closed after ${after.toFixed(0)} ms (write timeout ${REQUEST_TIMEOUT}), RSS +${growth.toFixed(1)} MiB`,
  );
  const [headers = 0, silence = 0, ...bodies] = slow.map(Math.round);
  console.log(
    `slow headers closed after ${headers} ms, silence after ${silence} (timeout ${HEADERS_TIMEOUT}); slow bodies after ${bodies.join(" and ")} ms (${REQUEST_TIMEOUT})`,
  );
  assert.ok(after <= REQUEST_TIMEOUT + 1_000 + BUSY);
  assert.ok(growth <= 100);
  for (const took of [headers, silence]) assert.ok(took <= HEADERS_TIMEOUT + 1_000 + BUSY);
  for (const took of bodies) assert.ok(took <= REQUEST_TIMEOUT + 1_000 + BUSY);
  const again = new Client(worker.port);
  assert.equal((await again.get("/api/tables/small/export?format=csv")).status, 200, "the places were given back");
  await again.end();
});
