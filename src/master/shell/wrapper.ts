import { spawn } from "node:child_process";
import { once } from "node:events";
import { readSchedulingPolicy } from "./procstat.ts";

/** Programs of util-linux that wrap a child, or nothing where they are missing. */
export interface Wrapper {
  readonly words: readonly string[];
  /** Behind them, for a worker that shall run under SCHED_BATCH; empty where that can't be, or is not for us to say. */
  readonly batch: readonly string[];
  /** What is lost without them, for the log; empty when all is there. */
  readonly missing: string;
  /** The same, of workers under SCHED_BATCH. */
  readonly batchMissing: string;
}

const FULL = ["setsid", "setpriv", "--pdeathsig", "KILL", "--"];
/** Short, as busybox has it too. Its one priority is 0. */
const BATCH = ["chrt", "-b", "0"];
const NO_BATCH =
  "chrt(1) of util-linux is missing or forbidden: workers take the CPU from each other more often than they need (DROVER_WORKER_SCHEDULING)";
/** sched(7): SCHED_OTHER, what a process has that nobody has said anything of. */
const OTHER = 0;

/**
 * Tries the wrapper once, as it will be used.
 * @param policy this process's own (sched(7)). Whoever started it under one of his choice keeps that: children inherit it.
 */
export async function findWrapper(policy = readSchedulingPolicy(process.pid)): Promise<Wrapper> {
  const batch = policy === undefined || policy === OTHER ? BATCH : [];
  if (await works([...FULL, ...batch])) return { words: FULL, batch, missing: "", batchMissing: "" };
  const lifeline = await findLifeline();
  return batch.length === 0 || (await works(batch))
    ? { ...lifeline, batch, batchMissing: "" }
    : { ...lifeline, batch: [], batchMissing: NO_BATCH };
}

async function findLifeline(): Promise<Pick<Wrapper, "words" | "missing">> {
  if (await works(FULL)) return { words: FULL, missing: "" };
  if (await works(["setsid"]))
    return {
      words: ["setsid"],
      missing: "setpriv(1) of util-linux is missing or forbidden: a worker that is stuck when the master is killed may survive it",
    };
  return { words: [], missing: "setsid(1) and setpriv(1) of util-linux are missing or forbidden: a stuck worker may survive the master" };
}

async function works([program = "", ...words]: readonly string[]): Promise<boolean> {
  try {
    const tried = spawn(program, [...words, "true"], { stdio: "ignore", timeout: 5_000 }); // throws what it does not emit: EPERM, ENOMEM
    const [code] = (await once(tried, "exit")) as [number | null];
    return code === 0;
  } catch {
    return false; // missing or forbidden: it is said once, for all
  }
}
