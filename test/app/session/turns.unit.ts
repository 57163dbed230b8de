import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../../src/app/session/turns.ts";

/** Turns whose work ends when the test says so. */
function rig() {
  const turns = new Turns(() => 0);
  const order: string[] = [];
  const ends: (() => void)[] = [];
  const take = (address: string, name: string, signal = new AbortController().signal) =>
    turns.take(
      () => {
        order.push(`${address} ${name}`);
        return new Promise<true>((resolve) => ends.push(() => resolve(true)));
      },
      { address, name },
      signal,
    );
  const finish = async (): Promise<void> => {
    ends.shift()?.();
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
  };
  return { take, order, ends, finish };
}

test("400 logins of one address keep none of 19 other addresses out: each has its turn after one more of the flood", async () => {
  const { take, order, ends, finish } = rig();
  const flood = Array.from({ length: 400 }, (_, i) => take("flood", `nobody-${i}`));
  const others = Array.from({ length: 19 }, (_, i) => take(`address-${i}`, `name-${i}`));
  for (let i = 0; i < 21; i += 1) await finish();
  assert.deepEqual(
    await Promise.all(others),
    Array.from({ length: 19 }, () => true),
  );
  assert.equal(order.filter((one) => one.startsWith("flood")).length, 22 - 19, "the flood goes on, in its turns");
  while (ends.length > 0) await finish();
  const answers = await Promise.all(flood);
  const busy = answers.filter((answer) => answer !== true);
  assert.ok(busy.length >= 400 - 128, "as many as one address may have waiting");
  assert.ok(busy.every(({ retryAfter }) => retryAfter > 0));
});

test("a client that disconnects leaves the queue at once, and its work is not done", async () => {
  const { take, order, finish } = rig();
  const first = take("a", "x");
  const gone = new AbortController();
  const second = take("a", "y", gone.signal);
  const third = take("a", "z");
  gone.abort(new Error("gone"));
  await assert.rejects(second, /gone/);
  await assert.rejects(take("a", "w", gone.signal), /gone/);
  for (let i = 0; i < 3; i += 1) await finish();
  assert.deepEqual([await first, await third, order], [true, true, ["a x", "a z"]]);
});

test("work that fails ends its turn, and the next one has its own", async () => {
  const turns = new Turns(() => 0);
  const { signal } = new AbortController();
  const failed = turns.take(() => Promise.reject(new Error("no thread")), { address: "a", name: "x" }, signal);
  const next = turns.take(() => Promise.resolve(7), { address: "a", name: "x" }, signal);
  await assert.rejects(failed, /no thread/);
  assert.equal(await next, 7);
});
