/** When a worker with few free descriptors stops accepting, and accepts again. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Logger } from "../../src/base/log.ts";
import { Room } from "../../src/worker/room.ts";

function world(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const does: string[] = [];
  const lines: unknown[] = [];
  const machine = { free: 1_000, unused: 100 };
  const turnstile = (name: string) => ({ hold: () => (does.push(`hold ${name}`), true), release: () => void does.push(`release ${name}`) });
  const room = new Room({
    log: { warn: (...line: unknown[]) => void lines.push(line) } as unknown as Logger,
    first: turnstile("first"),
    further: turnstile("further"),
    unused: () => machine.unused,
    changed: () => void does.push(room.short ? "full" : "not full"),
    free: () => machine.free,
  });
  room.look();
  return { room, machine, lines, does: () => does.splice(0), later: () => t.mock.timers.tick(100) };
}

test("files that a request opens are noticed within 100 ms: nothing is accepted until enough are free again", (t) => {
  const { room, machine, does, later } = world(t);
  room.stirred();
  machine.free = 15;
  later();
  assert.deepEqual(does(), ["hold further", "hold first", "full"]);
  assert.equal(room.short, true);
  later();
  assert.deepEqual(does(), []);
  machine.free = 500;
  later();
  assert.deepEqual(does(), ["release further", "release first", "not full"]);
});

test("each accept counts at once, and what has left is free again", (t) => {
  const { room, machine, does } = world(t);
  machine.unused = 0;
  machine.free = 20;
  room.look();
  for (let i = 0; i < 3; i += 1) room.accepted();
  room.left();
  room.accepted();
  machine.free = 15;
  room.accepted();
  assert.deepEqual(does(), []);
  room.accepted();
  assert.deepEqual(does(), ["hold further", "hold first", "full"]);
});

test("further servers stop while the cap of the first one still fits, and the first one accepts on", (t) => {
  const { room, machine, does, later } = world(t);
  machine.free = 110;
  room.stirred();
  later();
  assert.deepEqual(does(), ["hold further"]);
  assert.equal(room.short, false);
  machine.unused = 50;
  later();
  assert.deepEqual(does(), ["release further"]);
});

test("a shortage that comes and goes is one line a minute", (t) => {
  const { room, machine, lines } = world(t);
  for (let i = 0; i < 20; i += 1) {
    machine.free = i % 2 === 0 ? 3 : 900;
    room.look();
  }
  assert.equal(lines.length, 1);
});
