/** Every end of a child by its name: what it is counted under, and whether the operator must hear of it. */
import { EXIT } from "../../base/exit.ts";
import { impossible } from "../../base/never.ts";
import type { DrainedBy } from "../../base/protocol.ts";
import type { Child, Fatal, Reason } from "./model.ts";

/** What recycles a worker: `asked` by the operator, or one of its limits. */
export type RecycledBy = "requests" | "lifetime" | "rss" | "asked";

export type DeathName =
  | "oom-heap" // V8's heap limit: it aborted itself
  | "oom-kernel" // the kernel or the cgroup ran out of memory
  | "stuck" // silent for longer than the timeout, killed
  | "boot-timeout" // not ready in time, killed
  | "boot-failed"
  | "load-failed"
  | "crash"
  | `signal:${string}` // sent by somebody else, or by its own fault (SIGSEGV)
  | "drain-timeout" // asked to go, and killed because it did not
  | `recycled:${RecycledBy}`
  | "operator" // SIGTERM to this worker alone: it drained by itself
  | "rolled"
  | "shrink"
  | "abandoned" // killed while it booted: nobody wanted it any more
  | "stop";

export interface Death {
  readonly name: DeathName;
  /** How the process ended, in words. */
  readonly how: string;
  /** It went because it was told to: no error. */
  readonly expected: boolean;
}

/** All that is known when a child's exit has been seen. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly fatal: Fatal | undefined;
  /** What the supervisor thought of it until then; undefined: it had been given up. */
  readonly child: Child | undefined;
  /** Why it was to be recycled. */
  readonly recycledBy: RecycledBy;
  /** It said that it had drained, and who had asked. */
  readonly drainedBy: DrainedBy | undefined;
  /** "FATAL ERROR: …" of its stderr, or empty. */
  readonly lastWords: string;
  /** The kernel has killed for want of memory of late. */
  readonly oomKilled: boolean;
}

const ABORTED = 134;

export function deathOf(ending: Ending): Death {
  const { child, code, signal, fatal } = ending;
  const words = fatal === undefined ? ending.lastWords : `${fatal.code}: ${fatal.message}`;
  const how = `${signal === null ? `exited with code ${code}` : `was killed by ${signal}`}${words === "" ? "" : `: ${words}`}`;
  const killed = child?.is === "killed";
  if (child !== undefined && (killed || (child.is === "draining" && signal === null && code === 0))) {
    const name = named(child.why, ending.recycledBy);
    return { name, how, expected: !["stuck", "boot-timeout", "drain-timeout"].includes(name) };
  }
  if (signal === null && code === 0 && ending.drainedBy === "operator") return { name: "operator", how, expected: true };
  return { name: unasked(ending), how, expected: false };
}

function named(why: Reason, recycledBy: RecycledBy): DeathName {
  switch (why) {
    case "roll":
      return "rolled";
    case "recycle":
      return `recycled:${recycledBy}`;
    case "shrink":
    case "stop":
    case "stuck":
    case "boot-timeout":
    case "drain-timeout":
    case "abandoned":
      return why;
    default:
      return impossible(why);
  }
}

/** Nobody asked it to go. */
function unasked({ child, code, signal, fatal, lastWords, oomKilled }: Ending): DeathName {
  if ((signal === "SIGABRT" || code === ABORTED) && /heap|out of memory/i.test(lastWords)) return "oom-heap";
  if (signal === "SIGKILL" && oomKilled) return "oom-kernel";
  if (signal !== null) return `signal:${signal}`;
  if (child?.is !== "starting") return "crash";
  const exit = fatal?.exit ?? code;
  if (exit === EXIT.loadFailed.code) return "load-failed";
  return exit === EXIT.bootFailed.code || fatal !== undefined ? "boot-failed" : "crash";
}

/** @param why as the watch over the children, or the operator, gave it. */
export function recycledBy(why: string): RecycledBy {
  const limit = /DROVER_MAX_(REQUESTS|LIFETIME|RSS)/.exec(why)?.[1];
  return limit === "REQUESTS" ? "requests" : limit === "LIFETIME" ? "lifetime" : limit === "RSS" ? "rss" : "asked";
}
