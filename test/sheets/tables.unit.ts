import assert from "node:assert/strict";
import { test } from "node:test";
import { DroverError } from "../../src/base/errors.ts";
import { seconds } from "../../src/base/units.ts";
import { letters, origin, quoted } from "../../src/sheets/a1.ts";
import { namedTables, definitionOf, parseTables, readTables, strangersMayRead, tablesFromTabs } from "../../src/sheets/tables.ts";
import type { Table } from "../../src/sheets/types.ts";
import { namesSecret } from "../../src/sheets/words.ts";

const parse = (tables: unknown) => parseTables(JSON.stringify({ tables }), "tables.json", seconds(30));
const problem = (text: string): string => {
  try {
    parseTables(text, "tables.json", seconds(30));
  } catch (e) {
    assert.ok(e instanceof DroverError && e.code === "DROVER_E_TABLES" && e.exit === 78);
    return e.message;
  }
  return assert.fail("no problem was found");
};

test("a table that says nothing is private, keyed by its first column and as old as the setting allows", () => {
  const [table] = parse({ players: {} });
  const nobody = { read: "nobody", append: "nobody", update: "nobody" };
  assert.deepEqual(table, { name: "players", range: "players", key: undefined, ttl: 30_000, columns: [], ...nobody });
});

test("0.12, 1.4: each table has its own TTL: players 30 s, sheet 2 minutes, the others the setting's", () => {
  const file = {
    tables: { players: { range: "Players", ttl: "30s" }, sheet: { range: "Sheet", ttl: "120s" }, part: { range: "Sheet!A1:C9" } },
  };
  const found = parseTables(JSON.stringify(file), "tables.json", seconds(300));
  assert.deepEqual(
    namedTables(found).map(({ name, ttl }) => [name, ttl]),
    [["players", seconds(30)], ["sheet", seconds(120)], ["part", seconds(300)]], // prettier-ignore
  );
});

test("everything a table can say", () => {
  const said = { range: "Spieler!A1:F", key: "id", ttl: "2m", read: "public", append: { role: "desk" }, update: "own rows", owner: "who" };
  const [table] = parse({
    players: { ...said, columns: { score: { type: "integer" }, target: { hidden: true }, code: { hidden: false } } },
  });
  assert.deepEqual(table, {
    ...said,
    name: "players",
    ttl: 120_000,
    columns: [
      { name: "score", type: "integer", hidden: false },
      { name: "target", type: "auto", hidden: true },
      { name: "code", type: "auto", hidden: false },
    ],
  });
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ["{", /^tables\.json is not JSON: /],
  ["[]", /^tables\.json: \/ is \[\]: expected an object/],
  ['{"tables": {}}', /\/tables is "0 tables": expected 1 to 500/],
  ['{"tabels": {"a": {}}, "tables": {"a": {}}}', /\/tabels is not known: did you mean "tables"\?/],
  ['{"tables": {"a": {"reed": "public"}}}', /\/tables\/a\/reed is not known: did you mean "read"\?/],
  ['{"tables": {"a": {"read": "pubic"}}}', /\/tables\/a\/read is "pubic": expected an audience: did you mean "public"\?/],
  ['{"tables": {"a": {"read": {"role": 7}}}}', /\/tables\/a\/read is \{"role":7\}: expected/],
  ['{"tables": {"a": {"ttl": 30}}}', /\/tables\/a\/ttl is 30: expected a duration/],
  ['{"tables": {"a": {"ttl": "30"}}}', /\/tables\/a\/ttl is "30": expected a duration/],
  ['{"tables": {"a": {"range": ""}}}', /\/tables\/a\/range is "": expected a tab's title/],
  [`{"tables": {"a": {"range": "'Q1"}}}`, /\/tables\/a\/range is "'Q1": expected a tab's title/],
  [`{"tables": {"a": {"range": "'Q1'!Name"}}}`, /\/tables\/a\/range is "'Q1'!Name": expected a tab's title/],
  ['{"tables": {"a": {"maxRows": 100001}}}', /\/tables\/a\/maxRows is 100001: expected a whole number from 1 to 100000/],
  ['{"tables": {"a": {"maxBytes": "25m"}}}', /\/tables\/a\/maxBytes is "25m": expected/],
  ['{"tables": {"a": {"columns": []}}}', /\/tables\/a\/columns is \[\]: expected an object/],
  ['{"tables": {"a": {"columns": {"x/y": {"type": "int"}}}}}', /\/tables\/a\/columns\/x~1y\/type is "int": expected one of auto, string/],
  ['{"tables": {"a": {"columns": {" x": {}}}}}', /expected a column name without blanks/],
  ['{"tables": {"a": {"hidden": "code"}}}', /\/tables\/a\/hidden is "code": expected a list of column names/],
  ['{"tables": {"a": {"hidden": [7]}}}', /\/tables\/a\/hidden is \[7\]: expected a list of column names/],
  ['{"tables": {"a": {"key": "x", "hidden": ["x"]}}}', /\/tables\/a\/key is "x": expected a column that is not hidden/],
  [
    '{"tables": {"a": {"hidden": ["x"], "columns": {"x": {"hidden": false}}}}}',
    /\/tables\/a\/columns\/x\/hidden is false: expected true, because "hidden" of the table names the column/,
  ],
  [
    '{"tables": {"a": {"hidden": []}}, "users": {"table": "a", "name": "n", "secret": "code"}}',
    /\/users\/secret is "code": expected a hidden/,
  ],
  ['{"tables": {"a": {"key": "pin"}}}', /\/tables\/a\/key is "pin": expected a column that is not hidden/],
  [
    '{"tables": {"a": {"key": "id", "columns": {"id": {"hidden": true}}}}}',
    /\/tables\/a\/key is "id": expected a column that is not hidden/,
  ],
  ['{"tables": {"a": {"spreadsheet": "short"}}}', /\/tables\/a\/spreadsheet is "short": expected a spreadsheet's id/],
  ['{"tables": {"a": {"spreadsheet": 7}}}', /\/tables\/a\/spreadsheet is 7: expected a spreadsheet's id/],
  [
    '{"tables": {"a": {"spreadsheet": "another-spreadsheet-0002", "update": "public"}}}',
    /\/tables\/a\/update is "public": expected nobody: only tables of the spreadsheet that DROVER_SPREADSHEET_ID names can be written/,
  ],
  ['{"tables": {"__proto__": {}}}', /\/tables\/__proto__ is "__proto__": expected a table name/],
  ['{"tables": {"../x": {}}}', /expected a table name/],
  ['{"tables": {"a": {}, "A": {}}}', /\/tables\/A is "A": expected a name that differs from "a" by more than case/],
];
for (const [text, message] of WRONG) test(`refused: ${text}`, () => assert.match(problem(text), message));

test("all problems are named at once", () => {
  assert.equal(problem('{"tables": {"a": {"read": 1, "ttl": 2}, "b": 3}}').split("\n").length, 3);
});

test("a file that is not there is a settings error that names it", () => {
  assert.throws(() => readTables("/nowhere/tables.json", seconds(30)), /the tables file \/nowhere\/tables\.json can't be read: ENOENT/);
});

test("tabs become tables: slugs, collisions and titles without letters are said", () => {
  const { tables, notes } = tablesFromTabs(["Players", "players", "Équipe A", "日本", "It's"], seconds(30));
  assert.deepEqual(
    tables.map(({ name, range }) => [name, range]),
    [
      ["players", "'Players'"],
      ["players-2", "'players'"],
      ["equipe-a", "'Équipe A'"],
      ["tab-4", "'日本'"],
      ["it-s", "'It''s'"],
    ],
  );
  assert.ok(tables.every((t) => t.read === "nobody" && t.append === "nobody" && t.update === "nobody"));
  assert.equal(notes.length, 2);
});

test("tabs beyond the first 500 are counted, and reported by name", () => {
  const titles = Array.from({ length: 503 }, (_, i) => `T${i + 1}`);
  const { tables, notes, unlisted } = tablesFromTabs(titles, seconds(30));
  assert.deepEqual([tables.length, unlisted], [500, 3]);
  assert.match(notes.join("\n"), /3 of 503 tabs are no tables, because the most is 500: "T501", "T502", "T503"/);
});

test('"hidden" opens columns whose names look secret, and another list is another definition', () => {
  const [guessed, opened, listed] = [{}, { hidden: [] }, { hidden: ["x"] }].map((said) => parse({ a: said })[0] as Table);
  assert.deepEqual([guessed?.hidden, opened?.hidden, listed?.hidden], [undefined, [], ["x"]]);
  const definitions = [guessed, opened, listed].map((table) => definitionOf(table as Table, "id"));
  assert.equal(new Set(definitions).size, 3);
  assert.deepEqual(parse({ a: { key: "code", hidden: [] } })[0]?.key, "code");
});

test("what strangers may do", () => {
  const tables = parse({ a: { read: "public", columns: { x: { hidden: true } } }, b: { append: "public" }, c: { read: "signed-in" } });
  assert.deepEqual(strangersMayRead(tables), [
    { table: "a", may: ["read"], hidden: ["x"] },
    { table: "b", may: ["append"], hidden: [] },
  ]);
});

test("a definition changes with everything that decides what is visible, and with nothing else", () => {
  const of = (table: object, sheet = "s"): string => definitionOf(parse({ a: table })[0] as never, sheet);
  const base = of({});
  assert.equal(of({ read: "public", ttl: "5s" }), base);
  for (const other of [of({}, "t"), of({ range: "b" }), of({ key: "k" }), of({ columns: { x: { hidden: true } } })])
    assert.notEqual(other, base);
  assert.equal(of({ spreadsheet: "another-spreadsheet-0002" }), of({}, "another-spreadsheet-0002"));
});

test("names that mean a secret", () => {
  for (const name of [
    "code",
    "CODE",
    " Code ",
    "códe",
    "user_password",
    "UserPin",
    "PINCode",
    "pass_word",
    "mytoken",
    "pin2",
    "Hash (sha)",
    "codes",
  ])
    assert.ok(namesSecret(name), name);
  for (const name of ["name", "spinning", "postcode", "shipping", "score", "pinned", "", "日本"]) assert.ok(!namesSecret(name), name);
});

test("A1 notation", () => {
  for (const [range, sent] of [
    ["players", "'players'"],
    ["players!A1:F", "'players'!A1:F"],
    ["My Tab", "'My Tab'"],
    ["My Tab!B2:C", "'My Tab'!B2:C"],
    ["'It''s'!A:A", "'It''s'!A:A"],
    ["B3:F", "'B3:F'"],
    ["Q1", "'Q1'"],
    ["Q1!A:Z", "'Q1'!A:Z"],
    [" !Wow!", "' !Wow!'"],
    ["it's", "'it''s'"],
  ] as const)
    assert.equal(quoted(range), sent);
  assert.deepEqual(origin("x!$C$5:D"), { tab: "x", row: 4, column: 2 });
  assert.deepEqual(origin("players"), { tab: "players", row: 0, column: 0 });
  assert.deepEqual([0, 25, 26, 701, 702].map(letters), ["A", "Z", "AA", "ZZ", "AAA"]);
});
