import assert from "node:assert/strict";
import { test } from "node:test";
import { ms, seconds, type Instant } from "../../../src/base/units.ts";
import { deadline, overloaded } from "../../../src/worker/gate/codel.ts";

const rule = { interval: seconds(2), target: ms(200) };
const at = (n: number): Instant => n as Instant;

test("a queue that was empty within the interval is a burst; one that was not is overload", () => {
  for (const [lastEmpty, now, expected] of [
    [0, 0, false],
    [0, 2_000, false],
    [0, 2_001, true],
    [1_999, 3_999, false],
  ] as const)
    assert.equal(overloaded(at(lastEmpty), at(now), rule), expected, `${lastEmpty} → ${now}`);
});

test("a burst may wait for the interval, overload for the target alone", () => {
  assert.equal(deadline(at(0), at(1_000), rule), 3_000);
  assert.equal(deadline(at(0), at(5_000), rule), 5_200);
});
