import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { readCursor, writeCursor } from "../../../src/app/query/cursor.ts";
import type { Cursor } from "../../../src/app/query/model.ts";
import { selectPage } from "../../../src/app/query/page.ts";
import { rowsOf } from "../../../src/app/query/rows.ts";
import { encode, snapshotOf } from "../rows.ts";

const CURSOR: Cursor = {
  hash: "0123456789abcdef",
  selection: "selection01",
  offset: 20,
  row: 19,
  anchors: [1, 2, 3],
  values: [5, "Zoé"],
  ties: 2,
};

test("a cursor comes back as it was", () => {
  assert.deepEqual(readCursor(writeCursor(CURSOR), "selection01", 2), { ok: true, value: CURSOR });
});

test("any changed, missing or added character is noticed", () => {
  const text = writeCursor(CURSOR);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom(..."ABCDwxyz0189-_".split("")), (at, character) => {
      const changed = text.slice(0, at) + character + text.slice(at + 1);
      assert.equal(readCursor(changed, "selection01", 2).ok, changed === text);
    }),
    { numRuns: 2_000 },
  );
  for (const changed of [text.slice(1), text.slice(0, -1), `${text}A`, `${text}=`, ` ${text}`, text.toUpperCase(), "", "A".repeat(5_000)])
    assert.equal(readCursor(changed, "selection01", 2).ok, false);
});

test("a cursor of another selection, or with another number of sort values, is refused by its name", () => {
  for (const result of [readCursor(writeCursor(CURSOR), "selection02", 2), readCursor(writeCursor(CURSOR), "selection01", 1)]) {
    assert.ok(!result.ok);
    assert.equal(result.bad.parameter, "cursor");
    assert.match(result.bad.detail, /another query/);
  }
});

/** Whoever reads the source can compute the digest: what they may then say is bounded all the same. */
function forge(fields: unknown): string {
  const payload = Buffer.from(JSON.stringify(fields));
  const tag = createHash("sha256").update("drover cursor 1\n").update(payload).digest().subarray(0, 6);
  return Buffer.concat([tag, payload]).toString("base64url");
}

test("forged cursors are read with care", () => {
  const fine: readonly unknown[] = ["h", "s", 1, 1, [1], [], 0];
  assert.equal(readCursor(forge(fine), "s", 0).ok, true);
  for (const [at, value] of [
    [0, 1],
    [1, null],
    [2, -1],
    [2, 1.5],
    [2, 2 ** 40],
    [3, "1"],
    [4, Array(9).fill(1)],
    [4, [-1]],
    [5, [{}]],
    [5, ["x".repeat(65)]],
    [6, null],
  ] as const)
    assert.equal(readCursor(forge(fine.with(at, value)), "s", 0).ok, false);
  for (const fields of [null, {}, [], "x", 1, [...fine, 1]]) assert.equal(readCursor(forge(fields), "s", 0).ok, false);
});

test("a forged cursor's numbers bound no loop and leave the table alone", () => {
  const encoded = encode(
    [{ name: "id", type: "string" }],
    Array.from({ length: 50 }, (_, i) => [`k${i}`]),
  );
  let [reads, peak] = [0, 0];
  const counted = <T extends object>(list: T): T =>
    new Proxy(list, { get: (of, name, self) => ((reads += 1), Reflect.get(of, name, self) as unknown) });
  const plain = rowsOf(snapshotOf(encoded), encoded.hash);
  const rows = { ...plain, keys: () => counted(plain.keys()), cells: (name: string) => counted(plain.cells(name)) };
  const most = 0xffff_ffff;
  for (const hash of [encoded.hash, "another"])
    for (const sort of [[], [{ column: "id", descending: false }]])
      for (const number of [0, 49, 50, most]) {
        const cursor = { hash, selection: "s", offset: number, row: number, anchors: [number], values: sort.map(() => "k2"), ties: number };
        reads = 0;
        const page = selectPage(rows, { limit: 10, cursor, filters: [], sort, selection: "s" });
        assert.equal(page.total, 50);
        peak = Math.max(peak, reads);
      }
  assert.ok(peak > 0 && peak < 5_000, `${peak} reads of cells`);
});
