/** `npm test` with options alone. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { temporaryFolder } from "./folder.ts";

test("npm test with options and no file runs the default glob, and with a file that file alone", () => {
  const root = temporaryFolder("bin-test");
  for (const dir of ["bin", "node_modules/.bin"]) mkdirSync(join(root, dir), { recursive: true });
  copyFileSync("bin/test", join(root, "bin/test"));
  writeFileSync(join(root, "bin/setup.mjs"), "");
  const node = join(root, "node_modules/.bin/node");
  writeFileSync(node, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  chmodSync(node, 0o755);
  const asked = (...args: string[]): string[] =>
    execFileSync("sh", [join(root, "bin/test"), ...args], { encoding: "utf8" })
      .trim()
      .split("\n")
      .slice(3);
  assert.deepEqual(asked(), ["test/**/*.test.ts"]);
  assert.deepEqual(asked("--test-name-pattern=1\\.7"), ["--test-name-pattern=1\\.7", "test/**/*.test.ts"]);
  assert.deepEqual(asked("--test-name-pattern", "bin"), ["--test-name-pattern", "bin", "test/**/*.test.ts"]);
  assert.deepEqual(asked("--soak", "--test-only"), ["--test-only", "test/**/*.soak.ts"]);
  assert.deepEqual(asked("--test-only", "test/a.test.ts"), ["--test-only", "test/a.test.ts"]);
});
