import { spawn } from "node:child_process";
import { once } from "node:events";
import { getPriority } from "node:os";
import { readSchedulingPolicy } from "./procstat.ts";

/** Programs of util-linux that wrap a child, or nothing where they are missing. */
export interface Wrapper {
  readonly words: readonly string[];
  /** What is lost without them, for the log; empty when all is there. */
  readonly missing: string;
  /** Behind them, for a worker that shall run under SCHED_BATCH; empty where that can't be, or is not for us to say. */
  readonly batch: readonly string[];
  /** Why no worker is batch, for the log; empty where they can be, and where there is no such thing. */
  readonly noBatch: string;
}

const FULL = ["setsid", "setpriv", "--pdeathsig", "KILL", "--"];
/** Short, as busybox has it too. Its one priority is 0. */
const BATCH = ["chrt", "-b", "0"];
const NO_CHRT =
  "chrt(1) of util-linux is missing or forbidden: workers take the CPU from each other more often than they need (DROVER_WORKER_SCHEDULING)";
const CHOSEN =
  "the daemon was started with a nice value or a scheduling policy of its own: its workers are left with that (DROVER_WORKER_SCHEDULING)";
/** sched(7): SCHED_OTHER, what a process has that nobody has said anything of. */
const OTHER = 0;

export interface Scheduling {
  /** sched(7); undefined: it can't be known, or there is none. */
  readonly policy: number | undefined;
  readonly nice: number;
}

const ownScheduling = (): Scheduling => ({ policy: readSchedulingPolicy(process.pid), nice: getPriority() });

/**
 * Tries the wrapper as it will be used, once where all is there.
 * @param own this process's. From util-linux 2.41 on chrt sets the nice value too, to 0, or fails where that needs a right: then it is left alone.
 */
export async function findWrapper(own = ownScheduling): Promise<Wrapper> {
  const { policy, nice } = own();
  const mayBatch = policy === OTHER && nice === 0;
  if (mayBatch && (await works([...FULL, ...BATCH]))) return { words: FULL, missing: "", batch: BATCH, noBatch: "" };
  const lifeline = await findLifeline();
  if (!mayBatch) return { ...lifeline, batch: [], noBatch: policy === undefined ? "" : CHOSEN };
  const batches = await works([...lifeline.words, ...BATCH]);
  return { ...lifeline, batch: batches ? BATCH : [], noBatch: batches ? "" : NO_CHRT };
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
