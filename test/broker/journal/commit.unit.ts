import assert from "node:assert/strict";
import test from "node:test";
import { Committer } from "../../../src/broker/journal/commit.ts";
import type { Database } from "../../../src/broker/journal/database.ts";
import type { Reserve } from "../../../src/broker/journal/reserve.ts";
import type { Store } from "../../../src/broker/journal/store.ts";

test("what a failing disk leaves undone: an addition and what became of one are answered with the disk, all else fails", () => {
  const broken = {
    transaction() {
      throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
    },
  } as unknown as Database;
  const room = { isWhole: true } as Reserve;
  const committer = new Committer(broken, { state: {} } as unknown as Store, room, () => {});
  const once = { key: "k", digest: "d", keep: undefined } as never;
  const results = committer.run({
    ops: [
      { do: "recall", once },
      { do: "dropFences", ids: [1] },
    ],
    at: {} as never,
  });
  const message = "the journal's disk: disk I/O error";
  assert.deepEqual(results, [
    { is: "done", value: { is: "disk", message } },
    { is: "failed", message },
  ]);
});
