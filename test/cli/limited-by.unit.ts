import assert from "node:assert/strict";
import test from "node:test";
import type { UpstreamReport } from "../../src/base/upstreamreport.ts";
import type { Timestamp } from "../../src/base/units.ts";
import { limitedBy } from "../../src/cli/stats.ts";

const quota = (used: number): UpstreamReport => ({
  state: "ok",
  message: "",
  quota: { used, limit: 51, lockedUntil: 0 as Timestamp },
  tables: [],
});

test("all that binds is named, the most serious first", () => {
  assert.deepEqual(limitedBy({ cpu: true, ram: true }, quota(51), []), ["memory", "quota", "cpu"]);
  assert.deepEqual(limitedBy({ cpu: true, ram: false }, quota(51), []), ["quota", "cpu"], "a busy CPU hides no quota");
  assert.deepEqual(limitedBy({ cpu: false, ram: false }, quota(5), []), []);
});
