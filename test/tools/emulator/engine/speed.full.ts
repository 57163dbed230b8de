// alone
/** Work on large tabs, in milliseconds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, ok } from "./client.ts";

test("a tab of 50,000 rows stays fast to read, to append to and to undo", () => {
  const c = client();
  c.engine.seed("big", "Big", [
    {
      title: "t",
      rows: Array.from({ length: 50_000 }, (_, i) => [
        `id${i}`,
        i,
        i / 7,
        true,
        "team",
        "status",
        "x",
        "y",
      ]),
    },
  ]);
  const big = client(c.engine, "big");
  const timed = (act: () => unknown): number => {
    const start = performance.now();
    act();
    return performance.now() - start;
  };
  big.get("t");
  const read = timed(() => assert.equal((big.values("t") as unknown[]).length, 50_000));
  const row = { values: [{ userEnteredValue: { stringValue: "new" } }] };
  const appendCells = {
    appendCells: {
      sheetId: 0,
      fields: "userEnteredValue",
      rows: Array.from({ length: 100 }, () => row),
    },
  };
  const appended = timed(() => ok(big.batch(appendCells)));
  const undone = timed(() => big.batch(appendCells, { deleteSheet: { sheetId: 9 } }));
  const tableAppend = timed(() => ok(big.append("t", [["n"]])));
  const figures = { read, appended, undone, tableAppend };
  assert.ok(
    read < 3_000 && appended < 500 && undone < 500 && tableAppend < 1_500,
    `milliseconds: ${JSON.stringify(figures)}`,
  );
});
