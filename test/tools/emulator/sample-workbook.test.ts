import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fc } from "../../support/fast-check.ts";
import { parseCsv } from "../../../src/tools/emulator/csv.ts";
import { readTabs, typed } from "../../../src/tools/emulator/sample-workbook.ts";
import { folder } from "./world.ts";

const SAMPLE = fileURLToPath(new URL("../../../config/sample/", import.meta.url));

test("CSV: quotes, doubled quotes, line breaks, both line ends, a byte order mark", () => {
  const text = '\uFEFFa,b,"c d"\r\n"x,y","say ""hi""","two\r\nlines"\n,,\nlast';
  assert.deepEqual(parseCsv(text), [
    ["a", "b", "c d"],
    ["x,y", 'say "hi"', "two\r\nlines"],
    ["", "", ""],
    ["last"],
  ]);
  assert.deepEqual(parseCsv(""), []);
  assert.deepEqual(parseCsv("a,"), [["a", ""]]);
  assert.deepEqual(parseCsv("a\n\nb\n"), [["a"], [""], ["b"]]);
});

test("CSV: an error names its line", () => {
  assert.throws(() => parseCsv('a\nb,"never'), /line 2: a quote is not closed/);
  assert.throws(() => parseCsv('"one\ntwo"x,b'), /line 2: text after a closing quote/);
});

/** Fields with a comma, a quote or a line break are quoted. */
const csvRow = (fields: readonly string[]): string =>
  `${fields.map((f) => (/[",\r\n]/.test(f) ? `"${f.replaceAll('"', '""')}"` : f)).join(",")}\r\n`;

test("CSV: written rows are read back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), { maxLength: 5 }),
      (rows) => {
        const readable = rows.map((row) => row.map((f) => f.replace(/^\uFEFF/, "")));
        assert.deepEqual(parseCsv(readable.map(csvRow).join("")), readable);
      },
    ),
  );
});

test("fields become numbers and booleans only in their canonical spelling", () => {
  const cases: [string, unknown][] = [
    ["42", 42],
    ["-1.5", -1.5],
    ["0", 0],
    ["TRUE", true],
    ["FALSE", false],
    ["007", "007"],
    ["1e5", "1e5"],
    ["+1", "+1"],
    ["1.50", "1.50"],
    ["12345678901234567890", "12345678901234567890"],
    ["true", "true"],
    ["", ""],
    ["Infinity", "Infinity"],
  ];
  for (const [field, value] of cases) assert.equal(typed(field), value, field);
});

test("a folder becomes tabs; an error names the folder or the file", async () => {
  const dir = folder();
  assert.throws(() => readTabs(dir), /holds no \.csv file/);
  assert.throws(() => readTabs(join(dir, "nowhere")), /can't read the folder/);
  await writeFile(join(dir, "b.csv"), "id,n\r\n1,2\r\n");
  await writeFile(join(dir, "a.csv"), "id\n");
  await writeFile(join(dir, "notes.txt"), "no tab");
  await mkdir(join(dir, "c.csv"));
  assert.throws(() => readTabs(dir), /c\.csv/);
});

test("the sample: 500 players, and their codes only in the hidden column", () => {
  const tabs = readTabs(SAMPLE);
  const [header, ...players] = tabs.find((tab) => tab.title === "players")?.rows ?? [];
  assert.deepEqual(header, ["id", "name", "team", "status", "score", "code"]);
  assert.equal(players.length, 500);
  for (const column of [0, 1, 5])
    assert.equal(new Set(players.map((p) => p[column])).size, 500, `column ${column} is unique`);
  const codes = players.map((p) => String(p[5]));
  for (const code of codes) assert.match(code, /^[A-HJKMNP-Z2-9]{4}-[A-HJKMNP-Z2-9]{4}$/);
  const others =
    JSON.stringify(tabs.filter((tab) => tab.title !== "players")) +
    JSON.stringify(players.map((p) => p.slice(0, 5)));
  assert.deepEqual(
    codes.filter((code) => others.includes(code)),
    [],
  );
  const actions = tabs.find((tab) => tab.title === "actions")?.rows ?? [];
  assert.deepEqual(actions[0], ["id", "player", "kind", "target", "note", "at"]);
});
