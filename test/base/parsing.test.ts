import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { refusePipelining } from "../../src/base/parsing.ts";

const GET = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";

async function serving(t: TestContext, listener: RequestListener): Promise<{ server: Server; port: number; refused: () => number }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  let refused = 0;
  refusePipelining(server, () => (refused += 1));
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  return { server, port: (server.address() as AddressInfo).port, refused: () => refused };
}

async function received(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let all = "";
  socket.on("data", (chunk: string) => (all += chunk)).on("error", () => {});
  socket.write(text);
  await once(socket, "close");
  return all;
}

test("a request that comes before the one ahead of it is answered ends the connection; of a thousand one is worked on", async (t) => {
  let begun = 0;
  const { port, refused, server } = await serving(t, (_, res) => void ((begun += 1), setImmediate(() => res.end("answer"))));
  let errors = 0;
  server.on("clientError", () => (errors += 1));
  await received(port, GET.repeat(1_000));
  assert.deepEqual([begun, refused(), errors], [1, 1, 0]);
});

test("one after the other a connection may have any number of requests", async (t) => {
  const waiting: ServerResponse[] = [];
  const { port, refused } = await serving(
    t,
    (_, res) => void (waiting.length < 3 ? (waiting.push(res), res.end("answer")) : res.destroy()),
  );
  const socket = connect(port, "127.0.0.1")
    .setEncoding("latin1")
    .on("error", () => {});
  for (let nr = 0; nr < 3; nr += 1) {
    socket.write(GET);
    const [text] = (await once(socket, "data")) as [string];
    assert.match(text, /answer$/);
  }
  socket.destroy();
  assert.equal(refused(), 0);
});
