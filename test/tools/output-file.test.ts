/** Files of a run: what can't be written is known before it or reported after it, and nothing is overwritten by mistake. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { prepare } from "../../src/cli/load/prepare.ts";
import { checkFiles } from "../../src/tools/load/report/files.ts";
import { checkFile, writeFile } from "../../src/tools/output-file.ts";
import { temporaryFolder } from "../support/folder.ts";

test("where no file can be made is known before the run, and a check leaves nothing behind", async () => {
  const folder = temporaryFolder("files");
  fs.writeFileSync(join(folder, "file"), "");
  const socket = createServer().listen(join(folder, "socket"));
  await new Promise((resolve) => socket.once("listening", resolve));
  for (const [name, why] of [
    ["file/run.json", /ENOTDIR/],
    ["file/", /the name of a folder|ENOTDIR/],
    ["new/", /the name of a folder/],
    ["new/.", /the name of a folder/],
    ["none/run.json", /ENOENT/],
    ["n".repeat(256), /ENAMETOOLONG/],
    ["socket", /it is a socket/],
    [".", /it is a folder/],
  ] as const)
    assert.throws(() => checkFile(`${folder}/${name}`), why, name);
  assert.throws(() => checkFile("/proc/run.json"), /ENOENT/);
  assert.throws(() => checkFile("-"), /use \/dev\/stdout, for a file of that name \.\/-/);
  checkFile(join(folder, "new"));
  checkFile("/dev/null"); // whose folder is root's
  socket.close();
  assert.deepEqual(fs.readdirSync(folder).filter((name) => name !== "socket"), ["file"]); // prettier-ignore
});

test("a file is replaced as a whole, a link to one stays, and no draft is left", () => {
  const folder = temporaryFolder("files");
  const [file, link, long] = ["run.json", "last.json", "n".repeat(255)].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  fs.writeFileSync(file, "before, and longer");
  const { ino } = fs.statSync(file);
  fs.symlinkSync("run.json", link);
  checkFile(link);
  writeFile(link, "after");
  writeFile(long, "a report");
  const written = [file, long].map((one) => fs.readFileSync(one, "utf8"));
  assert.deepEqual([written, fs.readlinkSync(link)], [["after", "a report"], "run.json"]);
  assert.notEqual(fs.statSync(file).ino, ino, "it was not written in place");
  assert.equal(fs.readdirSync(folder).length, 3);
});

test("a draft for which there is no room is removed, and the report before it stays", () => {
  const folder = temporaryFolder("files");
  const file = join(folder, "run.json");
  fs.writeFileSync(file, "before");
  const write = `import("./src/tools/output-file.ts").then(({ writeFile }) => writeFile(process.argv[1], "x".repeat(100_000)))`;
  const limited = ["-c", 'ulimit -f 8; exec "$0" -e "$1" "$2"', process.execPath, write, file];
  assert.match(spawnSync("sh", limited, { encoding: "utf8" }).stderr, /EFBIG/);
  assert.deepEqual([fs.readdirSync(folder), fs.readFileSync(file, "utf8")], [["run.json"], "before"]); // prettier-ignore
});

test("what exists and is no file is written into; a pipe without a reader is not waited for", () => {
  const pipe = join(temporaryFolder("files"), "pipe");
  execFileSync("mkfifo", [pipe]);
  checkFile(pipe);
  assert.throws(() => writeFile(pipe, "a report"), /a pipe without a reader/);
  const reader = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  writeFile(pipe, "a report");
  const bytes = Buffer.alloc(100);
  assert.equal(bytes.toString("utf8", 0, fs.readSync(reader, bytes)), "a report");
  fs.closeSync(reader);
  assert.equal(fs.lstatSync(pipe).isFIFO(), true);
  writeFile("/dev/null", "nothing");
});

test("two flags never name one file; devices may be named twice", () => {
  const folder = temporaryFolder("files");
  const at = (name: string): string => join(folder, name);
  const none = { json: undefined, html: undefined, profile: undefined, userFile: undefined };
  fs.writeFileSync(at("old"), "{}");
  fs.symlinkSync("old", at("link"));
  fs.symlinkSync(".", at("here"));
  for (const [json, html] of [
    ["new", "new"],
    ["new", "./new"],
    ["new", "here/new"],
    ["old", "link"],
    ["link", "here/link"],
  ] as const)
    assert.throws(
      () => checkFiles({ ...none, json: at(json), html: `${folder}/${html}` }),
      /--html .* is the file of --json .*: give it one/,
    );
  for (const input of ["profile", "userFile"] as const)
    assert.throws(
      () => checkFiles({ ...none, [input]: at("old"), html: at("link") }),
      /--html .*link is the file of --(?:profile|user-file) .*old/,
    );
  checkFiles({ profile: at("old"), userFile: at("old"), json: at("new"), html: at("new2") });
  checkFiles({ ...none, json: "/dev/null", html: "/dev/null" });
  checkFiles({ ...none, json: "/dev/stdout", html: "/dev/stdout" });
});

test("an input that can't be read is the operator's mistake, and is reported before the outputs", async () => {
  for (const flag of ["--profile", "--user-file"])
    await assert.rejects(
      prepare(["http://127.0.0.1:9", flag, "n".repeat(300), "--json", "/proc/run.json"]),
      { code: "DROVER_E_USAGE", message: new RegExp(`^${flag} n+: ENAMETOOLONG`) },
    );
});
