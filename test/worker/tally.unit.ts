import assert from "node:assert/strict";
import test from "node:test";
import { MOST_NAMES } from "../../src/base/figures.ts";
import { Tally } from "../../src/worker/tally.ts";

test("an answer counts by its status, its class, and as a refusal where it is one", () => {
  const tally = new Tally();
  for (const status of [200, 429, 503, 500]) tally.answered(status, 1);
  tally.classed("read");
  tally.classed("write", 429);
  tally.classed("login", 503);
  tally.classed("read");
  const { answeredRead, refusedRead, answeredWrite, refusedWrite, refusedLogin, status5xx, refused5xx } = tally.counters;
  assert.deepEqual([answeredRead, refusedRead, answeredWrite, refusedWrite, refusedLogin], [2, 0, 1, 1, 1]);
  assert.deepEqual([status5xx, refused5xx], [2, 1], "one of them is no failure");
});

test("reasons of refusals are an application's own: few, and of a plain alphabet", () => {
  const tally = new Tally();
  for (const reason of ["full", "full", 'x"} 1', "A".repeat(99)]) tally.refused(reason);
  assert.deepEqual(tally.counts, { "shed.full": 2, "shed.other": 2 });
  for (let nr = 0; nr < 1_000; nr += 1) tally.refused(`reason-${nr}`);
  assert.ok(Object.keys(tally.counts).length <= MOST_NAMES);
  assert.equal(
    Object.values(tally.counts).reduce((sum, n) => sum + n, 0),
    1_004,
  );
  assert.equal(tally.counters.refused, 1_004);
});
