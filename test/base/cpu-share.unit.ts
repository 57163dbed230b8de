import assert from "node:assert/strict";
import test from "node:test";
import { bindsCpu, cpuShares } from "../../src/base/cpu-share.ts";

test("the CPU is that of the machine, or of the quota where that is tighter; drover's share is told apart", () => {
  assert.deepEqual(cpuShares({ load: 0.98, granted: 4, own: 0.12 }), { cpu: 0.98, ownCpu: 0.03 });
  assert.deepEqual(cpuShares({ load: 0.12, granted: 1, own: 0.95 }), { cpu: 0.95, ownCpu: 0.95 }, "a quota of 1 CPU on a machine of 8");
  assert.deepEqual(cpuShares({ load: 0.5, granted: 0.5, own: 0.6 }), { cpu: 1, ownCpu: 1 });
  assert.deepEqual(cpuShares({ load: 0.3, granted: 4, own: undefined }), { cpu: 0.3 }, "nothing is known of drover's yet");
});

test("the CPU binds drover when it uses most of what it can get, not when another process does", () => {
  assert.equal(bindsCpu({ cpu: 0.98, ownCpu: 0.03 }, 0.8), false);
  assert.equal(bindsCpu({ cpu: 0.98, ownCpu: 0.9 }, 0.8), true);
  assert.equal(bindsCpu({ cpu: 1, ownCpu: 0.45 }, 0.8), true, "another process takes a half, drover the other");
  assert.equal(bindsCpu({ cpu: 0.5, ownCpu: 0.45 }, 0.8), false);
  assert.equal(bindsCpu({ cpu: 0.9 }, 0.8), true);
});
