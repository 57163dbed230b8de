import assert from "node:assert/strict";
import test from "node:test";
import { mebibytes } from "../../src/base/units.ts";
import { workerBound } from "../../src/settings/workerbound.ts";

const sizes = (workers: number, mib: number) => ({ workers, memory: mebibytes(mib), bind: [], admin_bind: undefined });

test("the number of workers is bounded by 256, the memory and the master's files, and never below the configured one", () => {
  assert.deepEqual(workerBound(sizes(4, 90_000), { nofile: undefined }).most, 256);
  const small = workerBound(sizes(4, 1_000), { nofile: undefined });
  assert.equal(small.most, 11);
  assert.match(small.why, /1000 MiB of memory hold 11 of about 90 MiB each/);
  assert.equal(workerBound(sizes(16, 1_000), { nofile: undefined }).most, 16, "what is configured may run");
  const few = workerBound(sizes(4, 90_000), { nofile: 300 });
  assert.ok(few.most < 40 && few.most >= 4, String(few.most));
  assert.match(few.why, /the master may open 300 files/);
});
