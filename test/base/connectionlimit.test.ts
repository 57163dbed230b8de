import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { limitConnections } from "../../src/base/connectionlimit.ts";
import { http } from "../../src/base/http.ts";

async function limited(t: TestContext, most: number) {
  const waiting: ServerResponse[] = [];
  const server = http.createServer((req, res) => (req.url === "/wait" ? void waiting.push(res) : res.end("ok")));
  let closed = 0;
  limitConnections(server, most, () => (closed += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  t.after(() => (server.closeAllConnections(), server.close()));
  const connect = async (): Promise<Socket> => {
    const socket = net.connect(port, "127.0.0.1").on("error", () => {});
    const accepted = once(server, "connection");
    await Promise.all([once(socket, "connect"), accepted]);
    return socket;
  };
  const ask = async (socket: Socket, path: string): Promise<void> => {
    const begun = once(server, "request");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await begun;
    if (path !== "/wait") await once(socket, "data");
  };
  const unfinished = async (socket: Socket): Promise<void> => {
    const begun = once(server, "request");
    socket.write("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    await begun;
  };
  const count = (): Promise<number> => new Promise((resolve) => server.getConnections((_, n) => resolve(n)));
  return { connect, ask, unfinished, count, waiting, closed: () => closed };
}

const gone = async (socket: Socket): Promise<void> => void (socket.resume(), socket.closed || (await once(socket, "close")));

test("over the limit the oldest connection without a request is closed, one that was never answered first", async (t) => {
  const { connect, ask, count, closed } = await limited(t, 3);
  const [answered, first, second] = [await connect(), await connect(), await connect()];
  await ask(answered, "/");
  await connect();
  await gone(first);
  await connect();
  await gone(second);
  assert.deepEqual([await count(), closed(), answered.destroyed], [3, 2, false]);
  await ask(answered, "/");
});

test("a request whose body has not arrived keeps no place: the oldest such connection is closed for a new one", async (t) => {
  const { connect, ask, unfinished, count } = await limited(t, 2);
  const [first, second] = [await connect(), await connect()];
  for (const socket of [first, second]) await unfinished(socket);
  const operator = await connect();
  await gone(first);
  await ask(operator, "/");
  await connect();
  await gone(second);
  assert.equal(await count(), 2);
});

test("connections with a request under way are never closed for another", async (t) => {
  const { connect, ask, count, waiting } = await limited(t, 2);
  const busy = [await connect(), await connect()];
  for (const socket of busy) await ask(socket, "/wait");
  await gone(await connect());
  assert.equal(await count(), 2);
  const answers = busy.map((socket) => once(socket, "data"));
  waiting.forEach((res) => res.end("late"));
  await Promise.all(answers);
  const next = await connect();
  await gone(busy[0] as Socket);
  await ask(next, "/");
});
