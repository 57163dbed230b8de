import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { FairQueue, type Origin } from "../../../src/app/session/fair-queue.ts";

const at = (address: string, name = "x"): Origin => ({ address, name });
const drain = <T>(queue: FairQueue<T>): T[] => {
  const order: T[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) order.push(item);
  return order;
};

test("addresses take turns, and so do the names of one address; each name in the order of arrival", () => {
  const rows: readonly [arrivals: readonly string[], order: string][] = [
    [["a.x", "a.x", "a.x", "b.x"], "a.x1 b.x4 a.x2 a.x3"],
    [["a.x", "a.x", "b.x", "b.x", "c.x"], "a.x1 b.x3 c.x5 a.x2 b.x4"],
    [["a.x", "a.x", "a.y", "a.x", "a.y"], "a.x1 a.y3 a.x2 a.y5 a.x4"],
    [["a.x", "a.y", "b.x", "a.x"], "a.x1 b.x3 a.y2 a.x4"],
  ];
  for (const [arrivals, order] of rows) {
    const queue = new FairQueue<string>({ most: 10, perAddress: 10 });
    arrivals.forEach((arrival, i) => {
      const [address = "", name = ""] = arrival.split(".");
      queue.push(`${arrival}${i + 1}`, at(address, name));
    });
    assert.equal(drain(queue).join(" "), order);
  }
});

test("a full queue displaces the newest of the address with the most, and refuses only where that would be unfair", () => {
  const queue = new FairQueue<string>({ most: 4, perAddress: 3 });
  for (const nr of [1, 2, 3]) assert.equal(queue.push(`a${nr}`, at("a")).is, "queued");
  assert.equal(queue.push("a4", at("a")).is, "full", "as many as one address may have");
  assert.equal(queue.push("b1", at("b")).is, "queued");
  assert.deepEqual(queue.push("b2", at("b")), { is: "queued", displaced: "a3" });
  assert.equal(queue.push("b3", at("b")).is, "full", "both have two");
  assert.deepEqual(queue.push("c1", at("c")), { is: "queued", displaced: "a2" });
  assert.deepEqual(queue.push("d1", at("d")), { is: "queued", displaced: "b2" });
  assert.equal(queue.push("e1", at("e")).is, "full", "each has one");
  assert.equal(queue.remove("c1", at("c")), true);
  assert.equal(queue.remove("c1", at("c")), false);
  assert.deepEqual(drain(queue), ["a1", "b1", "d1"]);
});

test("model: bounded, nothing is lost, and no address waits longer than one turn of each other for each of its own (property)", () => {
  const step = fc.record({
    address: fc.constantFrom("a", "b", "c", "d", "e"),
    name: fc.constantFrom("x", "y", "z"),
    what: fc.constantFrom("push", "push", "push", "shift", "remove"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new FairQueue<{ origin: Origin; nr: number; passed: Map<string, number>; own: number }>({ most: 8, perAddress: 5 });
      let inside: Parameters<typeof queue.push>[0][] = [];
      steps.forEach(({ address, name, what }, nr) => {
        const of = (one: string): number => inside.filter(({ origin }) => origin.address === one).length;
        if (what === "push") {
          const item = { origin: { address, name }, nr, passed: new Map<string, number>(), own: of(address) };
          const queued = queue.push(item, item.origin);
          if (queued.is === "full")
            return assert.ok(of(address) >= 5 || (inside.length === 8 && inside.every((one) => of(one.origin.address) <= of(address) + 1)));
          inside = [...inside.filter((one) => one !== queued.displaced), item];
        } else if (what === "remove") {
          const gone = inside.find(({ origin }) => origin.address === address && origin.name === name);
          if (gone === undefined) return;
          assert.ok(queue.remove(gone, gone.origin));
          inside = inside.filter((one) => one !== gone);
        } else {
          const item = queue.shift();
          assert.equal(item === undefined, inside.length === 0);
          if (item === undefined) return;
          inside = inside.filter((one) => one !== item);
          for (const one of inside) one.passed.set(item.origin.address, (one.passed.get(item.origin.address) ?? 0) + 1);
          const { address: own } = item.origin;
          for (const [other, times] of item.passed) {
            const turns: number = (item.passed.get(own) ?? 0) + 1;
            assert.ok(other === own || times <= turns, `${other} had ${times} turns before ${own} had ${turns}`);
          }
        }
        assert.equal(queue.size, inside.length);
        assert.ok(queue.size <= 8);
      });
    }),
    { numRuns: 500 },
  );
});
