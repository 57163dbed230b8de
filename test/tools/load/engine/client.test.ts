/** A user's connection when no HTTP answer comes. */
import assert from "node:assert/strict";
import net, { type AddressInfo, type Socket } from "node:net";
import test, { type TestContext } from "node:test";
import { Client } from "../../../../src/tools/load/engine/client.ts";
import { findTarget, parseTarget } from "../../../../src/load/target.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** @param words what is sent for each request, by its path. */
async function clientAt(t: TestContext, words: (path: string) => string): Promise<Client> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket
      .on("error", () => {})
      .on("data", (chunk: Buffer) => socket.write(words(chunk.toString().split(" ")[1] ?? "")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new Client(
    await findTarget(parseTarget(`http://127.0.0.1:${port}`), false),
    600_000,
  );
  t.after(() => (client.close(), sockets.forEach((socket) => socket.destroy()), server.close()));
  return client;
}

test("a server that switches protocols has answered with an error, at once; the next request is sent", async (t) => {
  const client = await clientAt(t, (path) =>
    path === "/up"
      ? "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
      : OK,
  );
  assert.deepEqual(await client.send({ method: "GET", path: "/up" }), {
    outcome: "error",
    reason: "HTTP 101",
  });
  assert.deepEqual(await client.send({ method: "GET", path: "/" }), { outcome: "ok", reason: "" });
});

test("a request that Node.js refuses to send is an error, and ends nothing", async (t) => {
  const client = await clientAt(t, () => OK);
  for (const [headers, why] of [
    [{ trailer: "x" }, "ERR_HTTP_TRAILER_INVALID"],
    [{ "a b": "x" }, "ERR_INVALID_HTTP_TOKEN"],
    [{ a: "x\ny" }, "ERR_INVALID_CHAR"],
  ] as const) {
    assert.deepEqual(await client.send({ method: "GET", path: "/", headers: { ...headers } }), {
      outcome: "error",
      reason: why,
    });
    assert.equal((await client.send({ method: "GET", path: "/" })).outcome, "ok");
  }
});
