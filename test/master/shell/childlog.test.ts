import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { makeLogger } from "../../../src/base/log.ts";
import { logOutput, splitLines } from "../../../src/master/shell/childlog.ts";

async function split(chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  const ended = splitLines(stream, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await ended;
  return lines;
}

test("lines come out whole, however the pipe cuts them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((s) => !/[\r\n]/.test(s)),
        { maxLength: 8 },
      ),
      fc.integer({ min: 1, max: 7 }),
      async (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
        assert.deepEqual(await split(chunks), lines);
      },
    ),
    { numRuns: 50 },
  );
});

test("CRLF, empty lines, a last line without an end", async () => {
  assert.deepEqual(await split(["a\r\n\r\n\nb\nc"]), ["a", "b", "c"]);
});

test("a line without end is cut, and what follows is read again", async () => {
  const lines = await split(["x".repeat(20_000), "y".repeat(50_000), "\nnext\n"]);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /^x{16384}… \(cut\)$/);
  assert.equal(lines[1], "next");
});

test("output becomes JSON lines with slot and stream, and the last of stderr is kept", async () => {
  const sink = new PassThrough();
  let text = "";
  sink.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const output = logOutput(
    makeLogger({ role: "master" }, "info", sink),
    { role: "worker", slot: 3, generation: 2, pid: 77 },
    { stdout, stderr },
  );
  stdout.write('hello "quoted" \u001b[31m\n');
  for (let i = 0; i < 30; i += 1) stderr.write(`bad ${i}\n`);
  while (text.split("\n").length < 32) await new Promise((resolve) => setImmediate(resolve));
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(lines.length, 31);
  assert.deepEqual([lines[0]?.["stream"], lines[0]?.["slot"], lines[0]?.["role"], lines[0]?.["generation"]], ["stdout", 3, "worker", 2]);
  assert.equal(lines[1]?.["level"], "warn");
  assert.deepEqual(output.tail().length, 20);
  assert.equal(output.tail().at(-1), "bad 29");
});

test("an inspector's address with a port that can't be is a line like any other", async () => {
  const sink = new PassThrough();
  let text = "";
  sink.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const stderr = new PassThrough();
  const who = { role: "worker", slot: 0, generation: 1, pid: 77 } as const;
  const output = logOutput(makeLogger({ role: "master" }, "info", sink), who, { stdout: null, stderr });
  const address = (port: number): string => `ws://127.0.0.1:${port}/${"0".repeat(36)}`;
  const opened = new Promise((resolve) => output.awaitInspector(resolve));
  for (const port of [99_999, 7_399]) stderr.write(`Debugger listening on ${address(port)}\n`);
  assert.equal(await opened, address(7_399));
  while (!text.includes(":99999/")) await new Promise(setImmediate);
});

/** What the log has of output, once the child has closed its ends. */
async function logged(stdout: string, stderr = "", level: "info" | "trace" = "trace"): Promise<Record<string, unknown>[]> {
  let text = "";
  const log = makeLogger({ role: "master" }, level, { write: (line: string) => void (text += line) });
  const [out, err] = [new PassThrough(), new PassThrough()];
  logOutput(log, { role: "worker", slot: 1, generation: 1, pid: 77 }, { stdout: out, stderr: err });
  out.end(stdout);
  err.end(stderr);
  await Promise.all([finished(out), finished(err)]);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("lines of JSON with a level keep it, and their fields: as pino, bunyan and winston write them", async () => {
  const req = { method: "GET", url: "/x" };
  const lines = [
    { level: 30, time: 1, pid: 77, hostname: "h", reqId: "req-1", req, msg: "incoming request" },
    { level: 50, time: 1, pid: 77, err: { type: "Error", message: "no", stack: "Error: no\n    at x" }, msg: "failed" },
    { name: "app", hostname: "h", pid: 9, level: 40, msg: "bunyan", time: "2026-01-01", v: 0 },
    { level: "warning", message: "winston", service: "shop", timestamp: "2026-01-01" },
    { level: "silly", message: { a: 1 } },
    { level: 20, msg: "of a role", role: "admin", slot: 9, token: "t0p" },
  ];
  const all = await logged(`${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  assert.deepEqual(
    all.map(({ level, msg }) => [level, msg]),
    [["info", "incoming request"], ["error", "failed"], ["warn", "bunyan"], ["warn", "winston"], ["trace", '{"a":1}'], ["debug", "of a role"]], // prettier-ignore
  );
  assert.deepEqual([all[0]?.["req"], all[0]?.["reqId"], all[0]?.["pid"], all[0]?.["app"]], [req, "req-1", 77, undefined]);
  assert.deepEqual(all[1]?.["err"], lines[1]?.err);
  assert.deepEqual([all[2]?.["app"], all[2]?.["pid"], all[3]?.["service"]], [{ pid: 9 }, 77, "shop"]);
  assert.deepEqual(
    [all[5]?.["role"], all[5]?.["slot"], all[5]?.["app"], all[5]?.["token"]],
    ["worker", 1, { role: "admin", slot: 9 }, "***"],
  );
  assert.ok(all.every(({ stream, time }) => stream === "stdout" && typeof time === "string"));
  assert.deepEqual((await logged("", '{"level":30,"msg":"on stderr"}\n')).map(({ level, stream }) => [level, stream]), [["info", "stderr"]]); // prettier-ignore
  assert.equal((await logged('{"level":20,"msg":"below the level of the log"}\n', "", "info")).length, 0);
});

test("JSON without a level that is known, and text that only looks like JSON, are lines as they are", async () => {
  const lines = [
    '{"a":1}',
    '{"level":"loud","msg":"x"}',
    '{"level":30',
    '{"level":null,"msg":1}',
    "{}",
    '[{"level":30}]',
    '{"level":true}',
  ];
  const all = await logged(`${lines.join("\n")}\n`);
  assert.deepEqual(all.map(({ msg }) => msg), lines); // prettier-ignore
  assert.ok(all.every(({ level }) => level === "info"));
});

const STACK = `Error: it broke
    at one (file:///app.js:1:1)
    at two (file:///app.js:2:2) {
  code: 'E_BROKEN',
  [cause]: TypeError: deeper
      at three (file:///app.js:3:3)
}`;

test("a stack trace is one record with the line before it: text and JSON, also where the pipe parts it", async () => {
  const all = await logged("before\nafter\n", `first\n${STACK}\nCaused by: java\n  at x\nlast\n`);
  assert.deepEqual(all.filter(({ stream }) => stream === "stderr").map(({ msg }) => msg), ["first", `${STACK}\nCaused by: java\n  at x`, "last"]); // prettier-ignore
  assert.deepEqual(all.filter(({ stream }) => stream === "stdout").map(({ msg }) => msg), ["before", "after"]); // prettier-ignore
  const [json] = await logged('{"level":50,"msg":"oh"}\n    at x (y.js:1:1)\n');
  assert.deepEqual([json?.["level"], json?.["msg"]], ["error", "oh\n    at x (y.js:1:1)"]);
  assert.deepEqual((await logged("    at nowhere\n")).map(({ msg }) => msg), ["    at nowhere"]); // prettier-ignore
});

test("a record is bounded in lines, in bytes and in time", async () => {
  const endless = (line: string, times: number): string => `begin\n${`    at ${line}\n`.repeat(times)}`;
  const lines = await logged(endless("x", 350));
  assert.deepEqual(lines.map(({ msg }) => String(msg).split("\n").length), [100, 100, 100, 51]); // prettier-ignore
  const bytes = await logged(endless("y".repeat(5_000), 10));
  assert.ok(bytes.length >= 3 && bytes.every(({ msg }) => String(msg).length <= 16_384));
  let text = "";
  const out = new PassThrough();
  const log = makeLogger({ role: "master" }, "info", { write: (line: string) => void (text += line) });
  logOutput(log, { role: "worker", slot: 1, generation: 1, pid: 77 }, { stdout: out, stderr: null });
  out.write("alone\n");
  const says = async (what: string): Promise<void> => {
    while (!text.includes(what)) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await says("alone"); // without a next line
  out.write("    at too late\n");
  out.end();
  await says("too late");
  assert.equal(text.split("\n").filter(Boolean).length, 2);
});

test("a record that is held when this process ends is written", () => {
  const module = new URL("../../../src/master/shell/childlog.ts", import.meta.url).href;
  const script = `
    import { PassThrough } from "node:stream";
    const { logOutput } = await import(${JSON.stringify(module)});
    const stdout = new PassThrough();
    logOutput({ info: (_, text) => console.log(text) }, { role: "worker", slot: 0, generation: 1, pid: 1 }, { stdout, stderr: null });
    stdout.write("last words\\n");
    stdout.once("data", () => setImmediate(() => setImmediate(() => process.exit())));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.equal(stdout, "last words\n");
});
