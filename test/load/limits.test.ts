/** Where the generator's own machine ends, and where its reports go. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { seconds } from "../../src/base/units.ts";
import { checkFile, writeWhole } from "../../src/cli/load/files.ts";
import { mostUsers } from "../../src/cli/load/prepare.ts";
import { bottleneck } from "../../src/load/bottleneck.ts";
import { resultOf } from "../../src/load/result.ts";
import { exhausted } from "../../src/load/selfcheck.ts";
import { held } from "../../src/load/shape.ts";
import { Tally } from "../../src/load/tally.ts";
import { parseThreshold } from "../../src/load/thresholds.ts";
import { temporaryFolder } from "../support/folder.ts";

/** How long `cat` may take to open its pipe: the product's 2 s are too short for a starved machine. */
const HANG = seconds(120);
/** Nothing waits. */
const CALM = { capped: false, backlog: { half: 0, end: 0 }, unanswered: 0 };

test("a step in which the generator's machine gave no more connections is invalid, whatever its thresholds say", () => {
  for (const [code, limit] of [
    ["EMFILE", /ulimit -n/],
    ["ENFILE", /fs\.file-max/],
    ["EADDRNOTAVAIL", /ip_local_port_range/],
    ["EAGAIN", /no room/],
  ] as const) {
    const tally = new Tally();
    for (let i = 0; i < 100; i += 1) tally.record("/", { fate: "ok", why: "", bytes: 1 }, 5);
    for (let i = 0; i < 3; i += 1) tally.record("/", { fate: "error", why: code, bytes: 0 }, 1);
    for (const threshold of ["errors==0", "errors<50"]) {
      const result = resultOf({
        step: held("closed", 9, seconds(10)),
        measured: { tally, seconds: 10, elu: 0.1, connections: 0, unsent: 0, ...CALM },
        samples: [],
        about: undefined,
        generatorCpu: 0.1,
        thinkMs: 0,
        thresholds: [parseThreshold(threshold)],
        limited: false,
        cut: false,
      });
      assert.equal(result.verdict, "INVALID", `${code}, ${threshold}`);
      assert.match(result.why ?? "", limit);
      assert.match(result.why ?? "", new RegExp(`${code}: 3`));
      assert.equal(bottleneck(result).is, "limits");
    }
  }
  assert.equal(exhausted(new Map([["ECONNRESET", 9]])), undefined);
});

test("a search goes as far as this process may open files, and no further than 20,000", () => {
  assert.deepEqual([mostUsers({ nofile: 1_024 }), mostUsers({ nofile: 1_048_576 }), mostUsers({ nofile: undefined })], [960, 20_000, 20_000]); // prettier-ignore
});

test("a file is replaced as a whole, a link to one stays, and no draft is left", () => {
  const folder = temporaryFolder("reports");
  const [file, link] = [join(folder, "run.json"), join(folder, "last.json")];
  writeFileSync(file, "before, and longer");
  const { ino } = statSync(file);
  symlinkSync("run.json", link);
  checkFile(link);
  writeWhole(link, "after");
  assert.deepEqual([readFileSync(file, "utf8"), readlinkSync(link)], ["after", "run.json"]);
  assert.notEqual(statSync(file).ino, ino, "it was not written in place");
  assert.deepEqual(readdirSync(folder).sort(), ["last.json", "run.json"]);
});

test("what is no file is written into, through a link too, and is there afterwards", async (t) => {
  const folder = temporaryFolder("reports");
  const [pipe, link] = [join(folder, "pipe"), join(folder, "link")];
  execFileSync("mkfifo", [pipe]);
  symlinkSync("pipe", link);
  for (const path of [pipe, link]) {
    const reader = spawn("cat", [pipe]);
    t.after(() => reader.kill("SIGKILL")); // without a writer it waits indefinitely, and this process for it
    let read = "";
    reader.stdout.on("data", (chunk: Buffer) => (read += chunk.toString()));
    const ended = new Promise((resolve) => reader.once("close", resolve));
    checkFile(path, HANG);
    writeWhole(path, "a report", HANG);
    await ended;
    assert.equal(read, "a report");
  }
  assert.deepEqual([lstatSync(pipe).isFIFO(), lstatSync(link).isSymbolicLink()], [true, true]);
  assert.deepEqual(readdirSync(folder).sort(), ["link", "pipe"]);
  checkFile("/dev/null"); // whose folder is root's
});

test("what can't be a report is refused before the run", async () => {
  const folder = temporaryFolder("reports");
  const socket = createServer().listen(join(folder, "socket"));
  await new Promise((resolve) => socket.once("listening", resolve));
  assert.throws(() => checkFile(join(folder, "socket")), /it is a socket/);
  assert.throws(() => checkFile(folder), /it is a folder/);
  assert.throws(() => checkFile(join(folder, "none/run.json")), /ENOENT/);
  socket.close();
});
