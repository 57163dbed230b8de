import assert from "node:assert/strict";
import test from "node:test";
import { stopToCount } from "../../src/cli/install/uninstall.ts";

/** A service that accepts one write more at each look, as long as it runs. */
function world(active: readonly string[], late: number) {
  const did: string[] = [];
  const running = new Set(active);
  const services = {
    isActive: (unit: string) => running.has(unit),
    stop(units: readonly string[]) {
      did.push(`stop ${units.join(" ")}`);
      for (const unit of units) running.delete(unit);
    },
    start(units: readonly string[]) {
      did.push(`start ${units.join(" ")}`);
      for (const unit of units) running.add(unit);
    },
  };
  const count = (): number => {
    did.push("count");
    assert.equal(running.size, 0, "what is counted is still accepting");
    return late;
  };
  return { did, services, count };
}

test("waiting writes are counted once nothing is accepted any more; while any wait, what ran runs again", () => {
  const units = ["drover.socket", "drover.service"];
  const none = world(units, 0);
  assert.equal(stopToCount(units, none.count, none.services), 0);
  assert.deepEqual(none.did, ["stop drover.socket drover.service", "count"]);
  const some = world(["drover.service"], 3);
  assert.equal(stopToCount(units, some.count, some.services), 3);
  assert.deepEqual(some.did, ["stop drover.service", "count", "start drover.service"]);
  const stopped = world([], 2);
  assert.equal(stopToCount(units, stopped.count, stopped.services), 2);
  assert.deepEqual(stopped.did, ["count"]);
});
