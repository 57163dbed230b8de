import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, type Client, client, ok } from "./client.ts";

const range = (startRowIndex: number, endRowIndex: number, startColumnIndex: number, endColumnIndex: number): object => ({
  sheetId: 0,
  startRowIndex,
  endRowIndex,
  startColumnIndex,
  endColumnIndex,
});

const at = (from: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], from);

/** One field of every cell of a range, by row; undefined for cells without it. */
function shown(c: Client, ranges: string, field: string): unknown[][] {
  const book = c.book({ ranges, fields: `sheets.data.rowData.values.${field}` });
  const rows = (at(book, ["sheets", "0", "data", "0", "rowData"]) ?? []) as { values?: Body[] }[];
  return rows.map(({ values = [] }) => values.map((cell) => at(cell, field.split("."))));
}

test("hyperlink: of HYPERLINK, of the cell's format, and of one link over the whole text", () => {
  const c = client();
  ok(
    c.put("A1", [
      ['=HYPERLINK("https://google.com", "Google")', "plain", '=HYPERLINK(CONCATENATE(B1,".example"))', "=HYPERLINK(1/0)", '="x"&1'],
    ]),
  );
  assert.deepEqual(shown(c, "A1:E1", "hyperlink"), [["https://google.com", undefined, "plain.example", undefined, undefined]]);
  assert.deepEqual(c.values("A1"), [["Google"]]);
  const link = { uri: "https://example.com" };
  const cells = [
    { userEnteredFormat: { textFormat: { link } } },
    { textFormatRuns: [{ format: { link } }] },
    { textFormatRuns: [{ format: { link } }, { startIndex: 2, format: {} }] },
  ].map((cell) => ({ userEnteredValue: { stringValue: "text" }, ...cell }));
  ok(c.batch({ updateCells: { start: { sheetId: 0, rowIndex: 1 }, rows: [{ values: cells }], fields: "*" } }));
  assert.deepEqual(shown(c, "A2:C2", "hyperlink"), [[link.uri, link.uri, undefined]]);
});

const red = { red: 1 };
const condition = (type: string, ...values: string[]): object => ({
  type,
  ...(values.length === 0 ? {} : { values: values.map((userEnteredValue) => ({ userEnteredValue })) }),
});

/** Which cells of A1:A10 a condition colours red. */
function coloured(values: readonly unknown[], rule: object): boolean[] {
  const c = client();
  ok(
    c.put(
      "A1",
      values.map((value) => [value]),
    ),
  );
  const format = { backgroundColor: red, textFormat: { bold: true } };
  ok(c.batch({ addConditionalFormatRule: { rule: { ranges: [range(0, 10, 0, 1)], booleanRule: { condition: rule, format } } } }));
  return shown(c, "A1:A10", "effectiveFormat").map(([format]) => {
    const { backgroundColor, backgroundColorStyle, textFormat, verticalAlignment } = format as Record<string, Record<string, unknown>>;
    assert.deepEqual([backgroundColorStyle, verticalAlignment], [{ rgbColor: backgroundColor }, "BOTTOM"]);
    assert.equal(textFormat?.["bold"], backgroundColor?.["green"] === undefined);
    return backgroundColor?.["green"] === undefined;
  });
}

const [yes, no] = [true, false];
const CONDITIONS: readonly [rule: object, values: unknown[], holds: boolean[]][] = [
  [condition("NUMBER_GREATER", "15"), ["10", "20", "text", "15"], [no, yes, no, no]],
  [condition("NUMBER_GREATER_THAN_EQ", "=5+10"), ["10", "15", "=8*2"], [no, yes, yes]],
  [condition("NUMBER_LESS", "1,000"), ["999", "1000"], [yes, no]],
  [condition("NUMBER_LESS_THAN_EQ", "0"), ["0", "-1", "1", "TRUE"], [yes, yes, no, no]],
  [condition("NUMBER_EQ", "50%"), ["0.5", "50"], [yes, no]],
  [condition("NUMBER_NOT_EQ", "1"), ["1", "2"], [no, yes]],
  [condition("NUMBER_BETWEEN", "5", "1"), ["1", "5", "6"], [yes, yes, no]],
  [condition("NUMBER_NOT_BETWEEN", "1", "5"), ["1", "6"], [no, yes]],
  [condition("NUMBER_GREATER", "=A2"), ["2", "1", "3", "3"], [yes, no, no, yes]],
  [condition("TEXT_CONTAINS", "a?c"), ["xABCx", "ac"], [yes, no]],
  [condition("TEXT_CONTAINS", "a*z"), ["abcz", "za"], [yes, no]],
  [condition("TEXT_NOT_CONTAINS", "(b"), ["a(bc", "abc"], [no, yes]],
  [condition("TEXT_STARTS_WITH", "1"), ["12", "21"], [yes, no]],
  [condition("TEXT_ENDS_WITH", "B"), ["ab", "ba"], [yes, no]],
  [condition("TEXT_EQ", "Done"), ["done", "done!"], [yes, no]],
  [condition("BLANK"), ["x", '=""'], [no, yes]],
  [condition("NOT_BLANK"), ["x", '=""'], [yes, no]],
  [condition("DATE_AFTER", "2026-11-23"), ["2026-11-23", "2026-11-24", "text"], [no, yes, no]],
  [condition("DATE_BEFORE", "2026-11-23"), ["2026-11-22", "2026-11-23"], [yes, no]],
  [condition("DATE_EQ", "2026-11-23"), ["2026-11-23 12:00", "2026-11-24"], [yes, no]],
  [condition("CUSTOM_FORMULA", "=MOD($A1,2)=0"), ["1", "2", "4"], [no, yes, yes]],
  [condition("CUSTOM_FORMULA", "=1/A1"), ["0", "2"], [no, yes]],
];
for (const [rule, values, holds] of CONDITIONS)
  test(`a conditional format holds: ${JSON.stringify(rule)}`, () => assert.deepEqual(coloured(values, rule), holds));

test("the first rule that holds wins, within its ranges only", () => {
  const c = client();
  ok(
    c.put("A1", [
      ["1", "1"],
      ["2", "2"],
    ]),
  );
  const rule = (ranges: object[], type: object, format: object): object => ({
    addConditionalFormatRule: { rule: { ranges, booleanRule: { condition: type, format } }, index: 0 },
  });
  const blue = { blue: 1 };
  ok(
    c.batch(
      rule([range(0, 2, 0, 2)], condition("NOT_BLANK"), { backgroundColor: blue }),
      rule([range(0, 1, 0, 1), range(1, 2, 1, 2)], condition("NUMBER_GREATER", "0"), { backgroundColor: red }),
      {
        repeatCell: {
          range: range(0, 1, 1, 2),
          cell: { userEnteredFormat: { backgroundColor: { green: 1 } } },
          fields: "userEnteredFormat",
        },
      },
    ),
  );
  const colours = [
    [red, blue],
    [blue, red],
  ];
  assert.deepEqual(shown(c, "A1:B2", "effectiveFormat.backgroundColor"), colours);
  assert.deepEqual(shown(c, "A1:B2", "userEnteredFormat.backgroundColor")[0], [undefined, { green: 1 }]);
});

test("banding colours the rows of its range, below a cell's own colour", () => {
  const c = client();
  ok(c.put("A1", [["h"], ["1"], ["2"], ["3"], ["f"], ["out"]]));
  const rowProperties = { headerColor: { red: 1 }, firstBandColor: { green: 1 }, secondBandColor: { blue: 1 }, footerColor: {} };
  ok(c.batch({ addBanding: { bandedRange: { range: range(0, 5, 0, 1), rowProperties } } }));
  const white = { red: 1, green: 1, blue: 1 };
  const colours = [[{ red: 1 }], [{ green: 1 }], [{ blue: 1 }], [{ green: 1 }], [{}], [white]];
  assert.deepEqual(shown(c, "A1:A6", "effectiveFormat.backgroundColor"), colours);
});
