import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseCsv } from "../../../src/tools/emulator/csv.ts";
import { BOARD, format, TEXTS } from "./modules.ts";

const { ago, backoff, countdown, fill, languageOf, matches, numericColumns, ranked, sorted, textOf } = format;

test("what is left of a wait never says 0 too early", () => {
  for (const [ms, text] of [
    [0, "0:00"],
    [-5, "0:00"],
    [1, "0:01"],
    [29_001, "0:30"],
    [60_000, "1:00"],
    [3_599_999, "1:00:00"],
    [3_661_000, "1:01:01"],
  ] as const)
    assert.equal(countdown(ms), text);
});

test("ages, numbers and moments in the reader's language", () => {
  assert.match(ago(4, "en"), /4 sec/);
  assert.match(ago(600, "fr"), /il y a 10/);
  assert.match(ago(100_000, "en"), /28 hr/);
  assert.match(ago(400_000, "en"), /5 days/);
  assert.equal(textOf(1234, "fr"), "1234");
  assert.equal(textOf(12_345.5, "en"), "12,345.5");
  assert.deepEqual(
    [null, undefined, "", "2026-05-09", "2026-99-99T00:00:00Z", true, "=1+1"].map((cell) => textOf(cell, "en")),
    ["", "", "", "2026-05-09", "2026-99-99T00:00:00Z", "true", "=1+1"],
  );
  assert.match(textOf("2026-05-09T08:15:00Z", "fr"), /mai/);
});

test("texts are filled in once: what is put in is not looked into", () => {
  assert.equal(fill("{a} {b} {c}", { a: "{b}", b: 2 }), "{b} 2 {c}");
});

test("waits double up to half a minute, are spread over a half, and keep to what the server asks", () => {
  assert.deepEqual(
    [0, 1, 2, 5, 60].map((tries) => backoff(tries, 0, 1)),
    [1_000, 2_000, 4_000, 30_000, 30_000],
  );
  assert.equal(backoff(0, 0, 0), 500);
  assert.equal(backoff(0, 12, 0), 12_000);
});

test("sorting: numbers, texts by the language, truth; the empty last both ways; places with ties", () => {
  const rows = [{ a: null }, { a: "éa" }, { a: true }, { a: 10 }, { a: "z" }, { a: 9 }, { a: "eb" }];
  const order = (down: boolean): unknown[] => sorted(rows, { column: "a", down }, "fr").map(({ a }) => a);
  assert.deepEqual(order(false), [9, 10, "éa", "eb", "z", true, null]);
  assert.deepEqual(order(true), [true, "z", "eb", "éa", 10, 9, null]);
  assert.deepEqual(
    ranked([{ p: 5 }, { p: 9 }, { p: 9 }, { p: null }], "p", "en").map(({ place }) => place),
    [1, 1, 3, 4],
  );
});

test("searching: every word, whatever its accents and case", () => {
  const row = { name: "Zoë Lefèvre", team: "Lynx" };
  for (const words of ["", "zoe", "LEFEVRE lynx", "  lynx  zoë "]) assert.ok(matches(row, words), words);
  for (const words of ["zoe hérons", "lefevrel"]) assert.ok(!matches(row, words), words);
});

test("columns of numbers", () => {
  const rows = [
    { n: 1, t: "1", e: null, m: 1 },
    { n: null, t: "2", e: null, m: "x" },
  ];
  assert.deepEqual([...numericColumns(rows, ["n", "t", "e", "m"])], ["n"]);
});

test("the reader's first language that the page speaks", () => {
  assert.equal(languageOf(["de", "fr-CH", "en"], ["en", "fr"]), "fr");
  assert.equal(languageOf([], ["en", "fr"]), "en");
  assert.equal(languageOf(["frog"], ["en", "fr"]), "en");
});

test("both languages say the same things, with the same words to fill in", () => {
  const places = (text: unknown): string =>
    [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)]
      .map(([, name = ""]) => name)
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join();
  assert.deepEqual(Object.keys(TEXTS.en).sort(), Object.keys(TEXTS.fr).sort());
  for (const [name, text] of Object.entries(TEXTS.en)) assert.equal(places(text), places(TEXTS.fr[name]), name);
});

test("the demo's players are the sample's, and every table of the board is there", () => {
  const [, ...players] = parseCsv(readFileSync("config/sample/players.csv", "utf8"));
  for (const { name, secret } of BOARD.demo)
    assert.ok(
      players.some((row) => row[1] === name && row[5] === secret),
      name,
    );
  const { tables } = JSON.parse(readFileSync("config/tables.json", "utf8")) as { tables: Record<string, unknown> };
  assert.deepEqual([...BOARD.order].sort(), Object.keys(tables).sort());
});

test("the board makes no markup of texts, and asks nothing of anybody else", () => {
  const folder = "src/app/page/static";
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.(?:js|css|html)$/.test(name));
  assert.ok(files.length > 15);
  for (const name of files)
    assert.doesNotMatch(
      readFileSync(`${folder}/${name}`, "utf8"),
      /innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|https?:\/\/|@import|url\(/,
      name,
    );
});
