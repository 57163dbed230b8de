import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { pino } from "pino";
import { http } from "../../../src/base/http.ts";
import { Exports, MOST_EXPORTS } from "../../../src/app/export/exports.ts";
import type { Job } from "../../../src/app/export/pieces.ts";
import { piece, type PieceTask } from "../../../src/app/export/thread.ts";
import { ms, type Timestamp } from "../../../src/base/units.ts";
import type { TableView } from "../../../src/sheets/client.ts";
import { encode, snapshotOf } from "../rows.ts";

const ROWS = 60_000;
const encoded = encode(
  [{ name: "id", type: "auto" }],
  Array.from({ length: ROWS }, (_, i) => [`${"x".repeat(200)}${i}`]),
);
const view = { snapshot: snapshotOf(encoded), head: { hash: encoded.hash } } as unknown as TableView;
const job: Job = { table: "t", format: "csv", mark: false, asOf: 0 as Timestamp, order: undefined, from: 0, to: ROWS };

interface Stand extends AsyncDisposable {
  readonly exports: Exports;
  /** Settles when an export is over: those that were begun, in their order. */
  readonly over: Promise<void>[];
  readonly log: string[];
  readonly runs: () => number;
  readonly open: (text: string) => Socket;
}

async function stand(
  before?: (req: IncomingMessage, res: ServerResponse) => boolean,
  acknowledged?: (socket: Socket) => number,
): Promise<Stand> {
  const log: string[] = [];
  let runs = 0;
  const exports = new Exports({
    threads: { run: async <T>(_: URL, task: unknown): Promise<T> => ((runs += 1), piece(task as PieceTask) as T) },
    log: pino({}, { write: (line: string) => void log.push(line) }),
    takeWithin: ms(150),
    ...(acknowledged === undefined ? {} : { acknowledged }),
  });
  const over: Promise<void>[] = [];
  const server = http.createServer((req, res) => {
    if (before?.(req, res) === true) return;
    over.push(exports.hold(() => exports.send(view, job, res, () => void (res.statusCode = 200))));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    exports,
    over,
    log,
    runs: () => runs,
    open,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  function open(text: string): Socket {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(text);
    return socket;
  }
}

const GET = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
const begun = async ({ over }: Stand, count: number): Promise<void> => {
  while (over.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
};

test("a client that takes a piece too slowly is disconnected, and its place is free again", async () => {
  await using s = await stand();
  const sockets = Array.from({ length: MOST_EXPORTS }, () => s.open(GET));
  await begun(s, MOST_EXPORTS);
  await Promise.all(s.over);
  assert.equal(s.exports.full, false);
  assert.equal(s.log.filter((line) => line.includes("too slowly")).length, MOST_EXPORTS);
  assert.ok(s.runs() < (MOST_EXPORTS * ROWS * 208) / 131_072, "not all of it was made");
  for (const socket of sockets) socket.destroy();
});

test("a client that acknowledges bytes steadily keeps its place though the kernel reports no room, until it stops", async () => {
  let bytes = 0;
  let looks = 0;
  await using s = await stand(undefined, () => ((looks += 1), (bytes += looks < 10 ? 70_000 : 0)));
  const socket = s.open(GET); // paused: the kernel's buffers fill, and nothing drains
  await begun(s, 1);
  await Promise.all(s.over);
  assert.equal(looks, 10);
  assert.equal(s.log.filter((line) => line.includes("too slowly")).length, 1);
  socket.destroy();
});

test("a client that leaves while its export waits behind another answer of its connection keeps no place", async () => {
  let first: ServerResponse | undefined;
  await using s = await stand((_, res) => first === undefined && ((first = res), true));
  const socket = s.open(GET + GET);
  await begun(s, 1);
  while (s.runs() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  socket.destroy();
  await Promise.all(s.over);
  assert.equal(s.exports.full, false);
});

test("nothing is made for a client that left before its turn", async () => {
  await using s = await stand((req, res) => {
    const gone = req.url === "/gone";
    if (gone) {
      req.socket.destroy();
      s.over.push(s.exports.send(view, job, res, () => assert.fail("no head for nobody")));
    }
    return gone;
  });
  s.open(GET.replace("/", "/gone"));
  await begun(s, 1);
  await Promise.all(s.over);
  assert.equal(s.runs(), 0);
});
