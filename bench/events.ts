/**
 * What the change feed costs: the broker's comparison of two readings of a table, and a worker's delivery of an event to its
 * streams. Delivery is measured as the worker's own CPU time per event and client, beside the same text through `res.write`; the
 * clients are in this process.
 *
 *   node bench/events.ts [streams, default 1000] [events, default 100]
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Hub } from "../src/app/live/hub.ts";
import { eventText } from "../src/app/live/piece.ts";
import { systemClock } from "../src/base/clock.ts";
import { makeLogger } from "../src/base/log.ts";
import { seconds, type Timestamp } from "../src/base/units.ts";
import { Feed } from "../src/broker/feed/feed.ts";
import { createTables } from "../src/sheets/client.ts";
import type { FeedEvent } from "../src/sheets/events.ts";
import { encodeSnapshot, type Cell } from "../src/sheets/snapshot.ts";
import type { Transport, TransportEvents } from "../src/sheets/transport.ts";
import type { TableInfo } from "../src/sheets/types.ts";

const log = makeLogger({ role: "broker" }, "error", process.stderr);
const INFO: TableInfo = { name: "players", definition: "d", ttl: seconds(3_600), read: "public", append: "nobody", update: "nobody" };
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

// The broker: one row of many has changed; all rows have moved.

function comparison(rows: number): void {
  const folder = mkdtempSync(join(tmpdir(), "drover-bench-"));
  const feed = new Feed({ dataDir: folder, epoch: 1, log });
  feed.tables([INFO]);
  const columns = ["id", "name", "team", "status", "score"].map((name) => ({ name, type: "auto" as const }));
  const order = Array.from({ length: rows }, (_, i) => i);
  const table = (change: number): Cell[][] =>
    order.map((i) => [`p${i}`, `Haruka Hayashi ${i}`, "Lynx Croix-Rousse", "alive", i === 7 ? change : i]);
  let version = 0;
  const times = { encode: [] as number[], one: [] as number[], moved: [] as number[] };
  const round = (kind: "one" | "moved"): void => {
    const content = { columns, key: 0, rows: table((version += 1)) };
    const began = performance.now();
    const { bytes, hash } = encodeSnapshot(content);
    const encoded = performance.now();
    feed.seen({ table: "players", epoch: 1, version, hash, asOf: 0 as Timestamp, checkedAt: version as Timestamp }, bytes);
    feed.flush();
    times.encode.push(encoded - began);
    times[kind].push(performance.now() - encoded);
  };
  round("one");
  times.one.length = 0;
  for (let i = 0; i < 20; i += 1) round("one");
  for (let i = 0; i < 20; i += 1) {
    order.push(...order.splice(0, order.length >> 1));
    order.reverse();
    round("moved");
  }
  feed.close();
  rmSync(folder, { recursive: true });
  const [encode, one, moved] = [times.encode, times.one, times.moved].map(median) as [number, number, number];
  console.log(
    `a table of ${rows} rows: encoding it ${encode.toFixed(1)} ms; finding, keeping and telling 1 changed row ${one.toFixed(1)} ms, with every row moved ${moved.toFixed(1)} ms`,
  );
}

// A worker: one event to every stream.

let seq = 0;
const event = (): FeedEvent => {
  const row = JSON.stringify({ id: "p7", name: "Haruka Hayashi", team: "Lynx Croix-Rousse", status: "alive", score: (seq += 1) });
  return { epoch: 1, seq, table: "players", definition: "d", version: seq, what: { kind: "row.updated", key: "p7", row } };
};

/** In the server's process: what the other one asks for by message, and the CPU time that it took. */
function serve(): void {
  let told!: TransportEvents;
  const none = async (): Promise<never> => await new Promise(() => {});
  const transport: Transport = { want: none, write: none, find: none, touch() {}, close() {}, listen: (events) => void (told = events) };
  const tables = createTables(transport);
  told.tables([INFO]);
  told.changes({ after: { epoch: 1, seq: 0 }, events: [], upTo: { epoch: 1, seq: 0 } });
  const hub = new Hub({ tables, clock: systemClock, log, most: Infinity, reconnect: seconds(5) });
  const plain = new Set<ServerResponse>();
  const server = createServer((req, res) => {
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    if (req.url === "/hub") return hub.open(res, { tables: undefined, who: { is: "stranger" }, stands: () => true }, { is: "now" });
    res.write(":\n\n");
    plain.add(res);
  });
  server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
  const deliver = async ({ how, events }: { how: "hub" | "write"; events: number }): Promise<void> => {
    const began = process.cpuUsage();
    for (let i = 0; i < events; i += 1) {
      const one = event();
      if (how === "hub") told.changes({ after: { epoch: 1, seq: one.seq - 1 }, events: [one], upTo: { epoch: 1, seq: one.seq } });
      else {
        told.changes({ after: { epoch: 1, seq: one.seq - 1 }, events: [], upTo: { epoch: 1, seq: one.seq } });
        for (const res of plain) res.write(eventText(one));
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { user, system } = process.cpuUsage(began);
    process.send?.({ micros: user + system });
  };
  process.on("message", (order) => void deliver(order as Parameters<typeof deliver>[0]));
}

async function delivery(streams: number, events: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ["serve"]);
  const heard = (): Promise<{ port: number; micros: number }> =>
    new Promise((resolve) => child.once("message", resolve as (m: unknown) => void));
  const { port } = await heard();
  const counts = { hub: 0, write: 0 };
  const sockets: Socket[] = [];
  const open = async (how: "hub" | "write"): Promise<void> => {
    for (let i = 0; i < streams; i += 1) {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      socket.write(`GET /${how} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await new Promise((resolve) => socket.once("data", resolve));
      socket.on("data", (chunk) => (counts[how] += chunk.toString("latin1").split("event: row.updated").length - 1));
    }
  };
  await open("hub");
  await open("write");
  const rounds = { hub: [] as number[], write: [] as number[] };
  for (let round = 0; round < 5; round += 1)
    for (const how of ["hub", "write"] as const) {
      child.send({ how, events });
      rounds[how].push((await heard()).micros / events / streams);
    }
  while (counts.hub < 5 * events * streams || counts.write < 5 * events * streams) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const socket of sockets) socket.destroy();
  child.kill();
  const [hub, write] = [median(rounds.hub), median(rounds.write)];
  console.log(
    `${streams} streams of one worker: ${hub.toFixed(2)} µs of CPU per event and client (res.write: ${write.toFixed(2)}, ratio ${(hub / write).toFixed(2)}); ` +
      `${((hub * streams) / 1_000).toFixed(1)} ms per event; all ${counts.hub + counts.write} arrived`,
  );
}

if (process.argv[2] === "serve") serve();
else {
  for (const rows of [500, 5_000]) comparison(rows);
  await delivery(Number(process.argv[2] ?? 1_000), Number(process.argv[3] ?? 100));
}
