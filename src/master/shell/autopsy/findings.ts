/** What an examination found, and how it is said. */
import { basename } from "node:path";
import type { RequestInFlight } from "../../../base/requests.ts";
import type { ProcStat } from "../procstat.ts";
import type { Frame, Inside } from "./stack.ts";

/**
 * spinning: its loop runs JavaScript and never ends. blocked: it waits inside one call (Atomics.wait, a synchronous child
 * process). stopped: SIGSTOP, or a debugger. native: its main thread is in native code or held by the kernel, so that no
 * JavaScript stack can be had.
 */
export type StuckVerdict = "spinning" | "blocked" | "stopped" | "native" | "gone";

export interface Findings {
  readonly verdict: StuckVerdict;
  /** One line: the verdict, and where. */
  readonly text: string;
  readonly frames: readonly Frame[];
  /** undefined: it could not be asked. */
  readonly requests: readonly RequestInFlight[] | undefined;
  /** Of its main thread, in milliseconds, since its start; undefined: it has gone. */
  readonly cpu: number | undefined;
  /** Bytes. */
  readonly rss: number | undefined;
  /** The kernel function in which it sleeps, or empty. */
  readonly waits: string;
}

/** Two looks at its main thread, a moment apart and before the debugger: that one would hold it still. */
export interface Looks {
  readonly before: ProcStat | undefined;
  readonly later: ProcStat | undefined;
  readonly waits: string;
}

const TICK = 10;

/** No debugger comes to these: the process can't hear it. */
export const isHeld = (stat: ProcStat | undefined): boolean => stat === undefined || ["T", "t", "D", "Z", "X"].includes(stat.state);

/** @param inside what its inspector told; "silent": it gave no answer; "unasked": there is no inspector (DROVER_AUTOPSY=off). */
export function findings(looks: Looks, inside: Inside | "silent" | "unasked"): Findings {
  const { later, waits } = looks;
  const told = typeof inside === "string" ? undefined : inside;
  const verdict = verdictOf(looks, inside);
  return {
    verdict,
    text: textOf(verdict, looks, inside),
    frames: told?.frames ?? [],
    requests: told?.requests,
    cpu: later && later.cpuTicks * TICK,
    rss: later?.rss,
    waits,
  };
}

const moves = ({ before, later }: Looks): boolean => before !== undefined && later !== undefined && later.cpuTicks > before.cpuTicks;

function verdictOf(looks: Looks, inside: Inside | "silent" | "unasked"): StuckVerdict {
  const { later } = looks;
  if (later === undefined || later.state === "Z" || later.state === "X") return "gone";
  if (later.state === "T" || later.state === "t") return "stopped";
  if (later.state === "D" || inside === "silent") return "native";
  return moves(looks) ? "spinning" : "blocked";
}

function textOf(verdict: StuckVerdict, looks: Looks, inside: Inside | "silent" | "unasked"): string {
  const asleep = looks.waits === "" ? "" : `, in the kernel's ${looks.waits}`;
  if (typeof inside !== "string") {
    if (inside.is === "idle") return `${verdict}: its loop answers, but it sends no beats`;
    const where = whereOf(inside.frames);
    return where === "" ? verdict : `${verdict} at ${where}`;
  }
  if (verdict !== "native") return verdict;
  if (looks.later?.state === "D") return `native: the kernel holds it (uninterruptible)${asleep}`;
  return `native: it is in no JavaScript that a debugger could interrupt, ${moves(looks) ? "busy" : `asleep${asleep}`}`;
}

/** The innermost frame that is not Node's own: "app.mjs:12 handler". */
export function whereOf(frames: readonly Frame[]): string {
  const frame = frames.find(({ file }) => !file.startsWith("node:")) ?? frames[0];
  return frame === undefined ? "" : `${basename(frame.file) || "(evaluated)"}:${frame.line} ${frame.name || "(anonymous)"}`;
}

/** "handler (/srv/app.mjs:12:3)", as Node prints its stacks. */
export const frameText = ({ name, file, line, column }: Frame): string => `${name || "(anonymous)"} (${file}:${line}:${column})`;

/** "GET /loop for 2.1 s (id 7f…)". */
export const requestText = ({ method, path, age, id }: RequestInFlight): string =>
  `${method} ${path} for ${(age / 1_000).toFixed(1)} s${id === "" ? "" : ` (id ${id})`}`;
