import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { readText } from "../../src/base/readtext.ts";
import { bytes, ms } from "../../src/base/units.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder("readtext");
const within = ms(50);
const fifo = (name: string): string => {
  execFileSync("mkfifo", [join(folder, name)]);
  return join(folder, name);
};

test("a file is read whole, up to its bound", () => {
  const file = join(folder, "file");
  writeFileSync(file, "é".repeat(100_000));
  assert.equal(readText(file).length, 100_000);
  assert.equal(readText(file, { most: bytes(200_000) }).length, 100_000);
  assert.throws(() => readText(file, { most: bytes(199_999) }), /it is larger than 199999 bytes/);
  writeFileSync(file, Buffer.from([0xff]));
  assert.throws(() => readText(file), /not valid/);
  assert.throws(() => readText(folder), { code: "EISDIR" });
  assert.throws(() => readText(join(folder, "none")), { code: "ENOENT" });
  assert.equal(readText("/dev/null"), "");
  assert.throws(() => readText("/dev/zero", { most: bytes(1_000) }), /larger than 1000 bytes/);
});

test("a pipe is read to its end; one that is not written to, or not closed, is given up in time", () => {
  const unused = fifo("unused");
  assert.throws(() => readText(unused, { within }), /it is a pipe, and nothing was written to it within 0.05 s/);
  const open = fifo("open");
  const writer = spawn("sh", ["-c", 'exec 3>"$0"; echo A=1 >&3; exec sleep 60', open]);
  assert.throws(() => readText(open, { within: ms(2_000) }), /it is a pipe, and not closed within 2 s/);
  writer.kill("SIGKILL");
  const whole = fifo("whole");
  spawn("sh", ["-c", 'sleep 0.1; seq 1 100000 >"$0"', whole]);
  assert.equal(
    readText(whole, { within: ms(20_000) })
      .trimEnd()
      .split("\n").length,
    100_000,
  );
});
