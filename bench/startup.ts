/**
 * From exec to READY with 8 workers, and the memory of the tree then (PSS): the built-in service in demo, and bare node:http on a held handle.
 *
 *   npm run bench startup           [RUNS=3] [WORKERS=8]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bare, drover, type Stack } from "./stacks.ts";
import { cpuSeconds, pssMiB } from "./tree.ts";

const RUNS = Number(process.env["RUNS"] ?? 3);
const WORKERS = Number(process.env["WORKERS"] ?? 8);
const dir = mkdtempSync(join(tmpdir(), "drover-bench-"));
const answerFile = join(dir, "answer.json");
writeFileSync(answerFile, JSON.stringify({ headers: ["Content-Type", "text/plain"], body: "" }));

const kinds: [string, () => Promise<Stack>][] = [
  ["drover, demo", () => drover(WORKERS)],
  ["bare node:http (held)", () => bare("held", WORKERS, answerFile)],
];
console.log(`start of ${WORKERS} workers to READY, ${RUNS} runs, Node.js ${process.versions.node}`);
console.log("| stack | seconds | CPU-seconds | PSS idle MiB |\n|---|---|---|---|");
for (const [name, make] of kinds) {
  const rows: [number, number, number][] = [];
  for (let i = 0; i < RUNS; i += 1) {
    const stack = await make();
    rows.push([stack.startSeconds, cpuSeconds(stack.pid), pssMiB(stack.pid)]);
    await stack.stop();
  }
  const column = (index: 0 | 1 | 2): string => rows.map((row) => row[index].toFixed(2)).join(" / ");
  console.log(`| ${name} | ${column(0)} | ${column(1)} | ${column(2)} |`);
}
rmSync(dir, { recursive: true, force: true });
