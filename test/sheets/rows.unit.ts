import assert from "node:assert/strict";
import { test } from "node:test";
import { seconds } from "../../src/base/units.ts";
import { readCell } from "../../src/sheets/cell.ts";
import { readTable } from "../../src/sheets/rows.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import type { Table } from "../../src/sheets/types.ts";

const table = (said: object = {}): Table => parseTables(JSON.stringify({ tables: { players: said } }), "f", seconds(30))[0] as Table;
function ok(values: unknown, said: object = {}) {
  const reading = readTable(values, table(said));
  assert.ok(reading.is === "ok", reading.is === "malformed" ? reading.why : "");
  return { names: reading.content.columns.map((c) => c.name), ...reading.content, ...reading.findings, rows: reading.content.rows };
}
function refused(values: unknown, said: object = {}): string {
  const reading = readTable(values, table(said));
  assert.ok(reading.is === "malformed");
  return reading.why;
}

test("headers are trimmed, doubles are numbered, columns without a name are left out", () => {
  const read = ok([
    [" id ", "x", "", "x", 2024, "x_2"],
    ["a", 1, 2, 3, 4, 5],
  ]);
  assert.deepEqual(read.names, ["id", "x", "x_2", "2024", "x_2_2"]);
  assert.deepEqual(read.rows, [["a", 1, 3, 4, 5]]);
});

test("secret columns are hidden by name, unless the file says otherwise", () => {
  const values = [
    ["id", "Code", "user_password", "code", "pin"],
    ["a", "s1", "s2", "s3", "s4"],
  ];
  assert.deepEqual(ok(values).names, ["id"]);
  assert.deepEqual(ok(values, { columns: { pin: { hidden: false } } }).names, ["id", "pin"]);
});

test("a second column of a hidden name is hidden too", () => {
  const values = [
    ["id", "target", "target"],
    ["a", "s1", "s2"],
  ];
  assert.deepEqual(ok(values, { columns: { target: { hidden: true } } }).names, ["id"]);
});

test("the first column is the key when the file names none; a hidden one asks for a key", () => {
  const values = [
    ["Code postal", "name"],
    ["75001", "Ada"],
  ];
  const why = refused(values);
  assert.match(why, /first column of players, "Code postal", is hidden because its name contains "code"/);
  assert.match(why, /"key".*"hidden": \[\]/);
  assert.match(refused(values, { columns: { "Code postal": { hidden: true } } }), /is hidden because the tables file says so.*"key"/);
  assert.deepEqual(ok(values, { key: "name" }).names, ["name"]);
  assert.deepEqual(ok(values, { hidden: [] }).names, ["Code postal", "name"]);
});

test("every column that is hidden because of its name is named, with the word that hides it", () => {
  const values = [["id", "country_code", "Hash", "Code", "target", "jeton"]];
  const said = { columns: { Code: { hidden: true }, target: { hidden: true } } };
  assert.deepEqual(ok(values, said).hidden, [
    { name: "country_code", word: "code" },
    { name: "Hash", word: "hash" },
  ]);
  assert.match(ok(values, said).warnings.join("\n"), /"country_code" is hidden because its name contains "code"/);
  assert.deepEqual(ok([["id", "name"]]).hidden, []);
});

test('"hidden" in the tables file replaces the guess by names', () => {
  const values = [["id", "country_code", "target", "target", "pin"]];
  const read = ok(values, { hidden: ["target"] });
  assert.deepEqual([read.names, read.hidden], [["id", "country_code", "pin"], []]);
  assert.match(refused(values, { hidden: ["answer"] }), /no column "answer"/);
});

test("a title or an empty row above the header row is reported with the range to use", () => {
  const header = ["Id", "Name", "Score", "Team"];
  const rows = [["p1", "Ada", 3, "red"]];
  for (const above of [["Season 2026"], ["", "", "Season 2026"]]) {
    const why = refused([above, header, ...rows]);
    assert.match(why, /row 1 of players looks like a title/);
    assert.match(why, /row 2 like the header row.*"range": "'players'!A2:D"/);
  }
  for (const names of [
    ["Code", "Nom", "Note", "Note"],
    ["Code", "Nom", 2025, 2026],
  ])
    assert.match(refused([["Joueurs du tournoi"], names, ["K7M2", "Ada", 3, 4]]), /looks like a title/, "its codes must not come out");
  assert.match(refused([[], [], header, ...rows], { range: "players!B2:F" }), /has no header row.*row 4.*"'players'!B4:E"/);
  assert.match(refused([["Season 2026"], header, ...rows], { key: "Id" }), /no column "Id".*"'players'!A2:D"/);
  assert.deepEqual(ok([["Notes"], ["Ada", "was late"]], { key: "Notes" }).names, ["Notes"], "a name from the file proves the header row");
  assert.deepEqual(ok([["Notes"], ["Ada", 3]]).names, ["Notes"], "numbers are no column names");
  assert.deepEqual(ok([["Notes"], ["Ada"], ["Bob"]]).names, ["Notes"]);
});

test("an empty tab is an empty table", () => {
  const said = { key: "id", columns: { score: { type: "integer" }, target: { hidden: true } } };
  for (const values of [undefined, [], [[]], [["", null]], [["  "], []]]) {
    const [plain, named] = [ok(values), ok(values, said)];
    assert.deepEqual([plain.names, plain.rows, named.names, named.key, named.rows], [[], [], ["id", "score"], 0, []]);
    assert.match(plain.warnings.join("\n"), /the range players is empty/);
  }
});

test("a header that the file names and the sheet lacks is a wrong shape: a renamed secret must not come out", () => {
  const values = [
    ["id", "access"],
    ["a", "s1"],
  ];
  assert.match(refused(values, { columns: { target: { hidden: true } } }), /no column "target"/);
  assert.match(refused(values, { key: "nr" }), /no column "nr"/);
});

test("what can't be a table", () => {
  assert.match(refused([["pin"]]), /first column .* is hidden/);
  assert.match(refused([["pin"]], { columns: { pin: { hidden: true } } }), /first column .* is hidden/);
  for (const wrong of ["x", 7, {}, ["x"], [["id"], [{}]], [["id"], [[1]]], [["id"], "row"]])
    assert.match(refused(wrong), /not rows of cells/);
});

test("empty rows vanish, rows without a key are counted, doubles stay and are counted", () => {
  const read = ok([["id", "x"], [], ["", ""], ["a", 1], ["", 2], ["  ", 3], ["a", 4], [7], ["7"]]);
  assert.deepEqual(read.rows, [
    ["a", 1],
    ["a", 4],
    [7, null],
    ["7", null],
  ]);
  assert.deepEqual([read.withoutKey, read.duplicateKeys, read.misfits], [2, 2, 0]);
});

test("a value that does not fit is null and named by its address, never by what it holds", () => {
  const read = ok(
    [
      ["id", "score"],
      ["a", "xyzzy"],
      ["b", 3.5],
      ["c", "12"],
    ],
    { range: "Tab 1!B3:F", columns: { score: { type: "integer" } } },
  );
  assert.deepEqual(read.rows, [
    ["a", null],
    ["b", null],
    ["c", 12],
  ]);
  assert.deepEqual(read.warnings, ["Tab 1!C4 is no integer", "Tab 1!C5 is no integer"]);
});

test("warnings are bounded, counts are not", () => {
  const read = ok([["id", "n"], ...Array.from({ length: 500 }, (_, i) => [`k${i}`, "x"])], { columns: { n: { type: "number" } } });
  assert.deepEqual([read.misfits, read.warnings.length], [500, 20]);
});

test("headers that are names of Object's own do no harm", () => {
  const read = ok([
    ["__proto__", "constructor", "toString"],
    ["polluted", 1, 2],
  ]);
  assert.deepEqual(read.rows, [["polluted", 1, 2]]);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

const CELLS = [
  ["", "string", null],
  [null, "integer", null],
  [true, "string", "TRUE"],
  [1.5, "string", "1.5"],
  [" 1e3 ", "number", 1_000],
  ["0x10", "number", undefined],
  ["", "number", null],
  ["1,5", "number", undefined],
  [true, "number", undefined],
  [3, "integer", 3],
  [2 ** 60, "integer", undefined],
  ["TRUE", "boolean", true],
  [1, "boolean", undefined],
  ["2026-02-28", "date", "2026-02-28"],
  ["2026-02-30", "date", undefined],
  ["2026-02-28 12:30:00", "date", "2026-02-28T12:30:00"],
  ["28.02.2026", "date", undefined],
  [45_000, "date", undefined],
  ["#N/A", "number", undefined],
  [false, "auto", false],
] as const;
test("cells by type", () => {
  for (const [value, type, want] of CELLS) assert.equal(readCell(value, type), want, `${JSON.stringify(value)} as ${type}`);
});
