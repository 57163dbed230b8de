/** `drover plan --usl`: the law of a published table, and the rows that Little's law leaves out. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fitRows, judgedRows, readTable, renderUsl } from "../../../src/tools/plan/usl-table.ts";
import { printed } from "../../cli/printed.ts";

const FILE = "config/published-run.csv";

test("2.1: drover plan --usl prints λ, κ and the peak of the published rows, without the one of 50 users, as docs/plan.md shows it", async (t) => {
  const { text, code } = await printed(t, ["--usl", FILE]);
  assert.equal(code, 0);
  assert.match(
    text,
    /^50 .*684 ms +left out, it contradicts Little's law: it implies a pause of 684 ms/m,
  );
  assert.equal([...text.matchAll(/left out/g)].length, 1);
  assert.match(text, /λ = 23\.2 requests\/s, σ = 0, κ = 2\.0e-7\n/);
  assert.match(text, /N\* ≈ 2,200 users, ≈ 25,650 requests\/s/);
  assert.match(text, /illustration: 3 points, 3 parameters/);
  assert.ok(
    readFileSync("docs/plan.md", "utf8").includes(`$ drover plan --usl ${FILE}\n${text}`),
    text,
  );
});

test("2.1: a row that is faster than its latency allows contradicts Little's law; a late generator at a high load does not", () => {
  const rows = judgedRows([
    { users: 10, rate: 500, latency: 40 },
    { users: 100, rate: 90, latency: 100 },
    { users: 200, rate: 180, latency: 110 },
    { users: 400, rate: 200, latency: 900 },
  ]);
  assert.deepEqual(
    rows.map(({ flaw }) => flaw?.replace(/,? .*/, "")),
    ["10", undefined, undefined, undefined],
  );
  assert.match(renderUsl(rows, fitRows(rows) ?? assert.fail()), /illustration: 3 points/);
});

test("2.1: a table that is none is refused by line and expectation", () => {
  const head = "users,requests_per_second,latency_ms\n";
  for (const [text, message] of [
    ["1,2,3", /--usl x, line 1: expected the header users,requests_per_second,latency_ms/],
    [`# why\n${head}1,2\n`, /--usl x, line 3: 1,2 \(expected three numbers/],
    [`${head}1,0,3\n`, /line 2: 1,0,3 \(expected/],
  ] as const)
    assert.throws(() => readTable(text, "x"), message);
  assert.equal(fitRows(judgedRows(readTable(`${head}1,2,3\n`, "x"))), undefined);
});
