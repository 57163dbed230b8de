/**
 * The JSON of a load run, format `drover-load-run`, version 1: what a load generator writes and the plan reads. Times are in the unit
 * their name says. What a generator could not know is left out, never 0.
 */
import { DroverError, messageOf } from "../base/errors.ts";
import { Reader, type Fields } from "./fields.ts";

export const RUN_FORMAT = "drover-load-run";
export const RUN_VERSION = 1;

/** closed: `users` who each wait for the answer, think, and ask again. open: `offeredPerSecond` requests come, answered or not. */
export type RunModel = "closed" | "open";

export interface RunLatency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** One rung of the ladder, its warm-up left out. */
export interface RunStep {
  readonly label: string;
  readonly model: RunModel;
  /** People at once; of an open step the connections it used. */
  readonly users: number;
  /** Mean pause between an answer and the next request of the same user; 0 in an open step. */
  readonly thinkMs: number;
  /** Requests a second that were to be sent. */
  readonly offeredPerSecond: number;
  /** Answers a second that came. */
  readonly achievedPerSecond: number;
  readonly seconds: number;
  readonly requests: number;
  /** From the intended moment of sending; refused and failed requests left out. */
  readonly latencyMs: RunLatency;
  /** 5xx that were no refusals, broken connections. */
  readonly errors: number;
  readonly timeouts: number;
  /** Deliberate refusals: 503 and 429 with X-Drover-Refused. */
  readonly refused: number;
  /** false: the generator itself was saturated, so that the step says nothing about the server. */
  readonly valid: boolean;
  /** Of the server's whole process tree, within the step. */
  readonly cpuSeconds?: number;
  /** The most that the tree held resident within the step. */
  readonly rssBytes?: number;
  /** 0 to 1: answered from memory. */
  readonly hitRatio?: number;
  /** Calls to Google within the step. */
  readonly upstreamCalls?: number;
}

/** The server as it was while it was measured. */
export interface RunServer {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly workers: number;
  readonly workerConnections: number;
  readonly cacheTtlMs: number;
  readonly tables: number;
  readonly readsPerMinute: number;
}

export interface LoadRun {
  readonly format: typeof RUN_FORMAT;
  readonly version: typeof RUN_VERSION;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The generator's name and version. */
  readonly tool: string;
  readonly target: string;
  /** Absent: a foreign server, of which nothing but its answers is known. */
  readonly server?: RunServer;
  readonly steps: readonly RunStep[];
}

const MOST_STEPS = 1_000;
/** One machine opens no more connections than this. */
const MOST_USERS = 1_000_000;
/** A step that claims another rate than its own count and duration give is damaged; rounding and a cut last second are not. */
const SLACK = 0.1;

function readLatency(at: Reader): RunLatency {
  const [p50, p95, p99, max] = [at.number("p50", 0), at.number("p95", 0), at.number("p99", 0), at.number("max", 0)];
  if (!(p50 <= p95 && p95 <= p99 && p99 <= max)) at.fail("", { p50, p95, p99, max }, "p50 ≤ p95 ≤ p99 ≤ max");
  return { p50, p95, p99, max };
}

function readStep(at: Reader): RunStep {
  const optional = {
    ...at.maybe("cpuSeconds", 0),
    ...at.maybe("rssBytes", 0),
    ...at.maybe("hitRatio", 0, 1),
    ...at.maybe("upstreamCalls", 0),
  };
  const step: RunStep = {
    label: at.text("label"),
    model: at.word("model", ["closed", "open"]),
    users: at.whole("users", 1, MOST_USERS),
    thinkMs: at.number("thinkMs", 0),
    offeredPerSecond: at.number("offeredPerSecond", 0),
    achievedPerSecond: at.number("achievedPerSecond", 0),
    seconds: at.number("seconds", 0.001),
    requests: at.whole("requests", 0),
    latencyMs: readLatency(at.child("latencyMs")),
    errors: at.whole("errors", 0),
    timeouts: at.whole("timeouts", 0),
    refused: at.whole("refused", 0),
    valid: at.flag("valid"),
    ...optional,
  };
  const counted = step.requests / step.seconds;
  if (Math.abs(step.achievedPerSecond - counted) > counted * SLACK + 1 / step.seconds)
    at.fail("achievedPerSecond", step.achievedPerSecond, `about ${counted.toFixed(1)}: ${step.requests} requests in ${step.seconds} s`);
  return step;
}

function readServer(at: Reader): RunServer {
  return {
    cpus: at.number("cpus", 0.001),
    memoryBytes: at.number("memoryBytes", 1),
    workers: at.whole("workers", 1),
    workerConnections: at.whole("workerConnections", 1),
    cacheTtlMs: at.number("cacheTtlMs", 1),
    tables: at.whole("tables", 1),
    readsPerMinute: at.whole("readsPerMinute", 1),
  };
}

function parse(text: string, file: string): Fields {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `${file} is no JSON: ${messageOf(error)}; expected the JSON of a load run, whole`, {
      cause: error,
    });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new DroverError("DROVER_E_USAGE", `${file} is no load run: expected an object with format "${RUN_FORMAT}"`);
  return json as Fields;
}

/**
 * @param file its name, for errors.
 * @throws DroverError DROVER_E_USAGE naming the place in the file, what stands there and what was expected.
 */
export function readRun(text: string, file: string): LoadRun {
  const fields = parse(text, file);
  const at = new Reader(fields, file, "");
  if (fields["format"] !== RUN_FORMAT) at.fail("format", fields["format"], `"${RUN_FORMAT}"`);
  if (fields["version"] !== RUN_VERSION)
    at.fail("version", fields["version"], `${RUN_VERSION}, which this drover reads: measure again with this version`);
  const steps = at.list("steps", MOST_STEPS).map(readStep);
  return {
    format: RUN_FORMAT,
    version: RUN_VERSION,
    startedAt: at.text("startedAt"),
    tool: at.text("tool"),
    target: at.text("target"),
    ...(fields["server"] === undefined ? {} : { server: readServer(at.child("server")) }),
    steps,
  };
}

/** Steps that say something about the server, most of whose requests were answered. */
export const usable = (run: LoadRun): readonly RunStep[] =>
  run.steps.filter(
    (step) => step.valid && step.requests > 0 && step.achievedPerSecond > 0 && step.errors + step.timeouts < step.requests / 2,
  );

/** By how much Little's law may be missed before a step is called a bad measurement. */
const LITTLE = 0.25;

/**
 * What can't be in a closed step: N users who take R to be answered and think Z make N / (R + Z) requests a second. R is the median, which is
 * less than the mean, hence the room. @returns sentences, none when all is well.
 */
export function lint(run: LoadRun): string[] {
  return run.steps.flatMap((step) => {
    const { label, users, thinkMs, achievedPerSecond, latencyMs } = step;
    if (!step.valid) return [`${label}: not used, the load generator itself was saturated`];
    if (step.model === "open" || step.requests < 50) return [];
    const most = (users * 1_000) / (latencyMs.p50 * 0.5 + thinkMs);
    const least = (users * 1_000) / (latencyMs.p99 + thinkMs);
    if (achievedPerSecond <= most * (1 + LITTLE) && achievedPerSecond >= least * (1 - LITTLE)) return [];
    const implied = (users / achievedPerSecond) * 1_000 - latencyMs.p50;
    return [
      `${label}: does not add up: ${users} users at p50 ${latencyMs.p50} ms with ${thinkMs} ms of thought can't make ` +
        `${achievedPerSecond.toFixed(1)} requests/s (that is ${implied.toFixed(0)} ms of thought)`,
    ];
  });
}
