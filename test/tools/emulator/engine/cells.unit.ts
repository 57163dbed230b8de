import assert from "node:assert/strict";
import { test } from "node:test";
import { client, ok, refusal } from "./client.ts";
import { grid } from "./requests.ts";

test("updateCells clears what its rows don't cover and refuses what its range doesn't", () => {
  const c = client();
  ok(
    c.put("A1", [
      ["a", "b"],
      ["c", "d"],
    ]),
  );
  const cells = (rows: object[], more: object): object => ({
    updateCells: { rows, fields: "userEnteredValue", ...more },
  });
  ok(
    c.batch(
      cells([{ values: [{ userEnteredValue: { stringValue: "A" } }] }], {
        range: grid(0, 2, 0, 2),
      }),
    ),
  );
  assert.deepEqual(c.values("A1:B2"), [["A"]]);
  const wide = { values: [{}, {}] };
  assert.equal(
    refusal(c.batch(cells([wide], { range: grid(0, 1, 0, 1) }))),
    "Invalid requests[0].updateCells: Attempting to write column: 1, beyond the last requested column of: 0",
  );
  assert.equal(
    refusal(c.batch(cells([{}, {}], { range: grid(0, 1, 0, 1) }))),
    "Invalid requests[0].updateCells: Attempting to write row: 1, beyond the last requested row of: 0",
  );
  assert.equal(
    refusal(c.batch(cells([{}], { start: { sheetId: 999_999 } }))),
    "Invalid requests[0].updateCells: No grid with id: 999999",
  );
});

test("appendCells goes below the last row with data in any column, and grows the grid", () => {
  const c = client();
  ok(c.put("C1000", [["last"]]));
  const append = (n: number): object => ({
    appendCells: {
      sheetId: 0,
      fields: "userEnteredValue",
      rows: [
        { values: Array.from({ length: n }, () => ({ userEnteredValue: { numberValue: 1 } })) },
      ],
    },
  });
  assert.deepEqual(ok(c.batch(append(2)))["replies"], [{}]);
  assert.deepEqual(c.get("A1001:C1002"), {
    range: "Sheet1!A1001:C1001",
    majorDimension: "ROWS",
    values: [["1", "1"]],
  });
  assert.equal(
    refusal(c.batch(append(27))),
    "Invalid requests[0].appendCells: Attempting to write column: 26, beyond the last requested column of: 25",
  );
});

test("notes come and go without touching values", () => {
  const c = client();
  const note = (text: string): object => ({
    updateCells: { range: grid(0, 1, 0, 1), fields: "note", rows: [{ values: [{ note: text }] }] },
  });
  const shown = (field: string): unknown =>
    c.book({ ranges: "A1", fields: `sheets.data.rowData.values.${field}` })["sheets"];
  ok(c.batch(note("n")));
  assert.deepEqual(shown("note"), [{ data: [{ rowData: [{ values: [{ note: "n" }] }] }] }]);
  assert.equal(c.values("A1"), undefined);
  ok(c.batch(note("")));
  assert.deepEqual(shown("note"), [{ data: [{}] }]);
});

test("cut moves cells and what they look like, and no other way of pasting is taken", () => {
  const c = client();
  ok(c.put("A1", [["2020-01-01"], ["2"]]));
  const cut = (more: object = {}): object => ({
    cutPaste: {
      source: grid(0, 2, 0, 1),
      destination: { sheetId: 0, rowIndex: 1, columnIndex: 0 },
      ...more,
    },
  });
  ok(c.batch(cut()));
  assert.deepEqual(c.values("A1:A3"), [[], ["2020-01-01"], ["2"]]);
  assert.match(
    refusal(c.batch(cut({ pasteType: "PASTE_FORMAT" }))),
    /pasteType PASTE_FORMAT is not supported by this emulator/,
  );
});

test("cells are written with a value and a note; another field is a 400 that names it", () => {
  const c = client();
  const write = (cell: object, fields: string): string =>
    refusal(
      c.batch({ updateCells: { start: { sheetId: 0 }, rows: [{ values: [cell] }], fields } }),
    );
  const format = { userEnteredFormat: { textFormat: { bold: true } } };
  for (const fields of [
    "userEnteredFormat",
    "userEnteredFormat.textFormat.bold",
    "userEnteredValue,userEnteredFormat",
    "*",
  ])
    assert.equal(
      write(format, fields),
      "Invalid requests[0].updateCells: Writing userEnteredFormat is not supported by this emulator.",
    );
  assert.match(write({}, "dataValidation"), /Writing dataValidation is not supported/);
  ok(c.put("A1", [["2020-01-01"]]));
  const value = { userEnteredValue: { numberValue: 43_832 } };
  const cells = (fields: string): object => ({
    updateCells: { start: { sheetId: 0 }, rows: [{ values: [value] }], fields },
  });
  ok(c.batch(cells("userEnteredValue")));
  assert.deepEqual(c.values("A1"), [["2020-01-02"]], "the format of the cell stays");
  ok(c.batch(cells("*")));
  assert.deepEqual(c.values("A1"), [["43832"]], "a mask of all fields clears it");
});
