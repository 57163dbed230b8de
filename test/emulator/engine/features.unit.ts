import assert from "node:assert/strict";
import { test } from "node:test";
import { client, ok, refusal } from "./client.ts";

const range = (startRowIndex: number, endRowIndex: number, startColumnIndex: number, endColumnIndex: number): object => ({
  sheetId: 0,
  startRowIndex,
  endRowIndex,
  startColumnIndex,
  endColumnIndex,
});

test("a named range is read and written by its name, also behind a tab's title, whichever tab it lies on", () => {
  const c = client();
  ok(
    c.batch({ addNamedRange: { namedRange: { name: "Prize", range: range(0, 2, 0, 2) } } }, { addSheet: { properties: { title: "Two" } } }),
  );
  for (const name of ["Prize", "prize", "'Sheet1'!Prize", "Two!Prize"]) {
    ok(c.put(name, [[name]], { valueInputOption: "RAW" }));
    assert.deepEqual(c.get(name), { range: "Sheet1!A1:B2", majorDimension: "ROWS", values: [[name]] });
  }
  assert.equal(refusal(c.call("values.get", { path: { range: "Nope!Prize" } })), "Unable to parse range: Nope!Prize");
  assert.equal(refusal(c.call("values.get", { path: { range: "Two!Nope" } })), "Unable to parse range: Two!Nope");
});

test("named ranges: one name once, updates by mask", () => {
  const c = client();
  const add = (name: string): object => ({ addNamedRange: { namedRange: { name, range: range(0, 2, 0, 2) } } });
  const [reply] = ok(c.batch(add("Prize")))["replies"] as { addNamedRange: { namedRange: { namedRangeId: string } } }[];
  const namedRangeId = reply?.addNamedRange.namedRange.namedRangeId;
  assert.match(refusal(c.batch(add("prize"))), /a named range with that name already exists/);
  for (const name of ["", "A1", "1x", "a b", "TRUE"]) assert.match(refusal(c.batch(add(name))), /invalid/, name);
  ok(c.batch({ updateNamedRange: { namedRange: { namedRangeId, name: "Other" }, fields: "name" } }));
  assert.deepEqual(c.book({ fields: "namedRanges" }), {
    namedRanges: [{ namedRangeId, name: "Other", range: { startRowIndex: 0, endRowIndex: 2, startColumnIndex: 0, endColumnIndex: 2 } }],
  });
  ok(c.batch({ deleteNamedRange: { namedRangeId } }));
  assert.deepEqual(c.book({ fields: "namedRanges" }), {});
});
