import assert from "node:assert/strict";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLog, harmless } from "../../src/base/log.ts";
import { makeLogFolder, openLogFile } from "../../src/base/logfile.ts";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-log-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test("what a full disk swallows is counted, and told by the first line that finds room", (t) => {
  const file = join(folder(t), "log");
  let fd = openSync("/dev/full", "w");
  t.after(() => closeSync(fd));
  const log = openLogFile({ fd }, ({ lines, why }) => `lost ${lines}: ${why}\n`);
  log.write("1\n");
  log.write("2\n3\n");
  closeSync(fd);
  assert.equal(openSync(file, "a"), fd, "the kernel gives the lowest free number: the disk has room now");
  log.write("4\n");
  log.write("5\n");
  assert.equal(readFileSync(file, "utf8"), "lost 3: ENOSPC\n4\n5\n");
  fd = openSync("/dev/null", "r");
});

test("reopen follows a moved file and makes a removed folder again; where it can't, the old file gets the line that says so", (t) => {
  const dir = join(folder(t), "logs");
  const file = join(dir, "log");
  assert.throws(() => createLog({ role: "master" }, "info", { file }), { code: "ENOENT" });
  mkdirSync(dir);
  const sink = createLog({ role: "master" }, "info", { file });
  sink.log.info("first");
  renameSync(dir, `${dir}.old`);
  sink.reopen();
  sink.log.info("second");
  assert.match(readFileSync(`${dir}.old/log`, "utf8"), /^[^\n]*"first"[^\n]*\n$/);
  assert.equal(statSync(dir).mode & 0o777, 0o750);
  assert.match(readFileSync(file, "utf8"), /^[^\n]*"second"[^\n]*\n$/);
  renameSync(file, `${file}.1`);
  mkdirSync(file);
  sink.reopen();
  assert.match(readFileSync(`${file}.1`, "utf8"), /"second"[^]*can't be opened again.*EISDIR/);
});

test("whatever a line says, a terminal that shows it obeys nothing", (t) => {
  const file = join(folder(t), "log");
  const sink = createLog({ role: "worker" }, "info", { file });
  const evil = 'a\u001b[2J\u009b2J\u007f\u0085\r\n{"level":60}\u2028\u202e\u2066txt.exe\ud83c\udfb2é';
  sink.log.info({ user: evil }, `${evil} has logged in`);
  sink.log.warn({ [evil]: 1 }, "a name of a field");
  sink.lines.push(`${harmless(JSON.stringify({ path: evil, msg: "request" }))}\n`);
  sink.lines.end();
  const text = readFileSync(file, "utf8");
  assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u);
  const lines = text.trimEnd().split("\n");
  assert.equal(lines.length, 3);
  const read = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([read[0]?.["user"], read[0]?.["msg"], read[1]?.[evil], read[2]?.["path"]], [evil, `${evil} has logged in`, 1, evil]);
});

test("a child begins without a log that can't be opened, counts what it loses, and opens it later", async (t) => {
  const dir = join(folder(t), "logs");
  const file = join(dir, "log");
  const log = openLogFile({ file }, ({ lines, why }) => `lost ${lines}: ${why}\n`, true);
  log.write("1\n");
  log.write("2\n");
  assert.equal(log.isRemoved(), false);
  mkdirSync(dir);
  for (let nr = 3; !existsSync(file); nr += 1) {
    await sleep(50);
    log.write(`${nr}\n`);
  }
  assert.match(readFileSync(file, "utf8"), /^lost \d+: ENOENT\n\d+\n$/);
});

test("folders above the log's are made private", (t) => {
  const data = join(folder(t), "data");
  makeLogFolder(join(data, "log/drover.log"));
  assert.deepEqual([statSync(data).mode & 0o777, statSync(join(data, "log")).mode & 0o777], [0o700, 0o750]);
});
