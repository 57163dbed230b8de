import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { KINDS, SELECTION } from "../../../../src/tools/emulator/faults/fault.ts";
import { parseEdits, parseFaults } from "../../../../src/tools/emulator/faults/parse-fault.ts";
import { fc } from "../../../support/fast-check.ts";

const one = (spec: string): unknown => {
  const parsed = parseFaults(spec);
  return typeof parsed === "string" ? parsed : parsed[0];
};

test("a spec is a kind, its value, and further fields", () => {
  const all = { method: "*", applied: false };
  const once = { ...all, times: 1 };
  const table: readonly (readonly [string, object])[] = [
    ["hang", { kind: "hang", ...once }],
    ["status=503,applied", { kind: "status", status: 503, ...once, applied: true }],
    [
      "latency=2s,method=read,for=1m",
      { kind: "latency", ms: 2_000, ...all, method: "read", for: 60_000 },
    ],
    [
      "latency=1.5s,chance=0.25,seed=4",
      { kind: "latency", ms: 1_500, ...all, chance: 0.25, seed: 4 },
    ],
    ["quota", { kind: "quota", lockout: 60_000, ...once }],
    [
      "huge=100MB,gzip,every=10",
      { kind: "huge", bytes: 100_000_000, gzip: true, ...all, every: 10 },
    ],
    [
      "huge=1MiB,skip=3,times=2",
      { kind: "huge", bytes: 1_048_576, gzip: false, ...all, skip: 3, times: 2 },
    ],
    ["late=170s,answer=503", { kind: "late", ms: 170_000, answer: "503", ...once }],
    ["rename=Q1 2026,to=007", { kind: "rename", tab: "Q1 2026", to: "007", ...once }],
    ["move=Sheet1,row=3,to=7", { kind: "move", tab: "Sheet1", row: 3, to: 7, ...once }],
    ["insert=A", { kind: "insert", tab: "A", row: 2, count: 1, ...once }],
    [
      "sort=2026,column=c,descending",
      { kind: "sort", tab: "2026", column: "C", descending: true, header: 1, ...once },
    ],
    ["type=A,at=b2", { kind: "type", tab: "A", at: "B2", value: "", ...once }],
    ["drop, partial , applied", { kind: "drop", partial: true, ...once, applied: true }],
    ["hang,method=values.get", { kind: "hang", ...once, method: "sheets.spreadsheets.values.get" }],
  ];
  for (const [spec, fault] of table) assert.deepEqual(one(spec), fault, spec);
  assert.equal(parseFaults("hang;drop\nmalformed;")?.length, 3);
  assert.deepEqual(parseEdits("sort=A"), [
    { kind: "sort", tab: "A", column: "A", descending: false, header: 1 },
  ]);
});

test("a refusal names what is expected", () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ["", /KIND\[=VALUE\]/],
    ["hnag", /^hnag: kind must be one of status, denied, html, hang/],
    ["hang=3", /hang takes no value/],
    ["status", /status must be 400…599/],
    ["status=1e2", /status must be 400…599/],
    ["status=503,status=500", /given twice/],
    ["status=503,evry=3", /status has no evry: it takes status, message, method, applied, times/],
    ["status=503,method=values.gte", /method must be a method's id, such as values\.get/],
    ["latency=2d", /ms must be 1…600000 ms/],
    ["latency=1.5", /ms must be/],
    ["huge=1TB", /bytes must be 2…1073741824 bytes/],
    ["huge=2GiB", /bytes must be/],
    ["late=1s,answer=maybe", /answer must be drop, hang, 503/],
    ["drop,applied=yes", /applied must be true or false/],
    ["expired,method=oauth.token", /does not apply to the token endpoint/],
    ["sort=A,method=oauth.token", /does not apply to the token endpoint/],
    ["hang;status=1", /^status=1: /],
    ["hang,times=0", /times must be 1…/],
    ["hang,chance=0", /chance must be above 0/],
    ["rename=A", /to must be a text/],
    ["type=A,at=B0", /at must be a cell/],
    ["__proto__=1", /kind must be one of/],
    ["constructor", /kind must be one of/],
    ["hang,__proto__=1", /hang has no __proto__/],
  ];
  for (const [spec, message] of table) assert.match(String(one(spec)), message, spec);
  const strange = "sort=A,times=3: sort has no times: it takes tab, column, descending, header";
  assert.equal(parseEdits("sort=A,times=3"), strange);
  assert.match(JSON.stringify(parseEdits("hang")), /kind must be one of rename, sort, insert/);
});

test("any text is specs or a refusal", () => {
  const kinds = Object.keys(KINDS);
  const known = ["method", "times", "every", "503", "2s", "100MB", "", ",", "=", ";"];
  const word = fc.oneof(fc.constantFrom(...kinds, ...known), fc.string());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      for (const joint of ["", ",", "="]) {
        const parsed = parseFaults(words.join(joint));
        assert.ok(
          typeof parsed === "string"
            ? parsed !== ""
            : parsed.every(({ kind }) => kinds.includes(kind)),
        );
      }
    }),
  );
});

test("the documentation has every kind, each with its fields, and every field that selects calls", () => {
  const page = readFileSync(new URL("../../../../docs/emulator.md", import.meta.url), "utf8");
  const rows = new Map(
    [...page.matchAll(/^\| `(\w+)[^|]*\|.*$/gm)].map((row) => [row[1] ?? "", row[0]]),
  );
  for (const [kind, { fields, value }] of Object.entries(KINDS)) {
    const row = rows.get(kind) ?? "";
    assert.ok(row.startsWith(`| \`${kind}${value === undefined ? "" : "="}`), kind);
    for (const name of Object.keys(fields))
      assert.ok(name === value || new RegExp(`\\b${name}\\b`).test(row), `${kind}: ${name}`);
  }
  for (const name of Object.keys(SELECTION)) assert.ok(name === "seed" || rows.has(name), name);
  assert.match(rows.get("chance") ?? "", /`seed=N`/);
});
