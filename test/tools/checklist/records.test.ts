/** Records of drills, load runs and ticks: kept in the data directory, or said why not. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Timestamp } from "../../../src/base/units.ts";
import { keptFiles } from "../../../src/tools/backup/kept-files.ts";
import { checklist } from "../../../src/tools/checklist/command.ts";
import {
  CHECKLIST_FILE,
  readRecords,
  record,
  recordResult,
  type NewEntry,
} from "../../../src/tools/checklist/records.ts";

const NOW = 1_800_000_000_000 as Timestamp;
const DRILL: NewEntry = { kind: "drill", name: "full", verdict: "pass", version: "0.1.0", why: "" };

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-records-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test("4.15: what is recorded is read again, and what is no record is not", (t) => {
  const dir = folder(t);
  const entries: readonly NewEntry[] = [
    DRILL,
    { kind: "load", verdict: "PASS", target: "http://h/", users: 10, version: "0.1.0" },
    { kind: "backup", file: "/b", bytes: 3 },
    { kind: "tick", item: "budget", by: "ops", note: "x" },
    { kind: "untick", item: "budget", by: "ops" },
  ];
  assert.equal(record(dir, entries.slice(0, 1), NOW), undefined);
  assert.equal(record(dir, entries.slice(1), NOW), undefined);
  appendFileSync(
    join(dir, CHECKLIST_FILE),
    `{"at":"${new Date(NOW).toISOString()}","kind":"drill"}\n{"at":"2027-01-01","kind":"toString"}\n`,
  );
  const at = new Date(NOW).toISOString();
  assert.deepEqual(
    readRecords(dir, NOW),
    entries.map((entry) => ({ at, ...entry })),
  );
  assert.equal(statSync(join(dir, CHECKLIST_FILE)).mode & 0o777, 0o600);
  assert.deepEqual(keptFiles(dir).plain, [CHECKLIST_FILE], "a backup has it");
});

test("4.15: where there is no data directory nothing is made; where it can't be written the reason is said", (t) => {
  const dir = folder(t);
  const none = record(join(dir, "var"), [DRILL], NOW);
  assert.match(none ?? "", /there is no data directory .*var \(DROVER_DATA_DIR\)/);
  const said = t.mock.method(process.stderr, "write", () => true);
  recordResult(join(dir, "var"), DRILL);
  assert.equal(said.mock.callCount(), 0, "without a data directory there is no checklist");
  assert.equal(statSync(join(dir, "var"), { throwIfNoEntry: false }), undefined);
  mkdirSync(join(dir, CHECKLIST_FILE));
  assert.match(record(dir, [DRILL], NOW) ?? "", /checklist\.jsonl can't be written: /);
  recordResult(dir, DRILL);
  assert.match(
    String(said.mock.calls[0]?.arguments),
    /^drover: not recorded for drover checklist: .*can't be written/,
  );
});

test(
  "4.15: a data directory of another user is named, with what to do",
  { skip: process.getuid?.() !== 0 && "needs root to become another user" },
  (t) => {
    const dir = folder(t);
    chmodSync(dir, 0o700);
    process.seteuid?.(65_534);
    try {
      assert.match(
        record(dir, [DRILL], NOW) ?? "",
        /EACCES.*Run it as the user of .*, or as root$/,
      );
    } finally {
      process.seteuid?.(0);
    }
    chownSync(dir, 65_534, 65_534);
    assert.equal(record(dir, [DRILL], NOW), undefined);
    assert.equal(
      statSync(join(dir, CHECKLIST_FILE)).uid,
      65_534,
      "root leaves no file that the daemon can't open",
    );
  },
);

interface Ran {
  readonly code: number | undefined;
  readonly text: string;
  readonly error: string;
}

/** The command in a folder without a daemon. */
async function run(t: TestContext, dir: string, ...argv: readonly string[]): Promise<Ran> {
  let text = "";
  const { stdout } = process;
  const original = stdout.write.bind(stdout);
  // The test runner reports through it, too: in bytes.
  const write = t.mock.method(stdout, "write", (chunk: string | Uint8Array) =>
    typeof chunk === "string" ? ((text += chunk), true) : original(chunk),
  );
  const cwd = t.mock.method(process, "cwd", () => dir);
  try {
    return { code: await checklist([...argv, "--demo"]), text, error: "" };
  } catch (error) {
    return { code: undefined, text, error: (error as Error).message };
  } finally {
    write.mock.restore();
    cwd.mock.restore();
  }
}

test("4.15: ticks, unticks, phases and exports without a daemon", async (t) => {
  const dir = folder(t);
  assert.match(
    (await run(t, dir, "tick", "budget")).error,
    /there is no data directory .*var \(DROVER_DATA_DIR\)/,
  );
  mkdirSync(join(dir, "var"), { mode: 0o700 });
  assert.match(
    (await run(t, dir, "tick", "budgit")).error,
    /no item "budgit": did you mean budget\?/,
  );
  assert.match(
    (await run(t, dir, "tick", "monitor")).error,
    /monitor is checked by drover itself .*--note TEXT/,
  );
  assert.match((await run(t, dir, "tick")).error, /usage: drover checklist tick ITEM/);
  assert.match(
    (await run(t, dir, "--phase", "later")).error,
    /--phase later: expected before, during, after/,
  );
  assert.match((await run(t, dir, "out.md")).error, /^usage: /);
  const ticked = await run(t, dir, "tick", "budget", "--note", "40 EUR");
  assert.equal(ticked.code, 0);
  assert.match(ticked.text, /budget is ticked\n$/);
  const shown = await run(t, dir, "--phase", "before");
  assert.equal(shown.code, 1);
  assert.match(
    shown.text,
    /without a running daemon: no daemon answers on .*\n\nBefore the launch/,
  );
  assert.match(shown.text, /^ {2}\[x\] budget .*: 40 EUR$/m);
  assert.doesNotMatch(shown.text, /During/);
  assert.equal((await run(t, dir, "untick", "budget")).code, 0);
  assert.match((await run(t, dir)).text, /^ {2}\[ \] budget .*: not ticked$/m);
  assert.match(
    (await run(t, dir, "tick", "launch", "--markdown")).error,
    /usage: drover checklist tick ITEM/,
  );
  assert.equal((await run(t, dir, "tick", "launch", "end", "patterns")).code, 0);
  const { text } = await run(t, dir, "--phase", "after");
  for (const line of [/\[x\] end /, /\[ \] daily /, /\[x\] patterns /, /\[x\] incidents /])
    assert.match(text, line);
  assert.match((await run(t, dir, "--json")).error, /--json/);
  const file = join(dir, "report.md");
  assert.equal((await run(t, dir, "--markdown", file)).code, 1);
  assert.match(readFileSync(file, "utf8"), /^# Launch checklist\n/);
  assert.equal((await run(t, dir, "--markdown", file)).code, 1, "over a former export");
  writeFileSync(file, "a novel");
  assert.match(
    (await run(t, dir, "--markdown", file)).error,
    /is there already, and is no checklist/,
  );
  assert.equal(readFileSync(file, "utf8"), "a novel");
});
