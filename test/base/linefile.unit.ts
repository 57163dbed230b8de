/** Records in an append-only file: they survive a torn line, and the file stays within its bounds. */
import assert from "node:assert/strict";
import fs, {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { appendLines, readLines, shortenLines } from "../../src/base/linefile.ts";
import { bytes, minutes, type Timestamp } from "../../src/base/units.ts";

const NOW = 1_800_000_000_000 as Timestamp;
const BOUNDS = { bytes: bytes(2_000), age: minutes(60) };
const at = (ago: number): string => new Date(NOW - ago).toISOString();

function place(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-lines-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return join(dir, "lines.jsonl");
}

const numbers = (path: string): unknown[] => readLines(path, BOUNDS, NOW).map(({ nr }) => nr);

test("a file that is missing has no records; records come back in order, and only their user can read them", (t) => {
  const path = place(t);
  assert.deepEqual(readLines(path, BOUNDS, NOW), []);
  appendLines(path, [{ at: at(2), nr: 1 }], BOUNDS);
  chmodSync(path, 0o644);
  appendLines(path, [{ at: at(1), nr: 2, text: "two\nlines" }], BOUNDS);
  assert.deepEqual(numbers(path), [1, 2]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a line that a crash has cut is skipped, and costs neither the line before nor the one after", (t) => {
  const path = place(t);
  appendLines(path, [{ at: at(3), nr: 1 }], BOUNDS);
  appendFileSync(path, `{"at":"${at(2)}","nr":2,"te`);
  assert.deepEqual(numbers(path), [1]);
  appendLines(path, [{ at: at(1), nr: 3 }], BOUNDS);
  assert.deepEqual(numbers(path), [1, 3]);
  appendFileSync(path, Buffer.from([0xff, 0xfe, 0x00, 0x0a]));
  appendFileSync(path, '{"nr":4}\n{"at":"never","nr":5}\n[]\n');
  appendLines(path, [{ at: at(1), nr: 6 }], BOUNDS);
  assert.deepEqual(numbers(path), [1, 3, 6], "what is no record is skipped");
});

test("the file never grows beyond its bound and one append, and keeps the newest records", (t) => {
  const path = place(t);
  for (let nr = 0; nr < 500; nr += 1) {
    appendLines(path, [{ at: at(500 - nr), nr }], BOUNDS);
    assert.ok(statSync(path).size <= BOUNDS.bytes, `${statSync(path).size} bytes`);
  }
  const kept = numbers(path) as number[];
  assert.equal(kept.at(-1), 499);
  assert.deepEqual(
    kept,
    kept.map((_, i) => 500 - kept.length + i),
    "no gap",
  );
});

test("old records are skipped by readers and dropped when the file is shortened", (t) => {
  const path = place(t);
  appendLines(
    path,
    [
      { at: at(minutes(61)), nr: 1 },
      { at: at(1), nr: 2 },
    ],
    BOUNDS,
  );
  assert.deepEqual(numbers(path), [2]);
  shortenLines(path, BOUNDS, NOW);
  assert.equal(readFileSync(path, "utf8").split("\n").length, 2);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a symlink or a directory in its place is refused", (t) => {
  const path = place(t);
  writeFileSync(`${path}.other`, "");
  symlinkSync(`${path}.other`, path);
  assert.throws(() => appendLines(path, [{ at: at(1) }], BOUNDS), { code: "ELOOP" });
  assert.throws(() => readLines(path, BOUNDS, NOW), { code: "ELOOP" });
  assert.equal(readFileSync(`${path}.other`, "utf8"), "");
});

test("a file is shortened through a synced draft of this process, and stays as it is if it grew meanwhile", (t) => {
  const path = place(t);
  const old = { at: at(minutes(61)), nr: 1 };
  appendLines(path, [old, { at: at(1), nr: 2 }], BOUNDS);
  const calls: string[] = [];
  let meanwhile = (): void => undefined;
  const write = fs.writeFileSync;
  t.mock.method(fs, "writeFileSync", (...args: Parameters<typeof write>) => {
    write(...args);
    if (args[0] === path) return;
    const { flush } = args[2] as { flush?: boolean };
    calls.push(`${flush === true ? "synced" : "not synced"} ${String(args[0]).slice(path.length)}`);
    meanwhile();
  });
  const rename = fs.renameSync;
  t.mock.method(fs, "renameSync", (from: string, to: string) => (calls.push("renamed"), rename(from, to)));
  syncBuiltinESMExports();
  t.after(() => (t.mock.restoreAll(), syncBuiltinESMExports()));
  writeFileSync(`${path}.new`, "another process's", { flush: true });
  calls.length = 0;
  meanwhile = () => appendFileSync(path, `{"at":"${at(0)}","nr":3}\n`);
  shortenLines(path, BOUNDS, NOW);
  assert.deepEqual(numbers(path), [2, 3], "what another process appended is kept");
  meanwhile = () => undefined;
  shortenLines(path, BOUNDS, NOW);
  assert.deepEqual(calls, [`synced .${process.pid}`, `synced .${process.pid}`, "renamed"]);
  assert.deepEqual(readFileSync(path, "utf8").split("\n").length, 3, "the old record is dropped");
  assert.deepEqual(readdirSync(dirname(path)), ["lines.jsonl", "lines.jsonl.new"]);
});

test("an append shortens by size alone: a clock that is ahead costs no record that fits", (t) => {
  const path = place(t);
  const records = Array.from({ length: 70 }, (_, nr) => ({ at: at(minutes(120)), nr }));
  appendLines(path, records, BOUNDS);
  assert.ok(statSync(path).size > BOUNDS.bytes / 4, "the newest half is kept, whatever its age");
  assert.ok(statSync(path).size <= BOUNDS.bytes);
});
