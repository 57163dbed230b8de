/** What counts as idle, and from when on. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { ms, type Instant } from "../../src/base/units.ts";
import { Connections } from "../../src/worker/connections.ts";

class FakeSocket extends EventEmitter {
  bytesRead = 0;
  bytesWritten = 0;
  writableLength = 0;
}

function start(): { connections: Connections; at: (now: number) => void; add: () => FakeSocket } {
  let now = 0;
  const connections = new Connections({ now: () => now as Instant } as never, () => {});
  const at = (moment: number): void => {
    now = moment;
    connections.sample();
  };
  const add = (): FakeSocket => {
    const socket = new FakeSocket();
    connections.add(socket as never);
    return socket;
  };
  return { connections, at, add };
}

const SPANS = { quiet: ms(250), silent: ms(100), trickling: ms(500) };

test("a closed connection of our own forgets who listened, after all of them have heard; a user's keeps them", () => {
  for (const own of [true, false]) {
    const gone: unknown[] = [];
    const connections = new Connections({ now: () => 0 as Instant } as never, ({ socket }) => void gone.push(socket), own);
    const socket = new FakeSocket();
    const heard: string[] = [];
    socket.on("close", () => heard.push("before"));
    connections.add(socket as never);
    socket.on("close", () => heard.push("after")).on("data", () => {});
    socket.emit("close");
    assert.deepEqual(heard, ["before", "after"]);
    assert.deepEqual(gone, [socket]);
    assert.deepEqual(socket.eventNames(), own ? [] : ["close", "data"]);
  }
});

test("one that never sent a byte is idle sooner than one that did, one that trickles later; the longest unanswered is first", () => {
  const { connections, at, add } = start();
  const [silent, quiet, trickles] = [add(), add(), add()];
  const idle = (): unknown[] => connections.idle(SPANS).map(({ socket }) => socket);
  quiet.bytesRead = quiet.bytesWritten = 10;
  at(1);
  const found: unknown[][] = [];
  for (const now of [99, 100, 250, 251, 598, 599]) {
    trickles.bytesRead += 1;
    at(now);
    found.push(idle());
  }
  assert.deepEqual(
    found.map((all) => all.map((socket) => [silent, quiet, trickles].indexOf(socket as FakeSocket))),
    [[], [0], [0], [0, 1], [0, 1], [0, 1, 2]],
  );
});

test("a head begins when its first byte is seen: a client that has rested is not closed in the midst of its next request", () => {
  const { connections, at, add } = start();
  const client = add();
  client.bytesRead = client.bytesWritten = 100;
  at(1);
  at(2_000);
  client.bytesRead += 10;
  at(2_040);
  assert.equal(connections.idle(SPANS).length, 0);
  for (let now = 2_100; now <= 2_500; now += 100) {
    client.bytesRead += 1;
    at(now);
    assert.equal(connections.idle(SPANS).length, 0);
  }
  client.bytesRead += 1;
  at(2_540);
  assert.equal(connections.idle(SPANS).length, 1);
});

test("one that has been through its handshake is not silent, and has just been answered", () => {
  const { connections, at, add } = start();
  const raw = add();
  raw.bytesRead = raw.bytesWritten = 1_000;
  at(40);
  at(400);
  const encrypted = new FakeSocket();
  connections.secured(raw as never, encrypted as never);
  assert.equal(connections.of(encrypted as never)?.acceptedAt, 0);
  at(649);
  assert.deepEqual(connections.idle(SPANS), []);
  at(650);
  assert.equal(connections.idle(SPANS).length, 1);
});

test("only the span is said: who trickles is never idle, silent or not makes no difference", () => {
  const { connections, at, add } = start();
  const trickles = add();
  add();
  for (let now = 100; now <= 1_000; now += 100) {
    trickles.bytesRead += 1;
    at(now);
    assert.equal(connections.idle({ quiet: ms(250) }).length, Number(now >= 250));
  }
});
