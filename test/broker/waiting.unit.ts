import assert from "node:assert/strict";
import { test } from "node:test";
import { mebibytes, type Timestamp } from "../../src/base/units.ts";
import type { Entry } from "../../src/broker/journal/journal.ts";
import { Waiting } from "../../src/broker/waiting.ts";

const at = 1 as Timestamp;
const entry = (lsn: number): Entry => ({ lsn, id: "w", table: "t", op: "update", key: "k", values: { a: lsn }, at });

test("a write that waits again before it was told that it was set aside is one that waits", () => {
  const waiting = new Waiting(mebibytes(1), [entry(1)]);
  assert.equal(waiting.reserve([entry(2)]), undefined);
  waiting.accept([entry(2)], [entry(2)]);
  waiting.settle({ landed: [], parked: [{ lsn: 1, reason: "no" }], again: [], at });
  assert.equal(waiting.find("w")?.state, "journaled");
  waiting.settle({ landed: [2], parked: [], again: [], at });
  assert.equal(waiting.find("w")?.state, "landed");
  waiting.forget(["w"]);
  assert.equal(waiting.find("w"), undefined);
});
