import assert from "node:assert/strict";
import test from "node:test";
import { ANY_CHARACTER } from "../../support/characters.ts";
import { fc } from "../../support/fast-check.ts";
import { columnsOf, cut, fit, jsonText, printable, printableJson, printableLines } from "../../../src/cli/terminal/printable.ts";

/** What a terminal obeys, or what hides or turns round what people read. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

test("nothing in a message is a command to the terminal", () => {
  const table: readonly (readonly [string, string])[] = [
    ["it exited with code 9", "it exited with code 9"],
    ["red \u001b[31mred\u001b[0m", "red red"],
    ["title \u001b]0;owned\u0007 set", "title set"],
    ["up \u001b[2A\u001b[2K and over", "up and over"],
    ["C1 \u009b31m and \u0090q\u009c", "C1 and ?q?"],
    ["bell\u0007 back\b\b\b space", "bell? back??? space"],
    ["two\nlines\r\nand\ttabs", "two lines and tabs"],
    ["hidden \u202egnp.exe\u2066", "hidden ?gnp.exe?"],
    ["zero\u200bwidth", "zero?width"],
    ["half \ud83d of a pair", "half ? of a pair"],
    ["lone escape \u001b", "lone escape ?"],
    ["日本語 ok, é ok", "日本語 ok, é ok"],
  ];
  for (const [raw, clean] of table) assert.equal(printable(raw), clean);
});

test("whatever comes in, what comes out is one harmless line", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: ANY_CHARACTER }),
        fc.array(fc.constantFrom("\u001b", "[", "3", "1", "m", "]", "\u009b", "\n", "a")).map((a) => a.join("")),
      ),
      (text) => {
        assert.doesNotMatch(printable(text), HARMFUL);
        assert.doesNotMatch(printableLines(text).replaceAll("\n", ""), HARMFUL);
        assert.doesNotMatch(JSON.stringify(printableJson({ [text]: [text, { text }] })), HARMFUL);
      },
    ),
  );
});

test("lines and their indentation stay where a text of several is wanted", () => {
  assert.equal(printableLines("SESSION    USER\nq2Vb0m5s1k a\tb  c\u0007"), "SESSION    USER\nq2Vb0m5s1k a b  c?", "columns stay columns");
  assert.equal(printableLines("worker 0 runs\r\n    at \u001b[31mloop\u001b[0m (a.js:1)\n"), "worker 0 runs\n    at loop (a.js:1)\n");
});

test("of brief fields the first line is kept; numbers, null and lists pass", () => {
  const value = { why: "Error: boom\n    at x", how: ["a\nb"], n: 1, none: null, deep: [{ why: "\nfirst\nsecond" }] };
  assert.deepEqual(printableJson(value, ["why"]), { why: "Error: boom", how: ["a b"], n: 1, none: null, deep: [{ why: "first" }] });
});

test("JSON for programs means the same, and says nothing to a terminal", () => {
  const value = { a: "\u009b31m\u007f", b: ["é"] };
  assert.equal(jsonText(value), '{"a":"\\u009b31m\\u007f","b":["é"]}');
  assert.deepEqual(JSON.parse(jsonText(value)), value);
});

test("widths: wide characters take two columns, combining ones none; what is cut says so", () => {
  const widths: readonly (readonly [string, number])[] = [["", 0], ["abc", 3], ["é", 1], ["e\u0301", 1], ["日本", 4], ["한", 2], ["Ｘ", 2], ["👩‍👩‍👧", 2], ["–…↑", 3]]; // prettier-ignore
  for (const [text, width] of widths) assert.equal(columnsOf(text), width, text);
  assert.equal(cut("abcdef", 6), "abcdef");
  assert.equal(cut("abcdef", 4), "abc…");
  assert.equal(cut("日本語", 4), "日…");
  assert.equal(cut("abc", 0), "");
  assert.equal(fit("7", 3, "right"), "  7");
  assert.equal(fit("日本語", 4), "日… ");
});

test("fit is exactly as wide as asked, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(50), (text, columns) =>
      assert.equal(columnsOf(fit(printable(text), columns)), columns),
    ),
  );
});
