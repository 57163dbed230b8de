/**
 * The JSON of a load run, format `drover-load-run`, version 1: what a load generator writes and the plan reads. Times are in the unit
 * their name says. What a generator could not know is left out, never 0.
 */
import { DroverError, messageOf } from "../../../base/errors.ts";
import { Reader, type Fields } from "../fields.ts";
import { readStep } from "./read-step.ts";
import { flawOf, oddityOf } from "./soundness.ts";

export const RUN_FORMAT = "drover-load-run";
export const RUN_VERSION = 1;

/** closed: `users` who each wait for the answer, think, and ask again. open: `offeredPerSecond` requests come, answered or not. */
export type RunModel = "closed" | "open";

/** In ms. */
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
  /** Good answers a second. */
  readonly achievedPerSecond: number;
  readonly seconds: number;
  /** All of them, whatever became of them. */
  readonly requests: number;
  /** Of good answers, from the intended moment of sending. Absent: there was none. */
  readonly latencyMs?: RunLatency;
  /** 5xx that were no refusals, broken connections. */
  readonly errors: number;
  readonly timeouts: number;
  /** Deliberate refusals: 503 and 429 with X-Drover-Refused. */
  readonly refused: number;
  /** false: the generator was saturated, or too little was asked: the step says nothing about the server. */
  readonly valid: boolean;
  /** Of the requests, those that wrote. */
  readonly writes?: number;
  /** Of the server's whole process tree, within the step. */
  readonly cpuSeconds?: number;
  /** The most that the tree held resident within the step. */
  readonly rssBytes?: number;
  /** 0 to 1: answered from memory. */
  readonly hitRatio?: number;
  /** Calls to Google within the step. */
  readonly upstreamCalls?: number;
}

/** A step that had good answers. */
export type AnsweredStep = RunStep & Required<Pick<RunStep, "latencyMs">>;

/** The server as it was while it was measured. */
export interface RunServer {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly workers: number;
  readonly workerConnections: number;
  readonly cacheTtlMs: number;
  readonly tables: number;
  readonly readsPerMinute: number;
  /** By the table's name, where tables have a TTL of their own. */
  readonly tableTtlsMs?: Readonly<Record<string, number>>;
}

export interface LoadRun {
  readonly format: typeof RUN_FORMAT;
  readonly version: typeof RUN_VERSION;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The generator's name and version. */
  readonly tool: string;
  readonly target: string;
  /** Its users signed in, and held a slot each. Absent: not known. */
  readonly signedIn?: boolean;
  /** Absent: a foreign server, of which nothing but its answers is known. */
  readonly server?: RunServer;
  readonly steps: readonly RunStep[];
}

const MOST_STEPS = 1_000;

function readServer(at: Reader): RunServer {
  return {
    cpus: at.number("cpus", 0.001),
    memoryBytes: at.number("memoryBytes", 1),
    workers: at.whole("workers", 1),
    workerConnections: at.whole("workerConnections", 1),
    cacheTtlMs: at.number("cacheTtlMs", 1),
    tables: at.whole("tables", 1),
    readsPerMinute: at.whole("readsPerMinute", 1),
    ...(at.has("tableTtlsMs") ? { tableTtlsMs: at.numbers("tableTtlsMs", 1) } : {}),
  };
}

function parse(text: string, file: string): Fields {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DroverError(
      "DROVER_E_USAGE",
      `${file} is no JSON: ${messageOf(error)}; expected the JSON of a load run, whole`,
      {
        cause: error,
      },
    );
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new DroverError(
      "DROVER_E_USAGE",
      `${file} is no load run: expected an object with format "${RUN_FORMAT}"`,
    );
  return json as Fields;
}

/**
 * @param file its name, for errors.
 * @throws DroverError DROVER_E_USAGE naming the place in the file, the value and what was expected.
 */
export function readRun(text: string, file: string): LoadRun {
  const fields = parse(text, file);
  const at = new Reader(fields, file, "");
  if (fields["format"] !== RUN_FORMAT) at.fail("format", fields["format"], `"${RUN_FORMAT}"`);
  if (fields["version"] !== RUN_VERSION)
    at.fail(
      "version",
      fields["version"],
      `${RUN_VERSION}, which this drover reads: measure again with this version`,
    );
  const steps = at.list("steps", MOST_STEPS).map(readStep);
  return {
    format: RUN_FORMAT,
    version: RUN_VERSION,
    startedAt: at.text("startedAt"),
    tool: at.text("tool"),
    target: at.text("target"),
    ...(fields["signedIn"] === undefined ? {} : { signedIn: at.flag("signedIn") }),
    ...(fields["server"] === undefined ? {} : { server: readServer(at.child("server")) }),
    steps,
  };
}

/** Steps that say something about the server: the others go into no figure. */
export const usable = (run: LoadRun): readonly AnsweredStep[] =>
  run.steps.filter(
    (step): step is AnsweredStep =>
      step.latencyMs !== undefined && flawOf(step, run.server) === undefined,
  );

/** Which steps are not used, and why, and what is odd in the others: a sentence for each, none when all is well. */
export function lint(run: LoadRun): string[] {
  return run.steps.flatMap((step) => {
    const flaw = flawOf(step, run.server) ?? oddityOf(step);
    return flaw === undefined ? [] : [`${step.label}: ${flaw}`];
  });
}
