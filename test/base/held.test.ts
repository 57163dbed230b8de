import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { http } from "../../src/base/http.ts";
import { attachHandle, isRawHandle, pause, queueOnly, rawHandle } from "../../src/base/held.ts";
import { selfTestHandles } from "../../src/base/heldtest.ts";

function bound(): { handle: ReturnType<typeof rawHandle>; port: number } {
  const handle = rawHandle({ host: "127.0.0.1", port: 0 });
  const out = { port: 0 };
  handle.getsockname?.(out);
  return { handle, port: out.port };
}

async function ask(where: { port: number } | { socketPath: string }): Promise<string> {
  return await new Promise((resolve, reject) => {
    http
      .get({ host: "127.0.0.1", ...where, path: "/", agent: false }, (res) => {
        let body = "";
        res.on("data", (chunk) => (body += String(chunk))).on("end", () => resolve(body));
      })
      .on("error", reject);
  });
}

async function listening(server: Server, attach: () => void): Promise<void> {
  const heard = once(server, "listening");
  attach();
  await heard;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

test("the self-test passes on the Node.js this repository pins", async () => {
  await selfTestHandles();
});

test("a handle is told from other things", () => {
  const { handle } = bound();
  assert.equal(isRawHandle(handle), true);
  handle.close();
  for (const thing of [undefined, null, 3, {}, http.createServer(), { listen() {} }])
    assert.equal(isRawHandle(thing), thing instanceof Object && "close" in thing);
});

test("one server accepts from several handles and counts all their connections", async () => {
  const server = http.createServer((_, res) => res.end("one server"));
  const [a, b] = [bound(), bound()];
  await listening(server, () => attachHandle(server, a.handle, 16));
  attachHandle(server, b.handle, 16);
  assert.equal(await ask({ port: a.port }), "one server");
  assert.equal(await ask({ port: b.port }), "one server");
  const [x, y] = [connect(a.port, "127.0.0.1"), connect(b.port, "127.0.0.1")];
  await Promise.all([once(server, "connection"), once(x, "connect"), once(y, "connect")]);
  const count = await new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)));
  assert.ok(count >= 1);
  x.destroy();
  y.destroy();
  await close(server);
});

test("a pause closes the handles only: connections, address() and `listening` stay, no `close` is emitted, and a new handle resumes", async () => {
  let closes = 0;
  const server = http.createServer((_, res) => res.end("ok")).on("close", () => (closes += 1));
  const { handle, port } = bound();
  await listening(server, () => attachHandle(server, handle, 16));
  const kept = connect(port, "127.0.0.1");
  await once(server, "connection");
  assert.equal(pause(server), 1);
  assert.equal(pause(server), 0);
  assert.deepEqual(server.address(), { address: "127.0.0.1", family: "IPv4", port });
  assert.equal(server.listening, true);
  await assert.rejects(ask({ port }), { code: "ECONNREFUSED" });
  kept.write("GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  const [answer] = (await once(kept, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1.1 200/);
  attachHandle(server, rawHandle({ host: "127.0.0.1", port }), 16);
  assert.equal(await ask({ port }), "ok");
  server.unref();
  server.ref();
  assert.equal(closes, 0);
  await close(server);
  assert.equal(closes, 1);
  assert.equal(server.address(), null);
});

test("an application that closes its server while it is paused gets its `close`, and no handle starts it again", async () => {
  const server = http.createServer();
  const { handle, port } = bound();
  await listening(server, () => attachHandle(server, handle, 16));
  pause(server);
  await close(server);
  attachHandle(server, rawHandle({ host: "127.0.0.1", port }), 16);
  await assert.rejects(ask({ port }), { code: "ECONNREFUSED" });
});

test("a socket that only queues: who connects waits, this process accepts nothing, and the first server answers", async () => {
  const { handle, port } = bound();
  assert.equal(queueOnly(handle, 16), true);
  let answered = false;
  const waiting = ask({ port }).finally(() => (answered = true));
  for (let i = 0; i < 200; i += 1) await new Promise(setImmediate);
  assert.equal(answered, false);
  const server = http.createServer((_, res) => res.end("late"));
  await listening(server, () => attachHandle(server, handle, 16));
  assert.equal(await waiting, "late");
  await close(server);
  assert.equal(queueOnly({}, 16), false);
});

test("a unix socket is attached below listen, and address() is its path", async () => {
  const directory = mkdtempSync(join(tmpdir(), "drover-held-"));
  const path = join(directory, "s");
  try {
    const server = http.createServer((_, res) => res.end("unix"));
    await listening(server, () => attachHandle(server, rawHandle({ path }), 16, path));
    assert.equal(server.address(), path);
    assert.equal(await ask({ socketPath: path }), "unix");
    await close(server);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("what the system refuses says so", () => {
  const { handle, port } = bound();
  assert.equal(handle.listen(1), 0);
  assert.throws(() => attachHandle(http.createServer(), rawHandle({ host: "127.0.0.1", port }), 1), { code: "EADDRINUSE" });
  assert.throws(() => rawHandle({ fd: 999_999 }), { code: "EINVAL" });
  handle.close();
});
