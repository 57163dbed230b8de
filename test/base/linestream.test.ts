import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { openLineStream, type LineIo } from "../../src/base/linestream.ts";
import { temporaryFolder } from "../support/folder.ts";

const said = ({ lines, why }: { lines: number; why: string }): string => `lost ${lines}: ${why}\n`;

test("lines go out together, in order; those that matter at the end of the turn", async () => {
  const file = join(temporaryFolder("lines"), "sub", "log");
  const lines = openLineStream({ file }, said);
  lines.push("1\n");
  lines.push("2\n");
  await lines.flushed();
  assert.equal(readFileSync(file, "utf8"), "1\n2\n");
  lines.push("3\n", true);
  await new Promise((resolve) => setImmediate(resolve));
  lines.push("4\n");
  await lines.flushed();
  await lines.flushed();
  assert.equal(readFileSync(file, "utf8"), "1\n2\n3\n4\n");
  lines.push("5\n");
  lines.end();
  assert.equal(readFileSync(file, "utf8"), "1\n2\n3\n4\n5\n");
});

test("a renamed file: after reopen lines go to the new one, and none is lost or torn under way", async () => {
  const folder = temporaryFolder("lines");
  const file = join(folder, "log");
  const lines = openLineStream({ file }, said);
  const line = (nr: number): string => `${String(nr).padStart(8, "0")} ${"x".repeat(91)}\n`;
  for (let nr = 0; nr < 6_000; nr += 1) {
    lines.push(line(nr));
    if (nr % 1_000 !== 500) continue;
    if (nr === 500) await lines.flushed(); // later a write is under way
    if (!existsSync(file)) continue; // what was opened for the write under way has another name by now
    renameSync(file, `${file}.${nr}`);
    lines.reopen();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await lines.flushed();
  const parts = [500, 1_500, 2_500, 3_500, 4_500, 5_500].map((nr) => `${file}.${nr}`).filter((part) => existsSync(part));
  assert.ok(parts.length >= 2);
  const all = [...parts, file].map((part) => readFileSync(part, "utf8")).join("");
  assert.equal(all, Array.from({ length: 6_000 }, (_, nr) => line(nr)).join(""));
});

test("a file that can't be opened again leaves the old one in use", async () => {
  const file = join(temporaryFolder("lines"), "log");
  const lines = openLineStream({ file }, said);
  lines.push("1\n");
  await lines.flushed();
  renameSync(file, `${file}.1`);
  mkdirSync(file);
  lines.reopen();
  lines.push("2\n");
  await lines.flushed();
  assert.equal(readFileSync(`${file}.1`, "utf8"), "1\n2\n");
  rmSync(file, { recursive: true });
  lines.reopen();
  lines.push("3\n");
  await lines.flushed();
  assert.equal(readFileSync(file, "utf8"), "3\n");
});

test("a disk that does not answer blocks nobody: what is held is bounded, what is more is counted and told of", async () => {
  const file = join(temporaryFolder("lines"), "log");
  let go: (() => void) | undefined;
  let sent = "";
  const slow: LineIo = {
    write(_, bytes, done) {
      go = () => {
        go = undefined;
        sent += bytes.toString();
        done(null, bytes.length);
      };
    },
  };
  const lines = openLineStream({ file }, said, slow);
  const line = `${"x".repeat(1_023)}\n`;
  for (let nr = 0; nr < 6_000; nr += 1) lines.push(line);
  const pump = async (done: Promise<void>): Promise<void> => {
    const turn = (): Promise<"turn"> => new Promise((resolve) => setImmediate(resolve, "turn"));
    for (let now: "turn" | void = "turn"; now === "turn"; now = await Promise.race([done, turn()])) go?.();
  };
  await pump(lines.flushed());
  lines.push("again\n");
  await pump(lines.flushed());
  const [lost] = /lost (\d+)/.exec(sent)?.slice(1) ?? [];
  const kept = sent.split("\n").filter((text) => text.startsWith("x")).length;
  assert.equal(kept + Number(lost), 6_000);
  assert.ok(kept >= 3_900 && kept <= 4_200, `${kept} were held`);
  assert.match(sent, /lost \d+: the disk does not keep up\n/);
  assert.ok(sent.endsWith("again\n"));
});

test("a full disk: lines are lost and told of; a batch that was cut ends no later line", async () => {
  const file = join(temporaryFolder("lines"), "log");
  const answers: (number | "ENOSPC")[] = [6, "ENOSPC", "ENOSPC"];
  let sent = "";
  const full: LineIo = {
    write(_, bytes, done) {
      const answer = answers.shift() ?? bytes.length;
      setImmediate(() => {
        if (answer === "ENOSPC") return done(Object.assign(new Error("full"), { code: "ENOSPC" }), 0);
        sent += bytes.toString("utf8", 0, answer);
        done(null, answer);
      });
    },
  };
  const lines = openLineStream({ file }, said, full);
  for (const text of ["one\n", "two\n", "three\n"]) lines.push(text);
  await lines.flushed();
  assert.equal(sent, "one\ntw");
  lines.push("four\n");
  await lines.flushed();
  lines.push("five\n");
  await lines.flushed();
  assert.equal(sent, "one\ntw\nlost 2: ENOSPC\nfour\nfive\n");
});

test("where the file can't be opened lines are lost and told of when it can", async () => {
  const folder = temporaryFolder("lines");
  const file = join(folder, "log");
  mkdirSync(file);
  const lines = openLineStream({ file }, said);
  lines.push("1\n");
  await lines.flushed();
  rmSync(file, { recursive: true });
  lines.push("2\n");
  await lines.flushed();
  assert.equal(readFileSync(file, "utf8"), "lost 1: EISDIR\n2\n");
});

test("in a pipe that several write to, lines are whole", async () => {
  const folder = temporaryFolder("lines");
  const fifo = join(folder, "pipe");
  const made = spawn("mkfifo", [fifo]);
  await new Promise((resolve) => made.once("exit", resolve));
  const reader = openSync(fifo, "r+"); // for reading and writing: neither end waits for the other
  const written: number[] = [];
  const io: LineIo = {
    write(fd, bytes, done) {
      written.push(bytes.length);
      assert.equal(bytes.at(-1), 10, "it ends with a whole line");
      const n = writeSync(fd, bytes);
      const got = Buffer.alloc(n);
      readSync(reader, got);
      setImmediate(() => done(null, n));
    },
  };
  const lines = openLineStream({ fd: reader }, said, io);
  for (let nr = 0; nr < 100; nr += 1) lines.push(`${"y".repeat(150)}\n`);
  await lines.flushed();
  closeSync(reader);
  assert.ok(written.length >= 4 && written.every((n) => n <= 4_096), String(written));
});
