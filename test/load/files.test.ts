/** The files of a run: what can't be written is known before it, or told after it; nothing is overwritten, nothing waited for without end. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, constants, linkSync, mkdirSync, openSync, readFileSync, readdirSync, readSync, symlinkSync, writeFileSync } from "node:fs"; // prettier-ignore
import { join } from "node:path";
import test from "node:test";
import { ms } from "../../src/base/units.ts";
import { checkFile, writeWhole } from "../../src/cli/load/files.ts";
import { prepare } from "../../src/cli/load/prepare.ts";
import { checkFiles } from "../../src/cli/load/reports.ts";
import { temporaryFolder } from "../support/folder.ts";

const NONE = { json: undefined, csv: undefined, html: undefined, profile: undefined, userFile: undefined };

test("where no file can come to be is known before the run, and a look leaves nothing behind", () => {
  const folder = temporaryFolder("files");
  writeFileSync(join(folder, "file"), "");
  for (const [name, why] of [
    ["file/run.json", /file is no folder/],
    ["file/", /the name of a folder/],
    ["new/", /the name of a folder/],
    ["new/.", /the name of a folder/],
    ["none/run.json", /ENOENT/],
    ["n".repeat(256), /ENAMETOOLONG/],
  ] as const)
    assert.throws(() => checkFile(`${folder}/${name}`), why, name);
  assert.throws(() => checkFile("/proc/run.json"), /ENOENT/);
  assert.throws(() => checkFile("-"), /say \/dev\/stdout, for a file of that name \.\/-/);
  checkFile(join(folder, "new"));
  assert.deepEqual(readdirSync(folder), ["file"]);
});

test("a name may be as long as names can be, and a link may lead to what is not there yet", () => {
  const folder = temporaryFolder("files");
  const long = join(folder, "n".repeat(255));
  checkFile(long);
  writeWhole(long, "a report");
  assert.equal(readFileSync(long, "utf8"), "a report");
  mkdirSync(join(folder, "runs"));
  symlinkSync("runs/1.json", join(folder, "last"));
  writeWhole(join(folder, "last"), "the first");
  assert.equal(readFileSync(join(folder, "runs/1.json"), "utf8"), "the first");
  assert.deepEqual([readdirSync(folder).length, readdirSync(join(folder, "runs"))], [3, ["1.json"]]);
});

test("a draft for which there is no room is taken away, and the report before it stays", () => {
  const folder = temporaryFolder("files");
  const file = join(folder, "run.json");
  writeFileSync(file, "before");
  const write = `import("./src/cli/load/files.ts").then(({ writeWhole }) => writeWhole(process.argv[1], "x".repeat(100_000)))`;
  const { stderr } = spawnSync("sh", ["-c", 'ulimit -f 8; exec "$0" -e "$1" "$2"', process.execPath, write, file], { encoding: "utf8" });
  assert.match(stderr, /EFBIG/);
  assert.deepEqual([readdirSync(folder), readFileSync(file, "utf8")], [["run.json"], "before"]);
});

function pipeIn(folder: string): string {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  return pipe;
}

test("a pipe that nobody reads is refused, and waited for neither before the run nor after it", () => {
  const pipe = pipeIn(temporaryFolder("files"));
  assert.throws(() => checkFile(pipe, ms(50)), /nobody reads it/);
  assert.throws(() => writeWhole(pipe, "a report", ms(50)), /nobody reads it/);
});

test("a pipe's reader sees no end before the report, and one that stops reading is not waited for without end", () => {
  const pipe = pipeIn(temporaryFolder("files"));
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(100);
  checkFile(pipe);
  assert.throws(() => readSync(reader, bytes), /EAGAIN/, "there is somebody who will write");
  writeWhole(pipe, "a report");
  assert.equal(bytes.toString("utf8", 0, readSync(reader, bytes)), "a report");
  assert.equal(readSync(reader, bytes), 0, "the end");
  assert.throws(() => writeWhole(pipe, "x".repeat(1_000_000), ms(60)), /took \d+ of 1000000 bytes, and no more for 0\.06 s/);
  closeSync(reader);
});

test("two flags never name one file, whatever they call it; devices may be named twice", () => {
  const folder = temporaryFolder("files");
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("old"), "{}");
  symlinkSync("old", at("link"));
  symlinkSync("new", at("ahead"));
  symlinkSync(".", at("here"));
  linkSync(at("old"), at("hard"));
  for (const [json, csv] of [
    ["new", "new"],
    ["new", "./new"],
    ["new", "here/new"],
    ["new", "ahead"],
    ["ahead", "new"],
    ["old", "link"],
    ["old", "hard"],
    ["link", "here/link"],
  ] as const)
    assert.throws(() => checkFiles({ ...NONE, json: at(json), csv: `${folder}/${csv}` }), /--csv .* is the file of --json .*: give it one/);
  for (const input of ["profile", "userFile"] as const)
    assert.throws(() => checkFiles({ ...NONE, [input]: at("old"), html: at("link") }), /--html .*link is the file of --(?:profile|user-file) .*old/); // prettier-ignore
  checkFiles({ ...NONE, profile: at("old"), userFile: at("old"), json: at("new"), csv: at("new2") });
  checkFiles({ ...NONE, json: "/dev/null", csv: "/dev/null", html: "/dev/stdout" });
});

test("an input that can't be looked at is the operator's mistake and not drover's, and is told before the outputs", async () => {
  for (const flag of ["--profile", "--user-file"])
    await assert.rejects(prepare(["http://127.0.0.1:9", flag, "n".repeat(300), "--json", "/proc/run.json"]), {
      code: "DROVER_E_USAGE",
      message: new RegExp(`^${flag} n+: ENAMETOOLONG`),
    });
});
