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

test("formats: repeatCell writes what its mask names", () => {
  const c = client();
  ok(c.put("B2", [["x"]]));
  const userEnteredFormat = { backgroundColor: { green: 1 }, borders: { bottom: { style: "SOLID" } }, textFormat: { bold: true } };
  ok(
    c.batch({
      repeatCell: {
        range: range(1, 2, 1, 2),
        cell: { userEnteredFormat },
        fields: "userEnteredFormat(backgroundColor,borders,textFormat)",
      },
    }),
  );
  ok(
    c.batch({
      repeatCell: {
        range: range(1, 2, 1, 2),
        cell: { userEnteredFormat: { textFormat: { italic: true } } },
        fields: "userEnteredFormat.textFormat.italic",
      },
    }),
  );
  const sheets = c.book({ ranges: "B2", fields: "sheets.data.rowData.values.userEnteredFormat" })["sheets"];
  const format = {
    backgroundColor: { green: 1 },
    backgroundColorStyle: { rgbColor: { green: 1 } },
    borders: { bottom: { style: "SOLID", width: 1, color: {}, colorStyle: { rgbColor: {} } } },
    textFormat: { bold: true, italic: true },
  };
  assert.deepEqual(sheets, [{ data: [{ rowData: [{ values: [{ userEnteredFormat: format }] }] }] }]);
  assert.deepEqual(c.values("B2"), [["x"]]);
});

test("updateCells clears what its rows don't cover and refuses what its range doesn't", () => {
  const c = client();
  ok(
    c.put("A1", [
      ["a", "b"],
      ["c", "d"],
    ]),
  );
  const cells = (rows: object[], more: object): object => ({ updateCells: { rows, fields: "userEnteredValue", ...more } });
  ok(c.batch(cells([{ values: [{ userEnteredValue: { stringValue: "A" } }] }], { range: range(0, 2, 0, 2) })));
  assert.deepEqual(c.values("A1:B2"), [["A"]]);
  const wide = { values: [{}, {}] };
  assert.equal(
    refusal(c.batch(cells([wide], { range: range(0, 1, 0, 1) }))),
    "Invalid requests[0].updateCells: Attempting to write column: 1, beyond the last requested column of: 0",
  );
  assert.equal(
    refusal(c.batch(cells([{}, {}], { range: range(0, 1, 0, 1) }))),
    "Invalid requests[0].updateCells: Attempting to write row: 1, beyond the last requested row of: 0",
  );
  assert.equal(refusal(c.batch(cells([{}], { start: { sheetId: 999_999 } }))), "Invalid requests[0].updateCells: No grid with id: 999999");
});

test("appendCells goes below the last row with data in any column, and grows the grid", () => {
  const c = client();
  ok(c.put("C1000", [["last"]]));
  const append = (n: number): object => ({
    appendCells: {
      sheetId: 0,
      fields: "userEnteredValue",
      rows: [{ values: Array.from({ length: n }, () => ({ userEnteredValue: { numberValue: 1 } })) }],
    },
  });
  assert.deepEqual(ok(c.batch(append(2)))["replies"], [{}]);
  assert.deepEqual(c.get("A1001:C1002"), { range: "Sheet1!A1001:C1001", majorDimension: "ROWS", values: [["1", "1"]] });
  assert.equal(
    refusal(c.batch(append(27))),
    "Invalid requests[0].appendCells: Attempting to write column: 26, beyond the last requested column of: 25",
  );
});

test("copy, cut, and a copy that fills a larger place", () => {
  const c = client();
  ok(c.put("A1", [["1"], ["2"]]));
  ok(c.batch({ copyPaste: { source: range(0, 2, 0, 1), destination: range(0, 4, 1, 3), pasteType: "PASTE_NORMAL" } }));
  assert.deepEqual(c.values("B1:C4"), [
    ["1", "1"],
    ["2", "2"],
    ["1", "1"],
    ["2", "2"],
  ]);
  ok(c.batch({ cutPaste: { source: range(0, 2, 0, 1), destination: { sheetId: 0, rowIndex: 1, columnIndex: 0 } } }));
  assert.deepEqual(c.values("A1:A3"), [[], ["1"], ["2"]]);
  ok(c.batch({ copyPaste: { source: range(1, 3, 0, 1), destination: range(4, 5, 0, 1), pasteOrientation: "TRANSPOSE" } }));
  assert.deepEqual(c.values("A5:B5"), [["1", "2"]]);
});

test("notes come and go without touching values; validation is kept with its cell", () => {
  const c = client();
  const note = (text: string): object => ({
    updateCells: { range: range(0, 1, 0, 1), fields: "note", rows: [{ values: [{ note: text }] }] },
  });
  const shown = (field: string): unknown => c.book({ ranges: "A1", fields: `sheets.data.rowData.values.${field}` })["sheets"];
  ok(c.batch(note("n")));
  assert.deepEqual(shown("note"), [{ data: [{ rowData: [{ values: [{ note: "n" }] }] }] }]);
  assert.equal(c.values("A1"), undefined);
  ok(c.batch(note("")));
  assert.deepEqual(shown("note"), [{ data: [{}] }]);
  const rule = { condition: { type: "ONE_OF_LIST", values: [{ userEnteredValue: "y" }] }, strict: true };
  ok(c.batch({ setDataValidation: { range: range(0, 1, 0, 1), rule } }));
  assert.deepEqual(shown("dataValidation"), [{ data: [{ rowData: [{ values: [{ dataValidation: rule }] }] }] }]);
  ok(c.batch({ setDataValidation: { range: range(0, 1, 0, 1) } }));
  assert.deepEqual(shown("dataValidation"), [{ data: [{}] }]);
});
