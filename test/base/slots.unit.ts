import assert from "node:assert/strict";
import test from "node:test";
import { capacityOf, slotsForMemory, slotsState } from "../../src/base/slots.ts";
import { bytes } from "../../src/base/units.ts";

test("4.3: how full 200 slots are: five rows", () => {
  const rows = [
    [10, "LOW", 5, 190],
    [100, "HEALTHY", 50, 100],
    [160, "WARNING", 80, 40],
    [200, "FULL", 100, 0],
    [250, "FULL", 125, -50],
  ] as const;
  for (const [used, status, percentUsed, available] of rows) {
    const state = slotsState(used, 200);
    assert.equal(state.status, status);
    assert.deepEqual(capacityOf(state), { percentUsed, available });
  }
});

test("4.3: the bands are half-open, and statuses only grow with what is used", () => {
  assert.deepEqual(
    [0, 99, 100, 159, 160, 199, 200].map((used) => slotsState(used, 200).status),
    ["LOW", "LOW", "HEALTHY", "HEALTHY", "WARNING", "WARNING", "FULL"],
  );
  const order = ["LOW", "HEALTHY", "WARNING", "FULL"];
  for (let max = 1; max < 60; max += 1)
    for (let used = 0; used <= max; used += 1) {
      const [now, next] = [slotsState(used, max), slotsState(used + 1, max)].map(({ status }) => order.indexOf(status));
      assert.ok((now ?? 9) <= (next ?? -1));
      assert.equal(slotsState(used, max).status === "FULL", used >= max);
    }
});

test("4.2: slots for a machine's memory", () => {
  const gib = (n: number): number => slotsForMemory(bytes(n * 2 ** 30));
  assert.deepEqual([0.5, 2, 3, 3.1, 4, 7.6, 8, 12, 13, 16, 64].map(gib), [50, 50, 50, 150, 150, 300, 300, 300, 500, 500, 500]);
});
