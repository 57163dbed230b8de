import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { Logger } from "../../base/log.ts";
import { readFromChild } from "../../base/fromchild.ts";
import type { Beat, DrainedBy, FromChild, Role, ToChild } from "../../base/protocol.ts";
import type { Instant, Ms } from "../../base/units.ts";
import type { Fatal, Pid, PlaceId } from "../core/model.ts";
import type { Examined } from "./autopsy/examiner.ts";
import type { Findings } from "./autopsy/findings.ts";
import { guardChannel } from "./channel.ts";
import type { ChildOutput } from "./childlog.ts";

/** What the shell knows of a living child, beside what the core's state says. */
export interface Child {
  readonly pid: Pid;
  readonly place: PlaceId;
  readonly role: Role;
  readonly nr: number;
  readonly generation: number;
  readonly process: ChildProcess;
  readonly output: ChildOutput;
  readonly startedAt: Instant;
  /** SIGUSR1 opens its inspector. */
  readonly inspectable: boolean;
  /** Its application handles SIGUSR1, which therefore does not open its inspector. */
  handlesSignal: boolean;
  readonly beatEvery: Ms;
  /** How long it may be silent, as its generation has it. */
  readonly beatTimeout: Ms;
  /** Connections that came to stay, by its last word. A beat's count has those in it that leave at once. */
  staying: number;
  /** It is at its cap, by the same. */
  full: boolean;
  /** Many connections come to it and go; when it said so last. */
  churnsAt: Instant | undefined;
  lastBeat: Beat | undefined;
  lastBeatAt: Instant | undefined;
  /** Its silence was warned of; a beat ends the incident. */
  warned: boolean;
  /** An examination is under way: whoever asks meanwhile gets the same answer. */
  looking: Promise<Examined> | undefined;
  /** What its examination found, and when. */
  found: Findings | undefined;
  foundAt: Instant | undefined;
  fatal: Fatal | undefined;
  drainedBy: DrainedBy | undefined;
  /** Why it is to be recycled, or empty. */
  recycle: string;
  /** It has reported that it reached its limit of requests: how many it had served then. */
  worn: number | undefined;
  /** Its debugger stays open: any local process may take it over. Each round of the watch asks for its replacement, which may be refused. */
  exposed: boolean;
  /** Messages that were none of ours, or malformed: input from application code. */
  strange: number;
}

type Born =
  | "pid"
  | "place"
  | "role"
  | "nr"
  | "generation"
  | "process"
  | "output"
  | "startedAt"
  | "inspectable"
  | "beatEvery"
  | "beatTimeout";

/** One that was forked just now: nothing has been heard of it. */
export const unheardOf = (born: Pick<Child, Born>): Child => ({
  ...born,
  handlesSignal: false,
  staying: 0,
  full: false,
  churnsAt: undefined,
  lastBeat: undefined,
  lastBeatAt: undefined,
  warned: false,
  looking: undefined,
  found: undefined,
  foundAt: undefined,
  fatal: undefined,
  drainedBy: undefined,
  recycle: "",
  worn: undefined,
  exposed: false,
  strange: 0,
});

/** Sends over IPC; a child that is gone is noticed by its exit, not here. The handle stays ours: the child gets a copy. */
export function send(child: Child, message: ToChild, handle?: object): void {
  if (child.process.connected) child.process.send(message, handle as never, { keepOpen: true }, () => {});
}

export interface ChildEvents {
  message(child: Child, message: FromChild): void;
  exited(child: Child, code: number | null, signal: NodeJS.Signals | null): void;
}

/** A flood of nonsense is said at 1, 2, 4, 8 … of them. */
const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));

/** How long a dead child's last message may take to be read: why it died stands in it. */
const LAST_WORDS = 250;

/** A child that ends closes its channel too: one that lives on for so long without it can't be told anything any more. */
const UNHEARD = 1_000;
/** After SIGTERM. Somebody who closes descriptors that are not his may have closed others: such a process may never get to its end. */
const UNHEARD_GRACE = 10_000;

/** Listens to a child: its messages (validated), its end (once, after its last words were read). */
export function watchChild(child: Child, log: Logger, events: ChildEvents): void {
  guardChannel(child.process, (why) => {
    log.error({ place: child.place, child: child.pid }, `${child.place} broke its channel to the master and is killed: ${why}`);
    child.process.kill("SIGKILL");
  });
  child.process.on("message", (raw: unknown, handle: unknown) => {
    discard(handle);
    const message = readFromChild(raw);
    if (message !== undefined) return events.message(child, message);
    if (isClusterInternal(raw)) return;
    child.strange += 1;
    if (isPowerOfTwo(child.strange))
      log.warn({ place: child.place, count: child.strange }, "a child sends messages that are none of ours: they are ignored");
  });
  child.process.on("error", (error) => log.warn({ place: child.place, err: error }, "the channel to a child reports an error"));
  watchDisconnect(child, log);
  child.process.once("exit", (code, signal) => {
    const report = (): void => {
      clearTimeout(timer);
      child.process.off("close", report);
      release(child, log);
      events.exited(child, code, signal);
    };
    // The exit may be seen before its channel and its output were read to their ends; a grandchild that inherited one could keep it open.
    const timer = setTimeout(report, LAST_WORDS);
    child.process.once("close", report);
  });
}

/** The application closed descriptor 3: it hears no order and its beats are lost. TERM drains it, and the core replaces it. */
function watchDisconnect(child: Child, log: Logger): void {
  child.process.once("disconnect", () => {
    const end = (signal: "SIGTERM" | "SIGKILL", why: string): void => {
      log.warn({ place: child.place, child: child.pid }, `${child.place} has closed its channel to the master${why}: it gets ${signal}`);
      child.process.kill(signal);
    };
    let timer = setTimeout(() => {
      end("SIGTERM", "");
      timer = setTimeout(() => end("SIGKILL", " and does not leave"), UNHEARD_GRACE);
    }, UNHEARD);
    child.process.once("exit", () => clearTimeout(timer));
    if (hasEnded(child.process)) clearTimeout(timer);
  });
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** How long the output of a dead child is read on while a process that it left behind holds the pipes open. */
const LAST_OUTPUT = 2_000;

/** A process left behind may hold its ends of the pipes for years: ours are closed after LAST_OUTPUT, and keep nobody from ending. */
function release(child: Child, log: Logger): void {
  const { process, place } = child;
  if (process.connected) process.disconnect();
  const open = [process.stdout, process.stderr].filter((stream) => stream !== null && !stream.destroyed) as Socket[];
  if (open.length === 0) return;
  for (const stream of open) stream.unref();
  setTimeout(() => {
    const held = open.filter((stream) => !stream.destroyed);
    if (held.length === 0) return;
    for (const stream of held) stream.destroy();
    log.warn({ place, child: child.pid }, `a process that ${place} has started lives on with its output: it is no longer read`);
  }, LAST_OUTPUT).unref();
}

/** No child has a descriptor to give: one that comes all the same would stay open here for good. */
export function discard(handle: unknown): void {
  const { destroy, close } = (handle ?? {}) as { destroy?: () => void; close?: () => void };
  const end = destroy ?? close;
  if (typeof end === "function") Reflect.apply(end, handle, []);
}

const isClusterInternal = (raw: unknown): boolean =>
  typeof raw === "object" &&
  raw !== null &&
  typeof (raw as { cmd?: unknown }).cmd === "string" &&
  (raw as { cmd: string }).cmd.startsWith("NODE_");
