import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { KINDS } from "../../../src/tools/emulator/fault-read.ts";
import { readEditSpecs, readFaultSpecs } from "../../../src/tools/emulator/fault-spec.ts";

const one = (spec: string): unknown => {
  const read = readFaultSpecs(spec);
  return typeof read === "string" ? read : read[0];
};

test("a spec is a kind, its value, and what else there is to say", () => {
  const all = { method: "*", applied: false };
  const table: readonly (readonly [string, object])[] = [
    ["hang", { kind: "hang", ...all, times: 1 }],
    ["status=503,applied", { kind: "status", status: 503, ...all, applied: true, times: 1 }],
    [
      "latency=2s,method=read,for=1m",
      { kind: "latency", ms: 2_000, ...all, method: "read", for: 60_000 },
    ],
    [
      "latency=1.5s,chance=0.25,seed=4",
      { kind: "latency", ms: 1_500, ...all, chance: 0.25, seed: 4 },
    ],
    ["quota", { kind: "quota", lockout: 60_000, ...all, times: 1 }],
    ["bomb=100MB,every=10", { kind: "bomb", bytes: 100_000_000, ...all, every: 10 }],
    ["huge=1MiB,skip=3,times=2", { kind: "huge", bytes: 1_048_576, ...all, skip: 3, times: 2 }],
    ["late=170s,answer=503", { kind: "late", ms: 170_000, answer: "503", ...all, times: 1 }],
    ["rename=Q1 2026,to=007", { kind: "rename", tab: "Q1 2026", to: "007", ...all, times: 1 }],
    ["move=Sheet1,row=3,to=7", { kind: "move", tab: "Sheet1", row: 3, to: 7, ...all, times: 1 }],
    [
      "sort=2026,column=c,descending",
      { kind: "sort", tab: "2026", column: "C", descending: true, header: 1, ...all, times: 1 },
    ],
    ["drop, partial , applied", { kind: "drop", partial: true, ...all, applied: true, times: 1 }],
    [
      "redirect=https://a.example/?b=c",
      { kind: "redirect", location: "https://a.example/?b=c", ...all, times: 1 },
    ],
  ];
  for (const [spec, fault] of table) assert.deepEqual(one(spec), fault, spec);
  assert.equal(readFaultSpecs("hang;drop\nmalformed;")?.length, 3);
});

test("what is no spec is answered by what would be one", () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ["", /KIND\[=VALUE\]/],
    ["hnag", /kind must be one of status, denied, html, hang/],
    ["hang=3", /hang takes no value/],
    ["status", /status must be 400…599/],
    ["status=503,status=500", /given twice/],
    ["status=503,evry=3", /status has no evry: it takes status, message, method, times/],
    ["status=503,method=values.gte", /method's id, such as values\.get/],
    ["latency=2d", /ms must be/],
    ["drop,applied=yes", /applied must be/],
    ["expired,method=oauth.token", /nothing for the token endpoint/],
    ["hang;status=1", /^status=1: /],
    ["chance=1,hang", /kind must be one of/],
    ["hang,chance=0", /chance must be above 0/],
    ["rename=A", /new name/],
    ["__proto__=1", /kind must be one of/],
    ["constructor", /kind must be one of/],
  ];
  for (const [spec, message] of table) assert.match(String(one(spec)), message, spec);
  assert.equal(
    readEditSpecs("sort=A,times=3"),
    "sort=A,times=3: sort has no times: it takes tab, column, descending, header",
  );
});

test("any text is specs or a refusal", () => {
  const word = fc.oneof(
    fc.constantFrom(...KINDS, "method", "times", "every", "503", "2s", "100MB", "", ",", "=", ";"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      for (const joint of ["", ",", "="]) {
        const read = readFaultSpecs(words.join(joint));
        assert.ok(
          typeof read === "string"
            ? read.length > 0
            : read.every(({ kind }) => KINDS.includes(kind)),
        );
      }
    }),
  );
});
