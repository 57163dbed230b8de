import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { lockHolder, removeOwn, writePid } from "../../../src/master/shell/pidfile.ts";

function place(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-pidfile-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "drover.pid");
}

test("what stands there is replaced; a symlink itself, never what it leads to", (t) => {
  const pidfile = place(t);
  const theirs = `${pidfile}.theirs`;
  writeFileSync(theirs, "precious");
  symlinkSync(theirs, pidfile);
  assert.equal(writePid(pidfile), undefined);
  assert.equal(readFileSync(theirs, "utf8"), "precious");
  assert.ok(lstatSync(pidfile).isFile());
  assert.equal(readFileSync(pidfile, "utf8"), `${process.pid}\n`);
  removeOwn(pidfile);
  assert.equal(existsSync(pidfile), false);
});

test("a symlink laid where the draft is written leads nowhere either", (t) => {
  const pidfile = place(t);
  const theirs = `${pidfile}.theirs`;
  writeFileSync(theirs, "precious");
  symlinkSync(theirs, `${pidfile}.${process.pid}`);
  assert.equal(writePid(pidfile), undefined);
  assert.equal(readFileSync(theirs, "utf8"), "precious");
});

test("a folder in its place: it stays, no draft is left, and the reason is told", (t) => {
  const pidfile = place(t);
  mkdirSync(join(pidfile, "full"), { recursive: true });
  assert.match(writePid(pidfile) ?? "", /EISDIR|ENOTEMPTY|EEXIST/);
  removeOwn(pidfile);
  assert.deepEqual(readdirSync(join(pidfile, "..")), ["drover.pid"]);
  assert.ok(lstatSync(join(pidfile, "full")).isDirectory());
});

test("another's pid file is not removed, nor is a symlink to one with our pid", (t) => {
  const pidfile = place(t);
  writeFileSync(pidfile, "1\n");
  removeOwn(pidfile);
  assert.equal(readFileSync(pidfile, "utf8"), "1\n");
  rmSync(pidfile);
  writeFileSync(`${pidfile}.own`, `${process.pid}\n`);
  symlinkSync(`${pidfile}.own`, pidfile);
  removeOwn(pidfile);
  assert.ok(lstatSync(pidfile).isSymbolicLink());
});

test("what is no plain file with one pid tells nothing: no text of it is quoted, and a pipe is not waited for", (t) => {
  const pidfile = place(t);
  const told = () => lockHolder(`${pidfile}.nobody-locks-this`, pidfile);
  for (const text of ["", "0", "-1\n", "1e3\n", "12 34\n", "root:x:0:0\n", "99999999999999999\n", "\u0000\u0000", "7\n7\n"]) {
    writeFileSync(pidfile, text);
    assert.equal(told(), undefined, JSON.stringify(text));
  }
  writeFileSync(pidfile, "4711\n");
  assert.equal(told(), 4711);
  rmSync(pidfile);
  symlinkSync("/proc/self/stat", pidfile);
  assert.equal(told(), undefined);
  rmSync(pidfile);
  assert.equal(spawnSync("mkfifo", [pidfile]).status, 0);
  assert.equal(told(), undefined);
});

test(
  "the kernel's word on who holds the lock goes before the file's",
  { skip: !existsSync("/proc/locks") && "no /proc/locks" },
  async (t) => {
    const pidfile = place(t);
    const file = `${pidfile}.lock`;
    const hold = `const { DatabaseSync } = require("node:sqlite"); const d = new DatabaseSync(process.argv[1]); d.exec("BEGIN EXCLUSIVE"); console.log("held"); setInterval(() => d, 1e6);`;
    const other = spawn(process.execPath, ["-e", hold, file], { stdio: ["ignore", "pipe", "ignore"] });
    t.after(() => other.kill("SIGKILL"));
    await new Promise((resolve) => other.stdout.once("data", resolve));
    writeFileSync(pidfile, "1\n");
    assert.equal(lockHolder(file, pidfile), other.pid);
  },
);
