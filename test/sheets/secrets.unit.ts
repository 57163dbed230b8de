import assert from "node:assert/strict";
import test from "node:test";
import { ANY_CHARACTER } from "../support/characters.ts";
import { fc } from "../support/fast-check.ts";
import { readAccounts } from "../../src/sheets/accounts.ts";
import { deriveKey, foldName, hashCode, keep, makeCode, matchesCode, readCode, readScrypt, writeScrypt } from "../../src/sheets/secrets.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import { seconds } from "../../src/base/units.ts";
import { hashPassword } from "../../src/cli/hash.ts";
import { checkPassword } from "../../src/app/session/scrypt.ts";

const key = deriveKey("a key of the operator, over 32 characters");
const other = deriveKey("another key of the operator, over 32 characters");
const verifier = (cell: string): string => {
  const kept = keep(cell, key);
  assert.equal(kept.is, "kept");
  return kept.is === "kept" ? kept.verifier : "";
};

test("codes are 60 random bits that people can type", () => {
  const codes = Array.from({ length: 2_000 }, makeCode);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
  const [code = ""] = codes;
  const bare = code.replaceAll("-", "");
  for (const typed of [code, bare, code.toLowerCase(), ` ${code.replaceAll("-", " – ")} `, code.replaceAll("0", "o").replaceAll("1", "l")])
    assert.equal(readCode(typed), bare, typed);
  for (const none of ["", "K7M2", `${code}0`, "K7M2-9QXR-4T3*", "K7M2-9QXR-4T3W\n-K7M2-9"]) assert.equal(readCode(none), undefined, none);
});

test("whatever is in the sheet is matched by what it was made of and by nothing else", () => {
  const code = makeCode();
  for (const cell of [code, hashCode(code), ` ${hashCode(code)} `]) {
    const kept = verifier(cell);
    assert.ok(!kept.includes(code) && !kept.includes(code.replaceAll("-", "")), "the code itself is not kept");
    assert.equal(matchesCode(code.toLowerCase().replaceAll("-", ""), kept, [other, key]), true);
    assert.equal(matchesCode(makeCode(), kept, [key]), false);
    assert.equal(matchesCode(code, kept, [other]), undefined, "by another key nothing can be said");
  }
  const plain = keep("password", key);
  assert.ok(plain.is === "kept" && plain.plain);
  if (plain.is !== "kept") return;
  assert.equal(matchesCode("password", plain.verifier, [key]), true);
  for (const near of ["PASSWORD", "passw0rd", "password "]) assert.equal(matchesCode(near, plain.verifier, [key]), false, near);
});

test("hashes of other makers, and those that would cost too much, open nothing", () => {
  const salt = Buffer.alloc(16, 1);
  const hash = Buffer.alloc(32, 2);
  for (const cell of [
    "$2b$12$abcdefghijklmnopqrstuv",
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    "$scrypt$ln=14$x",
    "$mac$aaaaaaaa$$bbb",
    writeScrypt({ ln: 20, r: 8, p: 1, salt, hash }),
    writeScrypt({ ln: 14, r: 8, p: 99, salt, hash }),
    "x".repeat(300),
  ])
    assert.equal(keep(cell, key).is, "unusable", cell.slice(0, 40));
  const written = writeScrypt({ ln: 14, r: 8, p: 5, salt, hash });
  assert.deepEqual(readScrypt(written), { ln: 14, r: 8, p: 5, salt, hash });
});

test("what drover hash makes is N=2^14 r=8 p=5 under a salt of its own, and is checked by the thread", () => {
  const [one, two] = [hashPassword("correct hörse"), hashPassword("correct hörse")];
  assert.match(one, /^\$scrypt\$ln=14,r=8,p=5\$/);
  assert.notEqual(one, two);
  assert.equal(verifier(one), one);
  assert.equal(checkPassword({ password: "correct ho\u0308rse", verifier: one }), true);
  assert.equal(checkPassword({ password: "correct horse", verifier: one }), false);
});

test("no cell makes reading a secret throw, and none is kept as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER, maxLength: 60 }), (cell) => {
      const kept = keep(cell, key);
      if (kept.is === "kept") assert.match(kept.verifier, /^\$(?:mac|scrypt)\$/);
    }),
    { numRuns: 300 },
  );
});

const FILE = {
  users: { table: "people", name: "name", secret: "code", role: "role" },
  tables: { people: { range: "People!B2:F" } },
};
const accountsTable = (): ReturnType<typeof parseTables>[number] => {
  const table = parseTables(JSON.stringify(FILE), "tables.json", seconds(30)).at(-1);
  assert.ok(table);
  return table;
};

test("the users' rows: names, verifiers and roles go on, twins and hashes nobody knows can't log in, and the log names cells", () => {
  const reading = readAccounts(
    [
      ["id", "name", "code", "role"],
      [1, "Zoé", "K7M2-9QXR-4T3W", "admin"],
      [2, "  Ada  ", "hunter22"],
      [3, "ZOÉ", "AAAA-BBBB-CCCC"],
      [4, "Kim", "$2b$12$abcdefghijklmnopqrstuv"],
      [5, "No secret"],
      [6, "", "AAAA-BBBB-CCCC"],
    ],
    accountsTable(),
    key,
  );
  assert.ok(reading.is === "ok");
  if (reading.is !== "ok") return;
  assert.deepEqual(
    reading.content.rows.map(([name, kept, role]) => [name, typeof kept === "string" ? kept.slice(0, 5) : kept, role]),
    [
      ["Ada", "$mac$", null],
      ["Kim", null, null],
      ["No secret", null, null],
    ],
  );
  assert.deepEqual(reading.findings.warnings, [
    "People!D4 holds a password as it is: replace it by what `drover hash` makes of it",
    "People!C5 is a name that stands further up already: neither of the two can log in",
    "People!D6 holds a hash that drover does not know: nobody can log in by it",
  ]);
  assert.doesNotMatch(JSON.stringify(reading), /hunter22|K7M2|AAAA|Zoé.*code/);
  assert.equal(readAccounts([["id", "name"]], accountsTable(), key).is, "malformed");
  assert.equal(foldName("  Zoe\u0301  DUPONT "), "zoé dupont");
});

const WRONG_USERS: readonly (readonly [unknown, RegExp])[] = [
  [[], /\/users is \[\]: expected an object/],
  [{ table: "people", name: "name" }, /\/users\/secret is undefined: expected the hidden column/],
  [{ table: "nope", name: "name", secret: "code" }, /\/users\/table is "nope": expected the name of one of the tables/],
  [{ table: "people", name: "name", secret: "shirt" }, /\/users\/secret is "shirt": expected a hidden column/],
  [{ table: "people", name: "code", secret: "code" }, /\/users is .*different columns/],
  [{ table: "people", name: "name", secret: "code", roles: "x" }, /\/users\/roles is not known: did you mean "role"\?/],
];
for (const [users, expected] of WRONG_USERS)
  test(`users: ${JSON.stringify(users)}`, () => {
    assert.throws(() => parseTables(JSON.stringify({ ...FILE, users }), "tables.json", seconds(30)), expected);
  });

test("own rows need the column that says whose they are, and it can't be hidden", () => {
  const parse = (table: unknown) => () => parseTables(JSON.stringify({ tables: { a: table } }), "tables.json", seconds(30));
  assert.throws(parse({ read: "own rows" }), /\/tables\/a\/owner is undefined: expected the name of the column/);
  assert.throws(parse({ read: "own rows", owner: "pin" }), /\/tables\/a\/owner is "pin": expected a column that is not hidden/);
  assert.throws(parse({ owner: "who", columns: { who: { type: "integer" } } }), /\/columns\/who\/type is "integer": expected string/);
  assert.equal(parse({ read: "own rows", owner: "who" })()[0]?.owner, "who");
});
