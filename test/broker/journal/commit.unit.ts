import assert from "node:assert/strict";
import fs, { mkdtempSync, rmSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Committer } from "../../../src/broker/journal/commit.ts";
import type { Database } from "../../../src/broker/journal/database.ts";
import { RESERVE, Reserve } from "../../../src/broker/journal/reserve.ts";
import type { Store } from "../../../src/broker/journal/store.ts";

test("where the reserve can't be looked at, the disk is not taken for free, and nothing throws", () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-reserve-"));
  const reserve = new Reserve(dir, 8_192);
  assert.equal(reserve.take(), true);
  assert.equal(statSync(join(dir, RESERVE)).size, 8_192);
  rmSync(dir, { recursive: true });
  assert.deepEqual([reserve.free, reserve.give(), reserve.take(), reserve.isWhole], [0, false, false, false]);
});

test("a file system without a limit has a reserve of full size, and a WAL of the usual one", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-reserve-"));
  const { mock } = t.mock.method(fs, "statfsSync", () => ({ blocks: 0, bavail: 0, bsize: 4_096 }));
  syncBuiltinESMExports();
  t.after(() => {
    mock.restore();
    syncBuiltinESMExports();
    rmSync(dir, { recursive: true });
  });
  const reserve = new Reserve(dir, 8_192);
  assert.deepEqual([reserve.size, reserve.wal, reserve.take()], [8_192, 4_194_304, true]);
});

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
