import assert from "node:assert/strict";
import { test } from "node:test";
import type { Instant, Timestamp } from "../../../../src/base/units.ts";
import { FaultQueue } from "../../../../src/tools/emulator/faults/fault-queue.ts";
import { parseFaults } from "../../../../src/tools/emulator/faults/parse-fault.ts";

const READ = "sheets.spreadsheets.values.get";
const WRITE = "sheets.spreadsheets.values.append";

function setup(...orders: string[]) {
  let now = 0;
  const queue = new FaultQueue({ now: () => now as Instant, wall: () => 0 as Timestamp });
  const add = (specs: string): void => {
    const faults = parseFaults(specs);
    assert.ok(typeof faults !== "string", specs);
    queue.add(faults);
  };
  for (const specs of orders) add(specs);
  return {
    queue,
    add,
    at: (ms: number) => void (now = ms),
    /** A digit for each call: the status of the fault that hit it, without the zeros. */
    calls: (n: number, method = READ): string =>
      Array.from({ length: n }, () => {
        const { response } = queue.take(method);
        return response?.kind === "status" ? String(response.status).charAt(2) : ".";
      }).join(""),
  };
}

test("which calls: the next ones, every nth, after some, by method", () => {
  assert.equal(setup("status=503").calls(3), "3..");
  assert.equal(setup("status=503,times=2").calls(4), "33..");
  assert.equal(setup("status=503,every=3,times=2").calls(8), "..3..3..");
  assert.equal(setup("status=503,skip=2,times=1").calls(4), "..3.");
  for (const [method, read, write, token] of [
    ["*", "3", "3", "."],
    ["read", "3", ".", "."],
    ["write", ".", "3", "."],
    ["values.append", ".", "3", "."],
    ["oauth.token", ".", ".", "3"],
  ] as const) {
    const hit = (called: string) => setup(`status=503,method=${method}`).calls(1, called);
    assert.deepEqual([hit(READ), hit(WRITE), hit("oauth.token")], [read, write, token], method);
  }
});

test("by chance: the same seed hits the same calls", () => {
  const first = setup("status=503,chance=0.5,seed=7").calls(20);
  assert.match(first, /3.*\./);
  assert.equal(setup("status=503,chance=0.5,seed=7").calls(20), first);
  assert.notEqual(setup("status=503,chance=0.5,seed=8").calls(20), first);
});

test("for a time: the fault ends by itself", () => {
  const { at, calls, queue } = setup("status=503,for=30s");
  assert.equal(calls(2), "33");
  at(29_999);
  assert.equal(calls(1), "3");
  at(30_000);
  assert.deepEqual([calls(1), queue.list()], [".", []]);
});

test("delays and edits all apply; of the faults that decide the answer the first, and later ones do not count the call", () => {
  const { queue, calls } = setup("latency=1ms;status=503;sort=A;status=501;latency=2ms,times=2");
  const { delays, edits, response } = queue.take(READ);
  assert.deepEqual(
    delays.map(({ ms }) => ms),
    [1, 2],
  );
  assert.deepEqual([edits.length, response?.kind], [1, "status"]);
  assert.equal(calls(2), "1.");
});

test("it lists what waits with the times that are left, counts what it delivered, and can be cleared", () => {
  const { queue, calls } = setup("status=503,times=3,method=read;hang,method=write");
  assert.equal(calls(2), "33");
  assert.deepEqual(queue.list(), [
    { kind: "status", status: 503, method: "read", applied: false, times: 1 },
    { kind: "hang", method: "write", applied: false, times: 1 },
  ]);
  queue.clear();
  assert.deepEqual(queue.list(), []);
  const byMethod = { [READ]: 2 };
  assert.deepEqual(queue.delivered(), { total: 2, byKind: { status: 2 }, byMethod });
});

test("at most 1,000 wait", () => {
  const { add, queue } = setup("hang;".repeat(999));
  assert.throws(() => add("hang;hang"), RangeError);
  assert.equal(queue.list().length, 999, "an order that is refused adds nothing");
  add("hang");
});
