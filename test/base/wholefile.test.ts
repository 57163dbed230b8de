import assert from "node:assert/strict";
import fs, { readFileSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { makeFile, replaceFile } from "../../src/base/wholefile.ts";
import { keysOf } from "../../src/cli/session-key.ts";
import { temporaryFolder } from "../support/folder.ts";

/** What is asked of the file system, in order. */
function watched(t: TestContext): string[] {
  const calls: string[] = [];
  const write = fs.writeFileSync;
  t.mock.method(fs, "writeFileSync", (...args: Parameters<typeof write>) => {
    calls.push((args[2] as { flush?: boolean }).flush === true ? "content synced" : "content not synced");
    write(...args);
  });
  for (const name of ["renameSync", "linkSync", "fsyncSync"] as const) {
    const original = fs[name] as (...args: unknown[]) => void;
    t.mock.method(fs, name, (...args: unknown[]) => (calls.push(name), original(...args)));
  }
  syncBuiltinESMExports();
  t.after(() => (t.mock.restoreAll(), syncBuiltinESMExports()));
  return calls;
}

test("a file's content is on disk before its name, and the name before it counts", (t) => {
  const file = join(temporaryFolder("whole"), "token");
  const calls = watched(t);
  replaceFile(file, "one");
  assert.deepEqual(calls.splice(0), ["content synced", "fsyncSync", "renameSync", "fsyncSync"]);
  assert.equal(makeFile(file, "two"), false);
  assert.equal(readFileSync(file, "utf8"), "one");
  calls.length = 0;
  assert.equal(makeFile(`${file}.other`, "three"), true);
  assert.deepEqual(calls, ["content synced", "fsyncSync", "linkSync", "fsyncSync"]);
  assert.equal(statSync(`${file}.other`).mode & 0o777, 0o600);
});

test("a session key is synced when it is made, and one that a power cut emptied is made again", (t) => {
  const dir = temporaryFolder("keys");
  const calls = watched(t);
  const [first] = keysOf(dir);
  assert.deepEqual(calls, ["content synced", "fsyncSync", "linkSync", "fsyncSync"]);
  assert.deepEqual(keysOf(dir), [first]);
  fs.truncateSync(join(dir, "session.key"));
  const [second] = keysOf(dir);
  assert.ok(second !== undefined && second.length >= 32 && second !== first);
});
