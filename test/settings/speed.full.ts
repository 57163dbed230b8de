// alone
/** Large setting files, in milliseconds: the master reads them at a reload. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import { slotSchedule } from "../../src/settings/schedule.ts";
import { folder } from "../support/cleanup.ts";

test("4.9: a launch schedule of empty lines is read quickly", (t) => {
  const dir = folder(t);
  writeFileSync(`${dir}/empty.txt`, "\n".repeat(60_000));
  const began = performance.now();
  assert.equal(slotSchedule.parse("./empty.txt", dir).ok, false);
  assert.ok(performance.now() - began < 2_000);
});
