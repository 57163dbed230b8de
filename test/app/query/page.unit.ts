import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { bindQuery } from "../../../src/app/query/bind.ts";
import { selectPage } from "../../../src/app/query/page.ts";
import { parseQuery } from "../../../src/app/query/parse.ts";
import { rowsOf } from "../../../src/app/query/rows.ts";
import type { Cell, VisibleColumn } from "../../../src/sheets/snapshot.ts";
import { times } from "../../support/times.ts";
import { encode, snapshotOf } from "../rows.ts";

const COLUMNS: readonly VisibleColumn[] = [
  { name: "id", type: "string" },
  { name: "score", type: "number" },
  { name: "name", type: "auto" },
];
type Row = readonly [string, number | null, Cell];

function page(rows: readonly Row[], raw: string) {
  const encoded = encode(COLUMNS, rows);
  const parsed = parseQuery(raw);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const query = bindQuery("t", parsed.value, COLUMNS);
  assert.ok(query.ok, JSON.stringify(query));
  const result = selectPage(rowsOf(snapshotOf(encoded), encoded.hash), query.value);
  const list = JSON.parse(`[${Buffer.from(result.rows).toString()}]`) as { id: string; score: number | null; name: Cell }[];
  return { ...result, list, ids: list.map((row) => row.id) };
}

/** All pages of one version. */
function walk(rows: readonly Row[], raw: string, limit: number): string[] {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const result = page(rows, `${raw}&limit=${limit}${cursor === null ? "" : `&cursor=${cursor}`}`);
    ids.push(...result.ids);
    cursor = result.next;
    assert.ok(ids.length <= rows.length, "pages repeat rows");
  } while (cursor !== null);
  return ids;
}

const arbitraryCell = fc.oneof(
  fc.constant(null),
  fc.constantFrom("", "a", "b", "B", "é", "10", "n/a", "true"),
  fc.integer({ min: -3, max: 12 }),
  fc.boolean(),
);
const arbitraryRows = fc
  .array(fc.tuple(fc.option(fc.integer({ min: 0, max: 5 })), arbitraryCell), { maxLength: 40 })
  .map((rows) => rows.map(([score, name], i): Row => [`k${i}`, score, name === "" ? null : name]));

test("the plain list is the rows' own bytes", () => {
  const rows: Row[] = [
    ["a", 1, "x"],
    ["b", null, 'quo"te'],
    ["c", 3, "é\u2028"],
  ];
  const { rows: bytes, total, next } = page(rows, "");
  assert.equal(Buffer.from(bytes).toString(), rows.map(([id, score, name]) => JSON.stringify({ id, score, name })).join(","));
  assert.equal(total, 3);
  assert.equal(next, null);
});

test("an empty table has one empty page", () => {
  for (const raw of ["", "sort=id", "filter[id]=x"]) {
    const { total, next, list } = page([], raw);
    assert.deepEqual([total, next, list], [0, null, []]);
  }
});

test("filters equal a naive model", () => {
  const number = (text: string) => (/^-?\d+$/.test(text) ? Number(text) : undefined);
  const boolean = (text: string) => (text === "true" ? true : text === "false" ? false : undefined);
  const equal = (cell: Cell, text: string) =>
    cell === null ? text === "" : cell === text || cell === number(text) || cell === boolean(text);
  const order = (cell: Cell, text: string): number => {
    const wanted = number(text);
    if (typeof cell === "number" && wanted !== undefined) return Math.sign(cell - wanted);
    if (typeof cell === "string" && wanted === undefined && boolean(text) === undefined)
      return cell === text ? 0 : [cell, text].sort()[0] === cell ? -1 : 1;
    return Number.NaN;
  };
  const models: Record<string, (cell: Cell, text: string) => boolean> = {
    "": equal,
    "[ne]": (cell, text) => !equal(cell, text),
    "[gt]": (cell, text) => order(cell, text) > 0,
    "[gte]": (cell, text) => order(cell, text) >= 0,
    "[lt]": (cell, text) => order(cell, text) < 0,
    "[lte]": (cell, text) => order(cell, text) <= 0,
    "[in]": (cell, text) => equal(cell, text) || equal(cell, "zz"),
  };
  const text = fc.constantFrom("a", "b", "B", "é", "10", "3", "-1", "n/a", "true", "false");
  fc.assert(
    fc.property(arbitraryRows, fc.constantFrom(...Object.keys(models)), text, (rows, operator, wanted) => {
      const value = operator === "[in]" ? `${wanted},zz` : wanted;
      const { ids, total } = page(rows, `limit=1000&filter[name]${operator}=${encodeURIComponent(value)}`);
      const expected = rows.filter(([, , name]) => models[operator]?.(name, wanted) === true).map(([id]) => id);
      assert.deepEqual(ids, expected);
      assert.equal(total, expected.length);
    }),
    { numRuns: times(500) },
  );
});

test("an empty value finds empty cells, and ne the others", () => {
  const rows: Row[] = [
    ["a", null, null],
    ["b", 1, "x"],
  ];
  assert.deepEqual(page(rows, "filter[name]=").ids, ["a"]);
  assert.deepEqual(page(rows, "filter[score]=").ids, ["a"]);
  assert.deepEqual(page(rows, "filter[name][ne]=").ids, ["b"]);
});

test("sorting is by type, stable, with empty cells last both ways", () => {
  const rows: Row[] = [
    ["a", 2, "é"],
    ["b", null, 10],
    ["c", 1, "Z"],
    ["d", 2, true],
    ["e", 1, null],
    ["f", null, 9],
  ];
  assert.deepEqual(page(rows, "sort=score").ids, ["c", "e", "a", "d", "b", "f"]);
  assert.deepEqual(page(rows, "sort=-score").ids, ["a", "d", "c", "e", "b", "f"]);
  assert.deepEqual(page(rows, "sort=name").ids, ["f", "b", "c", "a", "d", "e"]);
  assert.deepEqual(page(rows, "sort=-name").ids, ["d", "a", "c", "b", "f", "e"]);
  assert.deepEqual(page(rows, "sort=score,-name").ids, ["c", "e", "d", "a", "b", "f"]);
});

test("pages of any size add up to the whole, in order", () => {
  const raw = fc.constantFrom("", "sort=score", "sort=-score,name", "filter[score][gte]=2", "filter[score][lt]=4&sort=-name");
  fc.assert(
    fc.property(arbitraryRows, raw, fc.integer({ min: 1, max: 9 }), (rows, query, limit) => {
      assert.deepEqual(walk(rows, query, limit), page(rows, `${query}&limit=1000`).ids);
    }),
    { numRuns: times(250) },
  );
});

test("3.7: pages by number are the same as by cursor, while nothing changes", () => {
  const raw = fc.constantFrom("", "sort=score", "sort=-score,name", "filter[score][gte]=2");
  fc.assert(
    fc.property(arbitraryRows, raw, fc.integer({ min: 1, max: 9 }), (rows, query, limit) => {
      const all = page(rows, `${query}&limit=1000`).ids;
      for (let n = 1; n <= Math.ceil(all.length / limit) + 1; n += 1) {
        const { ids, next, total } = page(rows, `${query}&limit=${limit}&page=${n}`);
        assert.deepEqual(ids, all.slice((n - 1) * limit, n * limit));
        assert.deepEqual([total, next !== null], [all.length, n * limit < all.length]);
        if (next !== null)
          assert.deepEqual(page(rows, `${query}&limit=${limit}&cursor=${next}`).ids, all.slice(n * limit, (n + 1) * limit));
      }
    }),
    { numRuns: times(100) },
  );
  for (const [wrong, message] of [
    ["page=0", /^is .0.: expected a whole number from 1 to 10000000$/],
    ["page=x", /whole number from 1/],
    ["page=2&cursor=abc", /does not go with a cursor/],
  ] as const) {
    const parsed = parseQuery(wrong);
    assert.ok(!parsed.ok && parsed.bad.parameter === "page");
    assert.match(parsed.bad.detail, message);
  }
});

/** What people do to a sheet between two pages, away from the rows that stay. */
const edit = fc.oneof(
  fc.record({ do: fc.constant("insert" as const), at: fc.nat(60), score: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ do: fc.constant("delete" as const), at: fc.nat(60) }),
  fc.record({ do: fc.constant("edit" as const), at: fc.nat(60), score: fc.integer({ min: 0, max: 5 }) }),
);

test("rows that stay as they are come at most once, and the rest does not hide them, whatever is edited between pages", () => {
  const raw = fc.constantFrom("", "sort=-score", "sort=score,name", "filter[score][lte]=4", "filter[score][gte]=1&sort=-score");
  // At most 7 deletions between two pages: 8 rows are remembered by a cursor without a sort.
  const edits = fc.array(fc.array(edit, { maxLength: 7 }), { minLength: 30, maxLength: 30 });
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 30 }), raw, fc.integer({ min: 1, max: 6 }), edits, (size, query, limit, rounds) => {
      let fresh = 0;
      let rows: Row[] = Array.from({ length: size }, (_, i) => [`k${i}`, i % 6, `n${i % 3}`]);
      const touched = new Set<string>();
      const original = new Map(rows.map((row) => [row[0], row]));
      const seen: string[] = [];
      let cursor: string | null = null;
      for (const round of rounds) {
        const result = page(rows, `${query}&limit=${limit}${cursor === null ? "" : `&cursor=${cursor}`}`);
        seen.push(...result.ids);
        cursor = result.next;
        if (cursor === null) break;
        for (const one of round) {
          const at = one.at % Math.max(1, rows.length);
          const row = rows[at];
          if (one.do === "insert") rows = rows.toSpliced(at, 0, [`new${fresh++}`, one.score, null]);
          else if (row === undefined) continue;
          else {
            touched.add(row[0]);
            rows = one.do === "delete" ? rows.toSpliced(at, 1) : rows.with(at, [row[0], one.score, row[2]]);
          }
        }
      }
      const stable = [...original.keys()].filter((id) => !touched.has(id));
      for (const id of stable) assert.ok(seen.filter((one) => one === id).length <= 1, `${id} came twice in ${seen.join(" ")}`);
      if (cursor !== null) return; // insertions outran the reader
      const all = new Set(page([...original.values()], `${query}&limit=1000`).ids);
      for (const id of stable) if (all.has(id)) assert.ok(seen.includes(id), `${id} never came in ${seen.join(" ")}`);
    }),
    { numRuns: times(500) },
  );
});

test("a cursor survives the loss of every row it remembers, of the whole table, and long texts", () => {
  const long = (n: number): Row => [`k${n}`, n, "x".repeat(200) + String(n).padStart(3, "0")];
  const rows = Array.from({ length: 40 }, (_, i) => long(i));
  for (const raw of ["", "sort=name", "sort=-name,score"]) {
    const { next } = page(rows, `${raw}&limit=20`);
    assert.ok(next !== null && next.length < 1_024);
    assert.ok(page(rows.slice(20), `${raw}&limit=20&cursor=${next}`).ids.length <= 20);
    assert.deepEqual(page([], `${raw}&limit=20&cursor=${next}`).ids, []);
    assert.deepEqual(walk(rows, raw, 7), page(rows, `${raw}&limit=1000`).ids);
  }
});

test("a page of huge rows ends early and goes on behind", () => {
  const rows: Row[] = Array.from({ length: 30 }, (_, i) => [`k${i}`, i, "x".repeat(400_000)]);
  for (const raw of ["", "sort=-score"]) {
    const { ids, next, rows: bytes } = page(rows, `${raw}&limit=1000`);
    assert.ok(ids.length === 10 && next !== null && bytes.byteLength <= 4 * 1_048_576);
    assert.equal(walk(rows, raw, 1_000).length, 30);
  }
});

test("keys that come twice or not at all do not make pages loop", () => {
  const rows: Row[] = Array.from({ length: 30 }, (_, i) => ["same", i, null]);
  const first = page(rows, "limit=10");
  const edited = rows.with(0, ["same", 99, null]);
  const second = page(edited, `limit=10&cursor=${first.next}`);
  assert.deepEqual(
    second.list.map((row) => row.score),
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
  );
});
