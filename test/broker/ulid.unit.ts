import assert from "node:assert/strict";
import { test } from "node:test";
import type { Timestamp } from "../../src/base/units.ts";
import { isUlid, timeOf, ulids } from "../../src/broker/ulid.ts";

test("ids are 26 digits that say their time, and each is larger than the one before", () => {
  let now = 1_800_000_000_000;
  const next = ulids(() => now as Timestamp);
  const ids = Array.from({ length: 5_000 }, (_, i) => {
    if (i % 100 === 0) now += 1;
    if (i === 3_000) now -= 60_000; // the clock is set back
    return next();
  });
  assert.ok(ids.every(isUlid));
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(timeOf(ids[0] as string), 1_800_000_000_001);
});

test("within a millisecond they count up, also over all bits; after a restart they go on above the last", () => {
  const at = (): Timestamp => 5 as Timestamp;
  const full = (): Uint8Array => new Uint8Array(10).fill(255);
  const next = ulids(at, full);
  const [a, b] = [next(), next()];
  assert.deepEqual([a, b], ["0000000005ZZZZZZZZZZZZZZZZ", "00000000060000000000000000"]);
  const after = ulids(() => 1 as Timestamp, undefined, b)();
  assert.equal(after, "00000000060000000000000001");
  assert.ok(ulids(() => 1 as Timestamp, full, "no id")().startsWith("0000000001"));
});
