import assert from "node:assert/strict";
import test from "node:test";
import { DroverError } from "../../src/base/errors.ts";
import { meaningOf, parsed, readFlags, usageOf } from "../../src/tools/flags.ts";

function whole(text: string, flag: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new DroverError("DROVER_E_USAGE", `${flag} ${text}: expected a number`);
}
const ROWS = [
  { name: "users", value: "N", default: "5", help: "how many", parse: whole },
  { name: "rate", value: "N", help: "requests a second", parse: whole },
  { name: "file", value: "FILE", help: "where to" },
  { name: "dry-run", help: "change nothing" },
] as const;

test("each row gives a value: parsed, the default, or a switch", () => {
  const given = readFlags("drover x", ROWS, ["--rate=7", "--dry-run", "--file", "a b"]);
  assert.deepEqual(given, { users: 5, rate: 7, file: "a b", "dry-run": true });
  const none = { users: 5, rate: undefined, file: undefined, "dry-run": false };
  assert.deepEqual(readFlags("drover x", ROWS, []), none);
  assert.deepEqual(parsed(ROWS, { "dry-run": "", users: "6" }), {
    ...none,
    users: 6,
    "dry-run": true,
  });
});

test("an unknown flag, a surplus word, a missing or wrong value is refused with its name", () => {
  for (const [argv, said] of [
    [["--usres", "1"], /^drover x: .*--usres/],
    [["surplus"], /^drover x: .*surplus/],
    [["--users"], /^drover x: .*--users/],
    [["--dry-run=1"], /^drover x: .*--dry-run/],
    [["--users", "many"], /^--users many: expected a number$/],
  ] as const)
    assert.throws(
      () => readFlags("drover x", ROWS, argv),
      (e) => e instanceof DroverError && e.code === "DROVER_E_USAGE" && said.test(e.message),
      argv.join(" "),
    );
});

test("help names the value and the default", () => {
  const lines = ROWS.map((row) => [usageOf(row), meaningOf(row)]);
  assert.deepEqual(lines[0], ["--users N", "how many (5)"]);
  assert.deepEqual(lines[3], ["--dry-run", "change nothing"]);
});
