import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import test from "node:test";
import fc from "fast-check";
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
