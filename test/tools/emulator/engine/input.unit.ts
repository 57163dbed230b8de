import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../support/fast-check.ts";
import { automatic, formatNumber } from "../../../../src/tools/emulator/engine/number-formats.ts";
import { parseInput } from "../../../../src/tools/emulator/engine/user-entered.ts";
import { client, ok } from "./client.ts";

/** As typed, as shown, as stored. */
const TYPED: readonly (readonly [string, string, unknown])[] = [
  ["1", "1", 1],
  ["0042", "42", 42],
  ["-3.5", "-3.5", -3.5],
  [".5", "0.5", 0.5],
  ["1e5", "1.00E+05", 100_000],
  ["2,000,000.01", "2,000,000.01", 2_000_000.01],
  ["2,000", "2,000", 2000],
  ["1,23", "1,23", "1,23"],
  ["$1,234.5", "$1,234.50", 1234.5],
  ["-$3", "-$3", -3],
  ["12%", "12%", 0.12],
  ["12.5%", "12.50%", 0.125],
  ["(5)", "-5", -5],
  ["true", "TRUE", true],
  ["'0042", "0042", "0042"],
  ["2020-01-01", "2020-01-01", 43_831],
  ["1999-01-02", "1999-01-02", 36_162],
  ["1/2/2020", "1/2/2020", 43_832],
  ["Jan 2, 2020", "Jan 2, 2020", 43_832],
  ["10:30", "10:30", 0.4375],
  ["6:00 PM", "6:00 PM", 0.75],
  ["2020-01-01 12:00", "2020-01-01 12:00", 43_831.5],
  ["2020-02-30", "2020-02-30", "2020-02-30"],
  ["12:61", "12:61", "12:61"],
  ["=", "=", "="],
  [" hello ", " hello ", " hello "],
  ["Infinity", "Infinity", "Infinity"],
  ["0x10", "0x10", "0x10"],
];

test("USER_ENTERED reads what people type; RAW stores it", () => {
  const c = client();
  ok(
    c.put(
      "A1",
      TYPED.map(([text]) => [text]),
    ),
  );
  assert.deepEqual(
    c.values("A1:A99"),
    TYPED.map(([, shown]) => [shown]),
  );
  assert.deepEqual(
    c.values("A1:A99", { valueRenderOption: "UNFORMATTED_VALUE" }),
    TYPED.map(([, , stored]) => [stored]),
  );
  ok(
    c.put(
      "A1",
      TYPED.map(([text]) => [text]),
      { valueInputOption: "RAW" },
    ),
  );
  assert.deepEqual(
    c.values("A1:A99", { valueRenderOption: "UNFORMATTED_VALUE" }),
    TYPED.map(([text]) => [text]),
  );
});

test("a date is a number everywhere but on screen", () => {
  const c = client();
  ok(c.put("A1", [["2020-01-01", "=43831+1"]]));
  const as = (valueRenderOption: string, dateTimeRenderOption: string): unknown =>
    c.values("A1:B1", { valueRenderOption, dateTimeRenderOption });
  assert.deepEqual(as("UNFORMATTED_VALUE", "SERIAL_NUMBER"), [[43_831, 43_832]]);
  assert.deepEqual(as("UNFORMATTED_VALUE", "FORMATTED_STRING"), [["2020-01-01", 43_832]]);
  assert.deepEqual(as("FORMULA", "SERIAL_NUMBER"), [[43_831, "=43831+1"]]);
  assert.deepEqual(as("FORMATTED_VALUE", "SERIAL_NUMBER"), [["2020-01-01", "43832"]]);
});

test("a cell keeps its format under a plain number, and takes the format of what is typed", () => {
  const c = client();
  ok(c.put("A1", [["2020-01-01"]]));
  ok(c.put("A1", [[43_832]]));
  assert.deepEqual(c.values("A1"), [["2020-01-02"]]);
  ok(c.put("A1", [["50%"]]));
  assert.deepEqual(c.values("A1"), [["50%"]]);
});

test("numbers without a format show ten digits, large ones as powers", () => {
  const known: [number, string][] = [
    [1 / 3, "0.3333333333"],
    [100 / 3, "33.33333333"],
    [1 / 1024, "0.0009765625"],
    [12_345_678_901, "12345678901"],
    [1e15, "1E+15"],
    [1.5e-12, "1.5E-12"],
    [0.1 + 0.2, "0.3"],
    [-2.5, "-2.5"],
  ];
  for (const [n, text] of known) assert.equal(automatic(n), text);
});

test("patterns: groups, decimals, currencies, powers, dates; another pattern is no format", () => {
  const known: [number, string, string, string][] = [
    [1234.567, "NUMBER", "#,##0.00", "1,234.57"],
    [1_234_567, "NUMBER", "#,##0", "1,234,567"],
    [-0.001, "NUMBER", "#,##0.00", "0.00"],
    [1.005, "NUMBER", "#,##0.00", "1.01"],
    [0.125, "PERCENT", "0.00%", "12.50%"],
    [-1234.5, "CURRENCY", '"$"#,##0.00', "-$1,234.50"],
    [1234.5, "CURRENCY", '#,##0.00 "€"', "1,234.50 €"],
    [1_234_567, "SCIENTIFIC", "0.00E+00", "1.23E+06"],
    [0.000_012, "SCIENTIFIC", "0.00E+00", "1.20E-05"],
    [12.5, "NUMBER", '0.0" kg"', "12.5"],
    [43_831.75, "DATE_TIME", "yyyy-mm-dd hh:mm:ss", "2020-01-01 18:00:00"],
    [43_831, "DATE", "mmmm d, yyyy", "January 1, 2020"],
    [43_831, "DATE", "d-mmm-yyyy", "1-Jan-2020"],
    [43_831.75, "DATE_TIME", "m/d/yy h:mm am/pm", "1/1/20 6:00 PM"],
    [0.000_005_787, "TIME", "h:mm:ss.000", "0:00:00.500"],
    [1.5, "TIME", "[h]:mm", "36:00"],
  ];
  for (const [n, type, pattern, text] of known)
    assert.equal(formatNumber(n, { type, pattern }), text, pattern);
});

test("a date that is typed is shown as it was typed", () => {
  const c = client();
  const typed = [
    "2020-1-5",
    "2020/01/05",
    "1/5/20",
    "01.05.2020",
    "January 5, 2020",
    "Jan 5, 2020",
    "5-Jan-2020",
    "5 January 2020",
  ];
  const times = ["6:05", "06:05:09", "6:05:09.120", "30:00", "6:05 PM", "2020-01-05 06:05"];
  ok(
    c.put(
      "A1",
      [...typed, ...times].map((text) => [text]),
    ),
  );
  assert.deepEqual((c.values("A1:A99") as string[][]).flat(), [...typed, ...times]);
  for (const [value] of c.values("A1:A99", {
    valueRenderOption: "UNFORMATTED_VALUE",
  }) as unknown[][])
    assert.equal(typeof value, "number");
});

test("nothing typed, and no pattern, breaks the reader or the writer", () => {
  fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => void parseInput(text)));
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ maxLength: 20 }),
      (n, pattern) => ["DATE", "NUMBER"].forEach((type) => void formatNumber(n, { type, pattern })),
    ),
  );
});
