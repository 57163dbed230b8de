/**
 * `npm test` and its relatives: chooses the files, runs each in a process of its own, the longest first, and reports.
 *
 *     (none)         unit, component and process tests: *.unit.ts, *.test.ts
 *     --check        types, lint, format, generated documents, architecture: the files directly in test/ and a few others
 *     --full         external programs, browsers, systemd, strict timing: *.full.ts
 *     --soak         random tests with new seeds, and what takes long: *.soak.ts
 *     --flakes [N]   the whole suite N times (20) beside two busy loops
 *     --record       writes test/durations.json, by which the files are ordered
 *     --file-limit   longest time of a file, in ms: for what hangs
 *
 * FILEs replace the choice. --test-name-pattern, --test-skip-pattern, --test-only and --test-concurrency are node's.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { finished } from "node:stream/promises";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { flakes } from "./runner/flakes.ts";
import { runAll, runFile, type FileResult, type Job, type Options, type Ran } from "./runner/queue.ts";
import { judge, type Quarantined } from "./runner/report.ts";
import { concurrencyOf, filesOf, isAlone, isRetried, shardsOf, tierOf, type Command } from "./runner/tiers.ts";

const DURATIONS = "test/durations.json";
const read = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));
const durations = (): Record<string, number> => read(DURATIONS) as Record<string, number>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    soak: { type: "boolean", default: false },
    flakes: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
    "file-limit": { type: "string" },
    "test-name-pattern": { type: "string", multiple: true, default: [] },
    "test-skip-pattern": { type: "string", multiple: true, default: [] },
    "test-only": { type: "boolean", default: false },
    "test-concurrency": { type: "string" },
  },
});

/** The time that this machine takes to start node, in units of a quiet one's 40 ms: 1 to 8. */
function slowness(): number {
  const given = Number(process.env["DROVER_TEST_SLOWNESS"]);
  if (given > 0) return given;
  const began = performance.now();
  for (let nr = 0; nr < 5; nr += 1) spawnSync(process.execPath, ["-e", "0"]);
  return Math.min(8, Math.max(1, Math.round((performance.now() - began) / 5 / 4) / 10));
}

/** Unit tests share one process a core; every other file has its own. */
function jobsOf(files: readonly string[]): Job[] {
  const known = durations();
  const units = files.filter((file) => tierOf(file) === "unit");
  const shards = units.length > 1 ? shardsOf(units, availableParallelism()) : [];
  const shared = shards.map((part, i) => ({ file: `unit tests ${i + 1} of ${shards.length}`, units: part, alone: false }));
  const own = (units.length > 1 ? files.filter((file) => !units.includes(file)) : files).map((file) => ({ file, alone: isAlone(file) }));
  return [...shared, ...own].sort((a, b) => (known[b.file] ?? Infinity) - (known[a.file] ?? Infinity) || (a.file < b.file ? -1 : 1));
}

function record(results: readonly FileResult[]): void {
  const all = { ...durations(), ...Object.fromEntries(results.map(({ file, ms }) => [file, ms])) };
  const kept = Object.entries(all).filter(([file]) => existsSync(file) || file.startsWith("unit tests"));
  writeFileSync(DURATIONS, `${JSON.stringify(Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))), undefined, 2)}\n`);
}

async function main(): Promise<boolean> {
  const command: Command = values.check ? "check" : values.full ? "full" : values.soak ? "soak" : "test";
  const factor = slowness();
  process.env["DROVER_TEST_SLOWNESS"] = String(factor);
  if (command === "soak") process.env["DROVER_TEST_HANG"] ??= "600000";
  const [test, file] = command === "soak" ? [1_800_000, 7_200_000] : [180_000 * factor, 300_000 * factor];
  const options: Options = {
    namePatterns: values["test-name-pattern"],
    skipPatterns: values["test-skip-pattern"],
    only: values["test-only"],
    limits: { test, file: Number(values["file-limit"] ?? file) },
  };
  const missing = positionals.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`no such test file: ${missing.join(", ")} (expected paths like test/base/units.test.ts)`);
  const jobs = jobsOf(positionals.length > 0 ? positionals : filesOf(command));
  const lanes = Number(values["test-concurrency"] ?? concurrencyOf(command));
  console.log(`${jobs.length} files, ${lanes} at a time; this machine is ${factor} × as slow as a quiet one`);

  const reporter = new spec();
  reporter.pipe(process.stdout, { end: false });
  const began = performance.now();
  const results: FileResult[] = [];
  const again: Job[] = [];
  const tell = ({ result, events }: Ran): void => {
    results.push(result);
    for (const event of events) reporter.write(event);
  };
  await runAll(jobs, lanes, options, (job, ran) => {
    const retried = ran.result.failures.length > 0 && positionals.length === 0 && isRetried(job.file);
    if (retried) again.push(job);
    tell(retried ? { ...ran, events: [] } : ran);
  });
  for (const job of again) tell(await runFile(job, 2, options));
  reporter.end();
  await finished(reporter);
  const verdict = judge(results, performance.now() - began, command === "full" ? (read("test/quarantine.json") as Quarantined[]) : []);
  console.log(`\n${verdict.lines.join("\n")}`);
  const { DROVER_TEST_RESULTS: keep } = process.env;
  if (keep !== undefined) writeFileSync(keep, JSON.stringify(results));
  if (values.record) record(results);
  return verdict.green;
}

const green = values.flakes ? flakes(Number(positionals[0] ?? 20)) : await main();
process.exitCode = green ? 0 : 1;
