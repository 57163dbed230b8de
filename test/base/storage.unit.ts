/** Which failures of files may pass: those end a process with 75, which systemd restarts; the others with 78, which it does not. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { DroverError } from "../../src/base/errors.ts";
import { expectKind, isDiskTrouble, knownError, storageError } from "../../src/base/storage.ts";

const system = (code: string): Error => Object.assign(new Error(`${code}: it failed, write`), { code });
const sqlite = (errcode: number): Error => Object.assign(new Error("from SQLite"), { code: "ERR_SQLITE_ERROR", errcode });

test("a full, read-only or failing disk is temporary, whoever reports it; everything else is the operator's", () => {
  for (const cause of [...["ENOSPC", "EDQUOT", "EROFS", "EIO"].map(system), sqlite(13), sqlite(10), sqlite(4_874)]) {
    const error = storageError("the file /x can't be opened", cause, { advice: "chmod it" });
    assert.deepEqual([error.code, error.exit, isDiskTrouble(cause)], ["DROVER_E_DISK", 75, true], cause.message);
    assert.match(error.message, /^the file \/x can't be opened: .*\. [A-Z]\w+ .*/);
    assert.doesNotMatch(error.message, /chmod it/);
  }
  for (const cause of [...["EACCES", "EPERM", "EISDIR", "ENOENT"].map(system), sqlite(26), new Error("what")]) {
    const error = storageError("the file /x can't be opened", cause, { advice: "chmod it" });
    assert.deepEqual([error.code, error.exit, isDiskTrouble(cause)], ["DROVER_E_DATA_DIR", 78, false], cause.message);
    assert.match(error.message, /\. chmod it$/);
  }
});

test("a malformed lock file is a failing disk: it holds nothing that could be malformed", () => {
  assert.equal(storageError("can't lock /x", sqlite(11), { isEmpty: true }).exit, 75);
  assert.equal(storageError("the file /x can't be opened", sqlite(11)).exit, 78);
});

test("an error that reaches the end of a process keeps its class: a full disk is no fault of drover", () => {
  const own = new DroverError("DROVER_E_PORT", "taken");
  assert.equal(knownError(own), own);
  assert.equal(knownError(system("ENOSPC")).exit, 75);
  assert.equal(knownError(system("EINVAL")).code, "DROVER_E_BUG");
});

test("a directory in the place of a file, and the reverse, are refused by name; nothing there is fine", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-kind-"));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, "folder"));
  writeFileSync(join(dir, "file"), "");
  const says = (path: string, text: string): object => ({
    code: "DROVER_E_DATA_DIR",
    message: `${join(dir, path)} ${text}. Move it away, then start again`,
  });
  assert.throws(() => expectKind(join(dir, "folder"), "file", "the log"), says("folder", "is a directory (expected a file: the log)"));
  assert.throws(() => expectKind(join(dir, "file"), "directory", "tables"), says("file", "is a file (expected a directory: tables)"));
  assert.throws(() => expectKind(join(dir, "file"), "socket", "commands"), says("file", "is a file (expected a socket: commands)"));
  for (const [path, kind] of [
    ["none", "file"],
    ["file", "file"],
    ["folder", "directory"],
  ] as const)
    expectKind(join(dir, path), kind, "x");
});
