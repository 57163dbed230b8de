/** `drover doctor` as a process: what it refuses, what it says before it does anything, and its exit code. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Recording } from "../../../src/cli/doctor/sheets/recording.ts";
import { DROVER } from "../../emulator/alone.ts";
import { emulated, ID, proxied, type World } from "./world.ts";

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** @param told what it prints → what is done about it. */
function doctor(
  t: TestContext,
  world: World | undefined,
  args: readonly string[],
  told?: (text: string, pid: number) => void,
): Promise<Ended> {
  const dir = mkdtempSync(join(tmpdir(), "drover-doctor-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const env = {
    PATH: process.env["PATH"],
    ...(world === undefined
      ? {}
      : { DROVER_SHEETS_ENDPOINT: world.url, DROVER_OAUTH_ENDPOINT: world.url, GOOGLE_APPLICATION_CREDENTIALS: world.emulator.keyFile }),
    DROVER_WRITES_PER_MINUTE: "100000",
    DROVER_READS_PER_MINUTE: "100000",
  };
  const child = spawn(DROVER, ["doctor", ...args], { cwd: dir, env });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece: Buffer) => {
      text += piece.toString();
      told?.(text, child.pid ?? 0);
    });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, text })));
}

test("it says what it will do, does it, keeps the answers and clears up", async (t) => {
  const world = await emulated(t);
  const file = join(mkdtempSync(join(tmpdir(), "drover-doctor-")), "answers.json");
  t.after(() => rmSync(join(file, ".."), { recursive: true }));
  const { code, text } = await doctor(t, world, ["sheets", "--spreadsheet", ID, "--yes", "--record", file]);
  assert.equal(code, 0, text);
  assert.match(
    text,
    /^Spreadsheet  A throw-away spreadsheet[^]*I will, in about[^]*confirmed   taken-id:[^]*\nRecorded \d+ requests[^]*Cleared up: nothing is left/,
  );
  assert.match(text, /\nlisted (\d+), confirmed \d+, falsified 0, not tested \d+\n$/);
  const made = JSON.parse(readFileSync(file, "utf8")) as Recording;
  assert.equal(made.doctor.findings["taken-id"]?.is, "confirmed");
  const twice = await doctor(t, world, ["sheets", "--spreadsheet", ID, "--yes", "--record", file]);
  assert.deepEqual([twice.code, /there already/.test(twice.text)], [64, true]);
});

test("a spreadsheet that somebody may need is refused, untouched", async (t) => {
  const tab = (rows: readonly (readonly string[])[]) => [{ title: "Sheet1", rows }];
  const [plain, full] = ["a-spreadsheet-without-a-mark", "a-throw-away-with-rows-in-it"];
  const world = await emulated(t, {
    spreadsheets: [
      { id: plain, title: "Budget", tabs: tab([]) },
      { id: full, title: "Throw-away", tabs: tab([["mine"]]) },
    ],
  });
  const unmarked = await doctor(t, world, ["sheets", "--spreadsheet", plain, "--yes"]);
  assert.deepEqual([unmarked.code, /its title "Budget" does not say “throw-away”/.test(unmarked.text)], [64, true], unmarked.text);
  const filled = await doctor(t, world, ["sheets", "--spreadsheet", full, "--yes"]);
  assert.deepEqual([filled.code, /its tab "Sheet1" is not empty/.test(filled.text)], [64, true], filled.text);
  const recorded = await doctor(t, world, ["sheets", "--spreadsheet", full, "--yes", "--anyway", "--record", "x.json"]);
  assert.deepEqual([recorded.code, /It is not recorded/.test(recorded.text)], [64, true], recorded.text);
  const silent = await doctor(t, world, ["sheets", "--spreadsheet", plain, "--anyway"]);
  assert.deepEqual([silent.code, /say --yes/.test(silent.text)], [64, true], silent.text);
  assert.equal(
    Object.keys(world.emulator.requests().byMethod).some((method) => /batchUpdate/.test(method)),
    false,
  );
  assert.deepEqual(await world.emulator.rows(full, "Sheet1"), [["mine"]]);
});

test("mistakes are named", async (t) => {
  const cases = [
    [[], /needs a subject: expected deployment, sheets/],
    [["sheet"], /did you mean sheets\?/],
    [["sheets"], /needs a spreadsheet that nobody needs/],
    [["sheets", "--spreadsheet", "short"], /expected the 20 or more characters/],
    [["sheets", "--spreadsheet", ID, "--record", "/nowhere/at/all.json"], /ENOENT/],
  ] as const;
  for (const [args, says] of cases) {
    const { code, text } = await doctor(t, undefined, args);
    assert.equal(code, 64, text);
    assert.match(text, says);
  }
});

test("something false is exit code 1; a run that is interrupted clears up first", async (t) => {
  const world = await emulated(t);
  const front = await proxied(t, world, (call) =>
    call.url.pathname.endsWith("batchGet") ? call.forward().then((answer) => ({ ...answer, headers: { etag: '"1"' } })) : undefined,
  );
  let killed = false;
  const { code, text } = await doctor(t, front, ["sheets", "--spreadsheet", ID, "--yes"], (said, pid) => {
    if (killed || !said.includes("no-validators:")) return;
    killed = true;
    process.kill(pid, "SIGINT");
  });
  assert.equal(code, 1, text);
  assert.match(text, /FALSIFIED   no-validators:[^]*then: Nothing is lost/);
  assert.match(text, /Stopping: what is there is cleared up first[^]*the run was stopped[^]*Cleared up: nothing is left/);
  assert.deepEqual(await world.emulator.metadata(ID), []);
  assert.equal(existsSync("x.json"), false);
});

test("a spreadsheet that is shared as Viewer: it says with whom to share it as Editor, and examines nothing", async (t) => {
  const world = await emulated(t);
  world.emulator.share(ID, "viewer");
  const { code, text } = await doctor(t, world, ["sheets", "--spreadsheet", ID, "--yes"]);
  assert.notEqual(code, 0);
  assert.match(text, /share it as Editor with \S+@\S+/);
  assert.doesNotMatch(text, /confirmed/);
});
