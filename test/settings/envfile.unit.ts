import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "dotenv";
import { fc } from "../support/fast-check.ts";
import { loadEnvFile, parseEnvFile, readEnvFile, SYSTEM_ENV_FILE, type EnvFile } from "../../src/settings/envfile.ts";

const read = (text: string): EnvFile => parseEnvFile("f.env", text);
const entries = (text: string): unknown =>
  Object.fromEntries([...read(text).entries].map(([name, { text: t, line }]) => [name, [t, line]]));

test("quotes, export, comments, spaces, several lines: dotenv's values, each with its line", () => {
  const text = [
    "# a comment",
    "A=1",
    "",
    "export B = two words # a comment",
    "C='single # not a comment'",
    'D="a\\nb"',
    "E=`back`",
    "F=",
    'G="first',
    "second",
    'third"',
    "H: yaml",
    "  I=indented",
    "# J=commented out",
    "K=a=b",
  ].join("\n");
  assert.deepEqual(entries(text), {
    A: ["1", 2],
    B: ["two words", 4],
    C: ["single # not a comment", 5],
    D: ["a\nb", 6],
    E: ["back", 7],
    F: ["", 8],
    G: ["first\nsecond\nthird", 9],
    H: ["yaml", 12],
    I: ["indented", 13],
    K: ["a=b", 15],
  });
  assert.deepEqual([read(text).problems, read(text).warnings], [[], []]);
});

test("a byte order mark, CRLF, CR and a missing last newline change nothing", () => {
  const wanted = { A: ["1", 1], B: ["x y", 3] };
  assert.deepEqual(entries('\uFEFFA=1\r\n\r\nB="x y"\r\n'), wanted);
  assert.deepEqual(entries('A=1\r\rB="x y"'), wanted);
  assert.deepEqual(entries(""), {});
  assert.deepEqual(entries("\uFEFF"), {});
});

test("a broken line is named by its number and never shown", () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ["A=1\nsecret", [2]],
    ["=secret", [1]],
    ["A=1\nA B=secret\nC=2", [2]],
    ["export secret", [1]],
    ['A="secret\nB=2', [1]],
    ["A='secret' trailing\nB=2", [1]],
    ["A=1\n\n# fine\n[secret]\nB=2\n{secret}\n", [4, 6]],
    ["-----BEGIN secret-----\nabc\n", [1, 2]],
    ['A="', [1]],
  ];
  for (const [text, lines] of cases) {
    const { problems } = read(text);
    assert.deepEqual(
      problems.map((problem) => Number(/^f\.env:(\d+): /.exec(problem)?.[1])),
      lines,
      text,
    );
    assert.doesNotMatch(problems.join(), /secret/);
  }
});

test("a name that stands there twice, and a value cut at #, draw a warning with the line", () => {
  const twice = read("A=1\nB=2\nA=3");
  assert.deepEqual(twice.entries.get("A"), { text: "3", line: 3 });
  assert.match(twice.warnings.join(), /f\.env:3: A stands there twice; this line replaces line 1/);
  const cut = read('A=pa#ss\nB=#x\nC=fine # x\nD="pa#ss"\nE= # x\nF: #x\nG:  y#z');
  assert.deepEqual(
    cut.warnings.map((warning) => warning.slice(0, 8)),
    ["f.env:1:", "f.env:2:", "f.env:7:"],
  );
});

test("hostile names stay names", () => {
  const file = read("__proto__=1\nconstructor=2\nhasOwnProperty=3\n");
  assert.equal(file.entries.get("constructor")?.text, "2");
  assert.equal(file.entries.get("hasOwnProperty")?.text, "3");
  assert.equal(({} as { x?: unknown }).x, undefined);
});

test("what is no text is refused", () => {
  assert.match(read("\uFFFD\uFFFDA\0=\0x\0").problems.join(), /f\.env: expected a text file/);
  assert.match(read("\n".repeat(4_096)).problems.join(), /f\.env: expected at most 4096 lines/);
});

test("property: the same names and values as dotenv, whatever the text, and lines that name them", () => {
  const piece = fc.constantFrom("A", "B_2", "x.y", "=", " ", "\n", "\r\n", "'", '"', "`", "#", "\\", "export ", ": ", "v", "\t", "\uFEFF");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join("").replace(/^\uFEFF+/, "");
      const file = read(text);
      assert.deepEqual(Object.fromEntries([...file.entries].map(([name, entry]) => [name, entry.text])), parse(text));
      const lines = text.replace(/\r\n?/g, "\n").split("\n");
      for (const [name, { line }] of file.entries) assert.ok(lines[line - 1]?.includes(name), `${name} on line ${line}`);
    }),
    { numRuns: 500 },
  );
});

const error = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });
const reader =
  (files: Readonly<Record<string, string | Error>>) =>
  (path: string): string => {
    const found = files[path] ?? error("ENOENT");
    if (typeof found !== "string") throw found;
    return found;
  };
const nobody = { flag: undefined, variable: undefined };

test("the file is looked for: --env-file, DROVER_ENV_FILE, ./.env, the system's", () => {
  const all = reader({ "/w/a": "", "/w/b": "", "/w/.env": "", [SYSTEM_ENV_FILE]: "" });
  assert.equal(loadEnvFile({ flag: "a", variable: "b" }, "/w", all)?.path, "/w/a");
  assert.equal(loadEnvFile({ flag: undefined, variable: "/w/b" }, "/w", all)?.path, "/w/b");
  assert.equal(loadEnvFile(nobody, "/w", all)?.path, "/w/.env");
  assert.equal(loadEnvFile(nobody, "/w", reader({ [SYSTEM_ENV_FILE]: "" }))?.path, SYSTEM_ENV_FILE);
  assert.equal(loadEnvFile(nobody, "/w", reader({})), undefined);
});

test("a named file that is missing, unreadable or unnamed is a problem; ./.env must be readable if it is there", () => {
  const problem = (named: { flag?: string; variable?: string }, files: Record<string, string | Error>): string =>
    loadEnvFile({ flag: undefined, variable: undefined, ...named }, "/w", reader(files))?.problems.join() ?? "";
  assert.match(problem({ flag: "gone" }, {}), /\/w\/gone can't be read: ENOENT.*--env-file/);
  assert.match(problem({ variable: "gone" }, { "/w/.env": "" }), /ENOENT.*DROVER_ENV_FILE/);
  assert.match(problem({ flag: "" }, {}), /--env-file is empty/);
  assert.match(problem({}, { "/w/.env": error("EACCES") }), /\/w\/\.env can't be read: EACCES/);
  assert.match(problem({}, { "/w/.env": error("EISDIR") }), /EISDIR/);
  const system = loadEnvFile(nobody, "/w", reader({ [SYSTEM_ENV_FILE]: error("EACCES") }));
  assert.deepEqual([system?.problems, system?.warnings.length], [[], 1]);
});

test("a real file: read within bounds, and process.env is not touched", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "drover-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "x.env");
  writeFileSync(path, "DROVER_TEST_ONLY_IN_FILE=ü\n");
  const before = { ...process.env };
  assert.equal(loadEnvFile({ flag: path, variable: undefined }, "/")?.entries.get("DROVER_TEST_ONLY_IN_FILE")?.text, "ü");
  assert.deepEqual({ ...process.env }, before);
  writeFileSync(path, "#".repeat(65_537));
  assert.throws(() => readEnvFile(path), /larger than/);
  writeFileSync(path, Buffer.from("A=\xFC\n", "latin1"));
  assert.match(loadEnvFile({ flag: path, variable: undefined }, "/")?.problems.join() ?? "", /x\.env can't be read: .*utf-8/);
  assert.match(loadEnvFile({ flag: directory, variable: undefined }, "/")?.problems.join() ?? "", /EISDIR/);
  assert.deepEqual(loadEnvFile({ flag: "/dev/null", variable: undefined }, "/")?.problems, []);
});
