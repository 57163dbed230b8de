import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { ownModule, ownPath } from "../../src/base/place.ts";
import { readableStack, sourcePlace } from "../../src/base/sources.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "dist/cli/program.js");

/** Where a text begins, as a stack would say it. */
function placeOf(file: string, text: string): { file: string; line: number; column: number } {
  const lines = readFileSync(file, "utf8").split("\n");
  const line = lines.findIndex((words) => words.includes(text));
  assert.notEqual(line, -1, `${file} has ${text}`);
  return { file, line: line + 1, column: (lines[line] as string).indexOf(text) + 1 };
}

test("the package knows where it stands, and what processes and threads begin with was built", () => {
  assert.equal(ownPath(""), ROOT);
  assert.equal(fileURLToPath(ownModule("cli/broker-child")), join(ROOT, "src/cli/broker-child.ts"));
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const named = sources.flatMap((name) => [...readFileSync(join(ROOT, "src", name), "utf8").matchAll(/\bownModule\("([^"]+)"\)/g)]);
  assert.ok(named.length >= 7);
  for (const [, name = ""] of named) assert.ok(existsSync(join(ROOT, `dist/${name}.js`)), name);
});

test("a place of the built files is one of src", () => {
  const source = placeOf(join(ROOT, "src/cli/program.ts"), "findCommand(name");
  assert.deepEqual(sourcePlace(placeOf(MAIN, "findCommand(name")), source);
  const at = placeOf(MAIN, "findCommand(name");
  const stack = (file: string): string =>
    `Error: file:///etc/passwd\n    at findCommand (${file}:${at.line}:${at.column})\n    at node:internal/x:1:2\n    at /home/app.js:3:4`;
  const expected = stack("FILE").replace(/FILE:\d+:\d+/, `${source.file}:${source.line}:${source.column}`);
  assert.equal(readableStack(stack(`file://${MAIN}`)), expected, "of an ES module");
  assert.equal(readableStack(stack(MAIN)), expected, "by its path");
});

test("what no map knows stays as it is", () => {
  assert.equal(sourcePlace({ file: join(ROOT, "src/cli/main.ts"), line: 1, column: 1 }), undefined);
  for (const stack of [
    "",
    `at x (file://${ROOT}dist/cli/absent.js:1:1)`,
    `at x (file://${ROOT}dist/%E0%A4%A.js:1:1)`,
    "at x (file:///dist/../../etc/passwd.js:1:1)",
    "at x (node:fs:1:1)",
  ])
    assert.equal(readableStack(stack), stack);
});
