/** The runner of `npm test`, in a small repository of its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { shardsOf } from "./runner/tiers.ts";
import { judge, QUARANTINE_DAYS, type Quarantined } from "./runner/report.ts";
import type { FileResult } from "./runner/queue.ts";
import { folder } from "./support/cleanup.ts";
import { alive } from "./support/processes.ts";

const HEAD = 'import test from "node:test"; import { existsSync, writeFileSync } from "node:fs";\n';
const GREEN = `${HEAD}test("holds", () => {});`;
const RED = `${HEAD}test("does not hold", () => { throw new Error("on purpose\\nsecond line"); });`;
const flaky = (nr: number): string =>
  `${HEAD}test("holds the second time", () => { if (existsSync("seen-${nr}")) return; writeFileSync("seen-${nr}", ""); throw new Error("first time"); });`;

/** Runs test/run.ts over files of a small repository. */
function run(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  ...args: string[]
): { code: number | null; out: string; dir: string } {
  const dir = folder(t);
  cpSync("test/runner", join(dir, "test/runner"), { recursive: true });
  mkdirSync(join(dir, "test/support"));
  for (const file of ["run.ts", "quarantine.json", "support/processes.ts", "support/units.ts"])
    copyFileSync(join("test", file), join(dir, "test", file));
  writeFileSync(join(dir, "test/durations.json"), "{}");
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(dir, "test", file, ".."), { recursive: true });
    writeFileSync(join(dir, "test", file), text);
  }
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, DROVER_TEST_SLOWNESS: "1" };
  const { status, stdout } = spawnSync(process.execPath, ["test/run.ts", ...args], { cwd: dir, encoding: "utf8", env });
  return { code: status, out: stdout, dir };
}

test("unit, component and process files are run, and those of no other tier", (t) => {
  const files = { "a/x.unit.ts": GREEN, "a/y.unit.ts": GREEN, "a/z.test.ts": GREEN, "process/p.test.ts": GREEN };
  const { code, out } = run(t, { ...files, "own.test.ts": RED, "a/f.full.ts": RED, "a/s.soak.ts": RED });
  assert.match(out, /^4 passed, 0 failed, 0 skipped$/m);
  assert.equal(code, 0);
});

test("each command runs its own tier", (t) => {
  const files = { "own.test.ts": GREEN, "a/z.test.ts": RED, "a/f.full.ts": GREEN, "a/s.soak.ts": GREEN };
  for (const command of ["--check", "--full", "--soak"]) {
    const { code, out } = run(t, files, command);
    assert.deepEqual([code, /^1 passed, 0 failed, 0 skipped$/m.test(out)], [0, true], out);
  }
});

test("a process file that fails is run once more; both its test and its first error are printed", (t) => {
  const { code, out } = run(t, { "process/p.test.ts": flaky(1), "a/z.test.ts": GREEN });
  assert.match(out, /^FLAKY test\/process\/p\.test\.ts: holds the second time: first time$/m);
  assert.match(out, /^2 passed, 0 failed, 0 skipped$/m);
  assert.equal(code, 0);
});

test("a process file that fails twice is red", (t) => {
  const { code, out } = run(t, { "process/p.test.ts": RED });
  assert.match(out, /^RED test\/process\/p\.test\.ts: does not hold: on purpose$/m);
  assert.equal(code, 1);
});

test("component and unit files have one attempt", (t) => {
  for (const file of ["a/z.test.ts", "a/x.unit.ts"]) {
    const { code, out } = run(t, { [file]: flaky(1) });
    assert.deepEqual([code, /^RED .*first time$/m.test(out)], [1, true], out);
  }
});

test("more than two flaky files are red", (t) => {
  const files = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, nr) => [`process/p${nr}.test.ts`, flaky(nr)]));
  assert.equal(run(t, files(2)).code, 0);
  const { code, out } = run(t, files(3));
  assert.match(out, /^RED: 3 flaky files \(at most 2\)$/m);
  assert.equal(code, 1);
});

test("a file that runs no test, ends, does not compile or imports what is missing is red", (t) => {
  for (const text of ["process.exit(0);", "process.exit(3);", "const x = ;", 'import "./nowhere.ts";', `${HEAD}process.exit(3);`]) {
    const { code, out } = run(t, { "a/z.test.ts": text, "a/good.test.ts": GREEN });
    assert.deepEqual([code, /^RED /m.test(out)], [1, true], `${text}\n${out}`);
  }
});

test("a unit file that can't be imported is red by name, and the others run", (t) => {
  const { code, out } = run(t, { "a/x.unit.ts": GREEN, "a/y.unit.ts": "throw new Error('broken');", "a/z.unit.ts": GREEN });
  assert.match(out, /^RED .*test\/a\/y\.unit\.ts can be imported: broken$/m);
  assert.match(out, /^2 passed, 1 failed, 0 skipped$/m);
  assert.equal(code, 1);
});

test("a hung file is ended with all that it started, after the time of a file", (t) => {
  const started = "import { spawn } from 'node:child_process'; const { pid } = spawn('sleep', ['600']); writeFileSync('pid', String(pid));";
  const hung = `${HEAD}${started}\ntest("hangs", () => new Promise((resolve) => setTimeout(resolve, 600_000)));`;
  const { code, out, dir } = run(t, { "a/z.test.ts": hung }, "--file-limit=2000");
  assert.deepEqual([code, /^RED test\/a\/z\.test\.ts/m.test(out)], [1, true], out);
  assert.equal(alive(Number(readFileSync(join(dir, "pid"), "utf8"))), false);
});

test("node's options choose among tests; a choice that leaves none is red", (t) => {
  const files = { "a/z.test.ts": `${HEAD}test("chosen: one", () => {}); test("other", () => { throw new Error("not chosen"); });` };
  const chosen = run(t, files, "--test-name-pattern=chosen:");
  assert.deepEqual([chosen.code, /^1 passed, 0 failed/m.test(chosen.out)], [0, true], chosen.out);
  assert.equal(run(t, files, "--test-name-pattern", "chosen:", "test/a/z.test.ts").code, 0);
  assert.equal(run(t, files, "--test-skip-pattern=other").code, 0);
  const none = run(t, files, "--test-name-pattern=nothing");
  assert.deepEqual([none.code, /^RED: no test was run$/m.test(none.out)], [1, true], none.out);
});

test("a file that is not there and an unknown option end the run", (t) => {
  assert.notEqual(run(t, {}, "test/none.test.ts").code, 0);
  assert.notEqual(run(t, { "a/z.test.ts": GREEN }, "--no-such-option").code, 0);
});

test("--record keeps the durations of the files that exist", (t) => {
  const { dir } = run(t, { "a/z.test.ts": GREEN }, "--record");
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(join(dir, "test/durations.json"), "utf8")) as object), ["test/a/z.test.ts"]);
});

const result = (file: string, ...failures: string[]): FileResult => ({
  file,
  attempt: 1,
  ms: 1,
  passed: 1,
  failures: failures.map((error) => ({ test: "t", error })),
  skips: [{ test: "s", why: "needs x: apt-get install x" }],
});

test("no process of unit tests is empty, however many CPUs there are", () => {
  for (const units of [1, 2, 3, 150])
    for (const cpus of [1, 2, 4, 64]) {
      const shards = shardsOf(
        Array.from({ length: units }, (_, nr) => `${nr}`),
        cpus,
      );
      assert.ok(shards.every((part) => part.length > 0) && shards.length <= 4, `${units} files, ${cpus} CPUs`);
      assert.equal(shards.flat().length, units);
    }
});

test("skipped tests are counted by their reason", () => {
  assert.ok(judge([result("a"), result("b")], 1, []).lines.includes("SKIPPED 2: needs x: apt-get install x"));
});

test("a file in quarantine is printed and does not decide; an old entry is printed too", () => {
  const entry: Quarantined = { file: "test/process/a.full.ts", since: "2026-01-01", reason: "r" };
  const held = judge([result(entry.file, "boom")], 1, [entry], new Date("2026-01-02"));
  assert.deepEqual([held.green, held.lines.some((line) => line.startsWith(`QUARANTINED ${entry.file}: t: boom`))], [true, true]);
  const old = judge([result(entry.file, "boom")], 1, [entry], new Date("2026-02-01"));
  assert.deepEqual([old.green, old.lines.some((line) => line.includes(`more than ${QUARANTINE_DAYS} days: ${entry.file}`))], [true, true]);
  assert.equal(judge([result("other", "boom")], 1, [entry]).green, false);
});

test("the quarantine has at most five entries, each with a file, a date and a reason", () => {
  const entries = JSON.parse(readFileSync("test/quarantine.json", "utf8")) as Quarantined[];
  assert.ok(entries.length <= 5);
  for (const { file, since, reason } of entries) {
    assert.ok(existsSync(file), file);
    assert.match(since, /^\d{4}-\d\d-\d\d$/);
    assert.ok(reason.length > 10, file);
  }
});
