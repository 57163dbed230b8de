import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { lockDataDir } from "../../../src/master/shell/lock.ts";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-lock-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const holdIt = `const { lockDataDir } = await import(${JSON.stringify(new URL("../../../src/master/shell/lock.ts", import.meta.url).href)}); lockDataDir(process.argv[1]); console.log("held"); setInterval(() => {}, 1e6);`;

test("one daemon a directory: the second is told which pid has it, and a kill -9 frees it at once", async (t) => {
  const dir = folder(t);
  const other = spawn(process.execPath, ["--input-type=module", "-e", holdIt, dir], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => other.kill("SIGKILL"));
  await new Promise((resolve) => other.stdout.once("data", resolve));
  assert.throws(() => lockDataDir(dir), { code: "DROVER_E_RUNNING", message: new RegExp(`pid ${other.pid}`) });
  other.kill("SIGKILL");
  await new Promise((resolve) => other.once("exit", resolve));
  const lock = lockDataDir(dir);
  assert.equal(readFileSync(join(dir, "drover.pid"), "utf8"), `${process.pid}\n`);
  lock.release();
  assert.equal(existsSync(join(dir, "drover.pid")), false);
});

test("a pidfile that names a living stranger means nothing, and is never signalled", (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, "drover.pid"), `${process.ppid}\n`);
  const lock = lockDataDir(dir);
  process.kill(process.ppid, 0);
  lock.release();
});

test("another's pidfile is not removed", (t) => {
  const dir = folder(t);
  const lock = lockDataDir(dir);
  writeFileSync(join(dir, "drover.pid"), "1\n");
  lock.release();
  assert.equal(readFileSync(join(dir, "drover.pid"), "utf8"), "1\n");
});

test("a daemon whose lock file another daemon has replaced says so at each look, and leaves the other's files alone", async (t) => {
  const dir = folder(t);
  const lock = lockDataDir(dir);
  rmSync(join(dir, "drover.lock"));
  const other = spawn(process.execPath, ["--input-type=module", "-e", holdIt, dir], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => other.kill("SIGKILL"));
  await new Promise((resolve) => other.stdout.once("data", resolve));
  for (const _ of [1, 2])
    assert.throws(() => lock.check(), {
      code: "DROVER_E_RUNNING",
      message: new RegExp(`pid ${other.pid}.*already uses the data directory`),
    });
  assert.equal(readFileSync(join(dir, "drover.pid"), "utf8"), `${other.pid}\n`);
  other.kill("SIGKILL");
  await new Promise((resolve) => other.once("exit", resolve));
  assert.deepEqual(lock.check(), [join(dir, "drover.lock")], "it has the directory for itself again");
  lock.release();
});
