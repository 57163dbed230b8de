/** What an examination found, and how it is said. */
import { basename } from "node:path";
import type { RequestInFlight } from "../../../base/requests.ts";
import { TICKS_PER_SECOND } from "../procstat.ts";
import { isRunning, isStarved, type Looks } from "./looks.ts";
import type { Frame, Inside } from "./stack.ts";

/**
 * spinning: its loop runs JavaScript and never ends. blocked: it waits inside one call (Atomics.wait, a synchronous child
 * process). stopped: SIGSTOP, or a debugger. native: its main thread is in native code or held by the kernel, so that no
 * JavaScript stack can be had. starved: it wants to run and the machine does not let it; that is no fault of its own.
 */
export type StuckVerdict = "spinning" | "blocked" | "stopped" | "native" | "starved" | "gone";

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

/**
 * Why the inspector told nothing. silent: it gave no answer. unasked: there is none (DROVER_AUTOPSY=off). handled: the application handles
 * the signal that opens it.
 */
export type Untold = "silent" | "unasked" | "handled";

/** @param inside what its inspector told. */
export function findings(looks: Looks, inside: Inside | Untold): Findings {
  const { later, waits } = looks;
  const told = typeof inside === "string" ? undefined : inside;
  const verdict = verdictOf(looks, inside);
  return {
    verdict,
    text: textOf(verdict, looks, inside),
    frames: told?.frames ?? [],
    requests: told?.requests,
    cpu: later && (later.cpuTicks * 1_000) / TICKS_PER_SECOND,
    rss: later?.rss,
    waits,
  };
}

function verdictOf(looks: Looks, inside: Inside | Untold): StuckVerdict {
  const { later } = looks;
  if (later === undefined || later.state === "Z" || later.state === "X") return "gone";
  if (later.state === "T" || later.state === "t") return "stopped";
  if (isStarved(looks)) return "starved";
  if (later.state === "D" || inside === "silent") return "native";
  return isRunning(looks) ? "spinning" : "blocked";
}

const UNREAD = ": its application handles SIGUSR1, so its stack can't be read";

function textOf(verdict: StuckVerdict, looks: Looks, inside: Inside | Untold): string {
  const hungry = verdict === "starved" ? `: ready to run, and given ${looks.ran.toFixed(0)} ms of CPU in ${looks.apart.toFixed(0)} ms` : "";
  const asleep = looks.waits === "" ? "" : `, in the kernel's ${looks.waits}`;
  if (typeof inside !== "string") {
    if (inside.is === "idle") return `${verdict}: its loop answers, but it sends no beats${hungry}`;
    const where = whereOf(inside.frames);
    return `${verdict}${where === "" ? "" : ` at ${where}`}${hungry}`;
  }
  const unread = inside === "handled" && (verdict === "spinning" || verdict === "blocked") ? UNREAD : "";
  if (verdict !== "native") return verdict + hungry + unread;
  if (looks.later?.state === "D") return `native: the kernel holds it (uninterruptible)${asleep}`;
  return `native: it is in no JavaScript that a debugger could interrupt, ${isRunning(looks) ? "busy" : `asleep${asleep}`}`;
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
