import assert from "node:assert/strict";
import test from "node:test";
import { mebibytes } from "../../src/base/units.ts";
import { workerBound } from "../../src/settings/workerbound.ts";

const sizes = (workers: number, mib: number) => ({
  workers,
  min_workers: 1,
  max_workers: 256,
  memory: mebibytes(mib),
  bind: [],
  admin_bind: undefined,
});

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

test("2.4: DROVER_MIN_WORKERS and DROVER_MAX_WORKERS bound how many workers a daemon is scaled to", () => {
  const bounded = { ...sizes(4, 90_000), min_workers: 2, max_workers: 8 };
  assert.deepEqual(workerBound(bounded, { nofile: undefined }), {
    least: 2,
    most: 8,
    why: "DROVER_MIN_WORKERS and DROVER_MAX_WORKERS bound it",
  });
  assert.equal(workerBound({ ...bounded, ...sizes(4, 600), max_workers: 8 }, { nofile: undefined }).most, 6, "memory may allow fewer");
});
