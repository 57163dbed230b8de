import assert from "node:assert/strict";
import { test } from "node:test";
import { ANY_CHARACTER } from "../../support/characters.ts";
import { fc } from "../../support/fast-check.ts";
import { bindQuery } from "../../../src/app/query/bind.ts";
import type { QueryColumn } from "../../../src/app/query/model.ts";
import { parseQuery } from "../../../src/app/query/parse.ts";
import { times } from "../../support/times.ts";

const COLUMNS: readonly QueryColumn[] = [
  { name: "id", type: "string" },
  { name: "score", type: "integer" },
  { name: "ratio", type: "number" },
  { name: "alive", type: "boolean" },
  { name: "born", type: "date" },
  { name: "note [x]", type: "auto" },
];

function read(raw: string) {
  const parsed = parseQuery(raw);
  return parsed.ok ? bindQuery("players", parsed.value, COLUMNS) : parsed;
}

for (const [raw, parameter] of [
  ["limit=0", "limit"],
  ["limit=1001", "limit"],
  ["limit=-1", "limit"],
  ["limit=1e2", "limit"],
  ["limit=", "limit"],
  ["limit=007", "limit"],
  ["limit=%31%00", "limit"],
  ["limit=3&limit=3", "limit"],
  ["limit=3&%6cimit=3", "limit"],
  ["cursor=", "cursor"],
  ["cursor=x", "cursor"],
  ["cursor=%F0%9F%92%A9", "cursor"],
  ["sort=", "sort"],
  ["sort=-", "sort"],
  ["sort=id,", "sort"],
  ["sort=id,-id", "sort"],
  ["sort=nope", "sort"],
  ["sort=constructor", "sort"],
  ["sort=--score", "sort"],
  ["sort=id,score,ratio,alive,born", "sort"],
  ["filter[nope]=1", "filter[nope]"],
  ["filter[code]=1", "filter[code]"],
  ["filter[__proto__]=1", "filter[__proto__]"],
  ["filter[id][like]=1", "filter[id][like]"],
  ["filter[id][eq]=1", "filter[id][eq]"],
  ["filter[id][]=1", "filter[id][]"],
  ["filter[]=1", "filter[]"],
  ["filter=1", "filter"],
  ["filter[id=1", "filter[id"],
  ["filter[score]=abc", "filter[score]"],
  ["filter[score]=1.5", "filter[score]"],
  ["filter[score]=99999999999999999999", "filter[score]"],
  ["filter[ratio]=1e999", "filter[ratio]"],
  ["filter[ratio]=0x10", "filter[ratio]"],
  ["filter[ratio]=NaN", "filter[ratio]"],
  ["filter[ratio]=%201", "filter[ratio]"],
  ["filter[score][gt]=", "filter[score][gt]"],
  ["filter[alive]=yes", "filter[alive]"],
  ["filter[alive][gt]=true", "filter[alive][gt]"],
  ["filter[born]=yesterday", "filter[born]"],
  ["filter[born]=2026-13-45", "filter[born]"],
  ["filter[score][in]=1,x", "filter[score][in]"],
  [`filter[id][in]=${Array(101).fill("a").join(",")}`, "filter[id][in]"],
  [`filter[id]=${"a".repeat(257)}`, "filter[id]"],
  ["filter[id]=1&filter%5Bid%5D=2", "filter[id]"],
  ["colour=red", "colour"],
  ["Limit=3", "Limit"],
  ["a=%zz", "a"],
  ["%zz=a", "%zz"],
  ["limit=%C3%28", "limit"],
  ["=x", ""],
] as const)
  test(`refuses ${raw.length > 60 ? `${raw.slice(0, 60)}…` : raw} by the parameter's name`, () => {
    const result = read(raw);
    assert.equal(result.ok, false);
    if (!result.ok) {
      assert.equal(result.bad.parameter, parameter);
      assert.ok(result.bad.detail.length > 5);
    }
  });

test("refuses the 17th filter", () => {
  const columns = Array.from({ length: 20 }, (_, i) => `filter[c${i}]=1`);
  assert.equal(parseQuery(columns.slice(0, 16).join("&")).ok, true);
  assert.equal(parseQuery(columns.slice(0, 17).join("&")).ok, false);
});

test("reads what it should", () => {
  const result = read("limit=7&sort=-score,id&filter[score][gte]=10&filter%5Bnote+%5Bx%5D%5D=a+b&filter[id][in]=a,b&filter[alive]=&&");
  assert.ok(result.ok);
  assert.equal(result.value.limit, 7);
  assert.deepEqual(result.value.sort, [
    { column: "score", descending: true },
    { column: "id", descending: false },
  ]);
  assert.deepEqual(
    result.value.filters.map((f) => [f.column, f.operator, f.wanted.map((w) => w.text)]),
    [
      ["score", "gte", ["10"]],
      ["note [x]", "eq", ["a b"]],
      ["id", "in", ["a", "b"]],
      ["alive", "eq", [""]],
    ],
  );
});

test("an unknown column and a hidden one get the same words", () => {
  const detail = (name: string) => {
    const result = read(`filter[${name}]=1`);
    return result.ok ? "" : result.bad.detail.replaceAll(name, "?");
  };
  assert.equal(detail("code"), detail("nope"));
});

test("the selection does not depend on the filters' order, and does on all else", () => {
  const selection = (raw: string) => {
    const result = read(raw);
    assert.ok(result.ok);
    return result.value.selection;
  };
  const base = selection("filter[id]=a&filter[score]=1&sort=id");
  assert.equal(selection("limit=9&sort=id&filter[score]=1&filter[id]=a"), base);
  for (const other of [
    "filter[id]=a&sort=id",
    "filter[id]=a&filter[score]=2&sort=id",
    "filter[id]=a&filter[score]=1&sort=-id",
    "filter[id][ne]=a&filter[score]=1&sort=id",
  ])
    assert.notEqual(selection(other), base);
});

test("never throws, whatever comes", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.string({ unit: ANY_CHARACTER }),
    fc.constantFrom(
      "filter[",
      "]",
      "[gt]",
      "=",
      "&",
      "%",
      "%F0",
      "limit",
      "sort",
      "cursor",
      "id",
      "score",
      ",",
      "-",
      "+",
      "\0",
      "__proto__",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const result = read(pieces.join(""));
      if (!result.ok) assert.equal(typeof result.bad.parameter, "string");
    }),
    { numRuns: times(1_500) },
  );
});

test("a long bracket soup is refused", () => {
  assert.equal(read(`filter[${"][".repeat(4_000)}`).ok, false);
  assert.equal(read(`filter[${"]".repeat(8_000)}`).ok, false);
});
