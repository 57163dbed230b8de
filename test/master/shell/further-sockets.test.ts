import assert from "node:assert/strict";
import { existsSync, unlinkSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { isRawHandle, queueOnly, type RawHandle } from "../../../src/base/held.ts";
import { makeLogger } from "../../../src/base/log.ts";
import type { SocketAddress, ToChild } from "../../../src/base/protocol.ts";
import type { Child } from "../../../src/master/shell/children.ts";
import { createFurtherSockets } from "../../../src/master/shell/further-sockets.ts";
import { folder } from "../../support/cleanup.ts";
import { booted } from "../core/world.ts";

const quiet = makeLogger({ role: "master" }, "silent", { write: () => {} });
const at = (over: Partial<SocketAddress> = {}): SocketAddress => ({
  path: null,
  host: "127.0.0.1",
  port: 0,
  ipv6Only: false,
  nth: 0,
  ...over,
});
const child = (generation = 1): Child => ({ generation, place: "worker/0" }) as unknown as Child;

/** The port of each answer's socket, or its errno. */
function sockets() {
  const answers: (number | string)[] = [];
  const all = createFurtherSockets(quiet, (_, message: ToChild, handle?: RawHandle) => {
    assert.ok(message.type === "bound");
    const name: Partial<AddressInfo> = {};
    handle?.getsockname?.(name);
    queueOnly(handle, 1); // a worker listens on its copy
    answers.push(isRawHandle(handle) ? (name.port ?? "unix") : message.errno);
  });
  return { all, answers };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = net.createServer().once("error", () => resolve(true));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(false)));
  });

test("workers that name the same address get the same socket, the second server on port 0 another one", () => {
  const { all, answers } = sockets();
  for (const [worker, nth] of [
    [child(), 0],
    [child(), 0],
    [child(), 1],
  ] as const)
    all.lend(worker, 1, at({ nth }));
  const [first, second, third] = answers;
  assert.ok(first === second && first !== third && typeof third === "number");
  all.close();
});

test("a worker's death closes nothing; the last user that closes its server closes the socket", async () => {
  const { all, answers } = sockets();
  const [dies, stays] = [child(), child()];
  all.lend(dies, 1, at());
  const port = Number(answers[0]);
  all.left(dies);
  assert.equal(await listens(port), true);
  all.lend(stays, 1, at());
  assert.equal(answers[1], port);
  all.returned(dies, at());
  assert.equal(await listens(port), true, "one that has left already changes nothing");
  all.returned(stays, at());
  assert.equal(await listens(port), false);
});

test("after a roll, what no worker of the new generation has asked for is closed", async () => {
  const { all, answers } = sockets();
  const [old, newer] = [child(1), child(2)];
  all.lend(old, 1, at({ nth: 0 }));
  all.lend(old, 2, at({ nth: 1 }));
  all.lend(newer, 1, at({ nth: 0 }));
  const [kept, gone] = answers.map(Number);
  const { master } = booted(1);
  const second = { ...master, generation: 2 };
  all.left(old);
  all.settle(second); // its worker still runs the first generation
  assert.equal(await listens(gone ?? 0), true);
  const w = booted(1);
  w.feed({ type: "reload", workers: undefined });
  w.bootAll().leave();
  assert.deepEqual([w.master.generation, w.master.roll], [2, undefined]);
  all.settle(w.master);
  assert.deepEqual([await listens(kept ?? 0), await listens(gone ?? 0)], [true, false]);
  all.close();
});

test("an address in use, one that is none, and the 65th socket are refused with the errno that listen() reports", async () => {
  const { all, answers } = sockets();
  const taken = net.createServer();
  await new Promise<void>((resolve) => taken.listen({ host: "127.0.0.1", port: 0, exclusive: true }, resolve));
  all.lend(child(), 1, at({ port: (taken.address() as AddressInfo).port }));
  all.lend(child(), 2, at({ host: "localhost" }));
  for (let nth = 0; nth < 65; nth += 1) all.lend(child(), 3, at({ nth }));
  assert.deepEqual([answers[0], answers[1], answers.at(-1)], [-98, -22, -24]);
  taken.close();
  all.close();
});

test("a unix socket whose file an application has removed is bound again, and its file goes at the end", (t) => {
  const { all, answers } = sockets();
  const path = join(folder(t), "x.sock");
  all.lend(child(), 1, at({ path, host: null }));
  unlinkSync(path);
  all.lend(child(), 1, at({ path, host: null }));
  assert.ok(existsSync(path));
  assert.deepEqual(answers, ["unix", "unix"]);
  all.close();
  assert.equal(existsSync(path), false);
});
