/** What a process does in JavaScript right now, asked through its inspector. It need not cooperate: V8 interrupts loops for it. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { IN_FLIGHT, readRequests, type RequestInFlight } from "../../../base/requests.ts";
import { sourcePlace } from "../../../base/sources.ts";
import { openSession, type Session } from "./session.ts";

/** Where a call stands. Lines and columns count from 1; `name` is empty for a function without one. */
export interface Frame {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `stack`: it was in JavaScript; `idle`: its loop waits for something to do. */
export interface Inside {
  readonly is: "stack" | "idle";
  /** Innermost first. */
  readonly frames: readonly Frame[];
  /** undefined: it has no such list (the broker), or did not give it. */
  readonly requests: readonly RequestInFlight[] | undefined;
  /** Lets it go on, and closes its inspector. Until then it may be paused. */
  release(): Promise<void>;
}

const MOST_FRAMES = 20;
const MOST_SCRIPTS = 20_000;
const LONGEST_NAME = 200;
const LONGEST_FILE = 500;
/** A loop that runs JavaScript stops at once; one that does not by then is idle. */
const IDLE_AFTER = 100;
/** One that was seen to run stops as soon as the machine lets it, unless it has fallen asleep since. */
const STOPS_WITHIN = 400;
const LONGEST_LIST = 65_536;
/** Where a loop is that woke to look at the clock, to count what the collector took, or to hear its master: nothing anybody waits for. */
const UPKEEP: ReadonlySet<string> = new Set(["node:internal/timers", "node:internal/perf/observe", "node:internal/child_process"]);

/**
 * Asks for the stack and for the requests in flight.
 * @param isBusy its thread was seen to run.
 * @throws Error when the process gives no answer before the signal fires; it is let go then.
 */
export async function lookInside(address: string, signal: AbortSignal, isBusy: boolean): Promise<Inside> {
  const session = await openSession(address, signal);
  const release = (): Promise<void> => letGo(session);
  try {
    const frames = await pause(session, isBusy ? STOPS_WITHIN : IDLE_AFTER);
    const requests = await requestsOf(session);
    return { is: frames === undefined ? "idle" : "stack", frames: frames ?? [], requests, release };
  } catch (error) {
    void release();
    throw error;
  }
}

/** @param within ms. @returns the frames it was stopped in, or undefined when it is idle. */
async function pause(session: Session, within: number): Promise<readonly Frame[] | undefined> {
  const scripts = new Map<string, string>();
  session.on("Debugger.scriptParsed", ({ scriptId, url }) => {
    if (scripts.size < MOST_SCRIPTS) scripts.set(text(scriptId), text(url));
  });
  const paused = new Promise<Readonly<Record<string, unknown>>>((resolve) => session.on("Debugger.paused", resolve));
  await session.call("Debugger.enable");
  await session.call("Debugger.pause");
  const stopped = await Promise.race([paused, sleep(within)]);
  if (stopped !== undefined) {
    const frames = framesOf(stopped["callFrames"], scripts);
    return frames.every(({ file }) => UPKEEP.has(file)) ? undefined : frames;
  }
  await session.call("Debugger.disable"); // a pause still pending would stop the next question
  return undefined;
}

/** Resumes the process and closes its inspector: nobody else shall find it. */
async function letGo(session: Session): Promise<void> {
  // Both are on their way before the first is answered. The inspector ends with its connections, this one included: there may be no answer.
  session.call("Debugger.disable").catch(() => {});
  session.call("Runtime.evaluate", { expression: 'process.getBuiltinModule("node:inspector").close()' }).catch(() => {});
  await Promise.race([session.closed, sleep(IDLE_AFTER * 2)]);
  session.close();
}

async function requestsOf(session: Session): Promise<readonly RequestInFlight[] | undefined> {
  const expression = `JSON.stringify(globalThis[Symbol.for(${JSON.stringify(IN_FLIGHT)})]?.() ?? null)`;
  const { result } = await session.call("Runtime.evaluate", { expression, returnByValue: true, silent: true });
  const { value } = (result ?? {}) as { value?: unknown };
  if (typeof value !== "string" || value.length > LONGEST_LIST) return undefined;
  return readRequests(JSON.parse(value));
}

const text = (raw: unknown): string => (typeof raw === "string" ? raw : "");

interface RawFrame {
  readonly functionName?: unknown;
  readonly url?: unknown;
  readonly location?: { readonly scriptId?: unknown; readonly lineNumber?: unknown; readonly columnNumber?: unknown };
}

function framesOf(raw: unknown, scripts: ReadonlyMap<string, string>): Frame[] {
  if (!Array.isArray(raw)) return [];
  return (raw as RawFrame[]).slice(0, MOST_FRAMES).map(({ functionName, url, location }) => {
    const place = {
      file: fileOf(scripts.get(text(location?.scriptId)) ?? text(url)).slice(0, LONGEST_FILE),
      line: Number(location?.lineNumber ?? -1) + 1,
      column: Number(location?.columnNumber ?? -1) + 1,
    };
    return { name: text(functionName).slice(0, LONGEST_NAME), ...(sourcePlace(place) ?? place) };
  });
}

/** A path for file: URLs, anything else (node:internal/…, an eval's empty one) as it is. */
function fileOf(url: string): string {
  try {
    return url.startsWith("file:") ? fileURLToPath(url) : url;
  } catch {
    return url; // a file: URL with a host or an encoded slash
  }
}
