/** Runs test files, each in a process of its own, and keeps what node's runner tells of each. */
import { readFileSync } from "node:fs";
import { run } from "node:test";
import { descendants, sent } from "../support/processes.ts";

/** One process of tests. */
export interface Job {
  /** The test file; of the unit tests, a name of their own. */
  readonly file: string;
  /** Files that the process imports in place of `file`. */
  readonly units?: readonly string[];
  readonly alone: boolean;
}

export interface Failure {
  readonly test: string;
  /** The first line of the error. */
  readonly error: string;
}

export interface FileResult {
  readonly file: string;
  readonly attempt: 1 | 2;
  readonly ms: number;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly skips: readonly { readonly test: string; readonly why: string }[];
}

/** A line of node's event stream; see "Class: TestsStream" of its documentation. */
export interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly file?: string;
    readonly nesting?: number;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly message?: string;
    readonly details?: { readonly type?: string; readonly error?: { readonly cause?: unknown; readonly message?: string } };
  };
}

export interface Options {
  readonly namePatterns: readonly string[];
  readonly skipPatterns: readonly string[];
  readonly only: boolean;
  /** Longest time of one test and of one file, in ms: for what hangs. */
  readonly limits: { readonly test: number; readonly file: number };
}

/** The totals that node prints for each file: the report has its own. */
const isTotal = ({ type, data }: TestEvent): boolean =>
  type === "test:summary" || (["test:diagnostic", "test:plan"].includes(type) && data.file === undefined);

function firstLine(event: TestEvent): string {
  const { cause, message } = event.data.details?.error ?? {};
  const text = cause instanceof Error ? cause.message : typeof cause === "string" ? cause : (message ?? "no message");
  return text.split("\n", 1)[0] ?? "";
}

/** What node reports of the file itself has its path as its name. */
const isFile = (event: TestEvent, path: string): boolean => event.data.nesting === 0 && event.data.name === path;

function resultOf(job: Job, attempt: 1 | 2, ms: number, path: string, events: readonly TestEvent[]): FileResult {
  const tests = events.filter((e) => ["test:pass", "test:fail"].includes(e.type) && e.data.details?.type !== "suite");
  const failures = tests.filter(({ type, data }) => type === "test:fail" && (data.todo ?? false) === false);
  const own = failures.filter((e) => !isFile(e, path));
  const skipped = tests.filter(({ data }) => (data.skip ?? false) !== false);
  return {
    file: job.file,
    attempt,
    ms: Math.round(ms),
    passed: tests.filter((e) => e.type === "test:pass" && !isFile(e, path)).length - skipped.length,
    failures: (own.length > 0 ? own : failures).map((e) => ({ test: e.data.name ?? "", error: firstLine(e) })),
    skips: skipped.map(({ data }) => ({ test: data.name ?? "", why: String(data.skip) })),
  };
}

/** Ends what a file's process has started: the abort of node's runner reaches the test's process only. */
function endTree(path: string): void {
  const isOfFile = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(path);
    } catch {
      return false; // ended
    }
  };
  for (const pid of descendants(process.pid).filter(isOfFile)) for (const child of descendants(pid)) sent(child, "SIGKILL");
}

export interface Ran {
  readonly result: FileResult;
  /** For a reporter. */
  readonly events: readonly TestEvent[];
}

/** Runs one file. */
export async function runFile(job: Job, attempt: 1 | 2, options: Options): Promise<Ran> {
  const path = job.units === undefined ? job.file : "test/support/units.ts";
  const began = performance.now();
  const abort = new AbortController();
  const limit = setTimeout(() => {
    endTree(path);
    abort.abort();
  }, options.limits.file);
  const events: TestEvent[] = [];
  const stream = run({
    files: [path],
    concurrency: 1,
    timeout: options.limits.test,
    signal: abort.signal,
    argv: job.units ?? [],
    testNamePatterns: options.namePatterns,
    testSkipPatterns: options.skipPatterns,
    only: options.only,
  });
  for await (const event of stream as AsyncIterable<TestEvent>) if (!isTotal(event)) events.push(event);
  clearTimeout(limit);
  const result = resultOf(job, attempt, performance.now() - began, path, events);
  const ran = result.passed + result.failures.length + result.skips.length;
  const chosen = options.only || options.namePatterns.length + options.skipPatterns.length > 0;
  if (ran > 0 || chosen) return { result, events };
  return { result: { ...result, failures: [{ test: job.file, error: "the file ran no test" }] }, events };
}

/** Runs jobs in their order, so many at a time; one that is to be alone waits until the others are done. */
export async function runAll(
  jobs: readonly Job[],
  concurrency: number,
  options: Options,
  done: (job: Job, ran: Ran) => void,
): Promise<void> {
  const waiting = jobs.filter(({ alone }) => !alone);
  const lane = async (queue: Job[]): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) done(job, await runFile(job, 1, options));
  };
  await Promise.all(Array.from({ length: concurrency }, () => lane(waiting)));
  await lane(jobs.filter(({ alone }) => alone));
}
