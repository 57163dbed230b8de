/** Starts the journal's thread and reads what it found. */
// oxlint-disable unicorn/require-post-message-target-origin -- a thread has no origin
import { Worker } from "node:worker_threads";
import { DroverError, messageOf } from "../../base/errors.ts";
import { ownModule } from "../../base/place.ts";
import type { Bytes, Ms, Timestamp } from "../../base/units.ts";
import type { Entry, LastAccepted, Recovered } from "./journal.ts";
import type { FromThread, Group, Limits, Result, ThreadOptions } from "./messages.ts";
import { decodeEntry } from "./records.ts";
import { SIZE } from "./reserve.ts";

/** What the thread says with each of its answers. */
export interface ThreadState {
  /** How many writes are set aside. */
  readonly setAside: number;
  /** Why the disk takes no writes; undefined: it does, as far as is known. */
  readonly trouble: string | undefined;
}

export interface Thread {
  readonly recovered: Recovered;
  post(group: Group): void;
  onResults(listener: (results: readonly Result[], state: ThreadState) => void): void;
  /** As it was found. */
  readonly setAside: number;
  onCopied(listener: (to: string, failed: string | undefined) => void): void;
  /** It ended, by whatever. */
  onDeath(listener: (why: string) => void): void;
  terminate(): Promise<unknown>;
  /** Resolves when the thread has ended. */
  readonly ended: Promise<void>;
}

const MODULE = ownModule("broker/journal/thread");
/** The thread keeps little: what a full journal's salvage needs. Beyond it the thread ends, and not the process. */
const HEAP_MIB = 256;

interface Place {
  readonly dir: string;
  readonly now: () => Timestamp;
  readonly spreadsheet?: string | undefined;
  readonly lastAccepted?: LastAccepted | undefined;
  readonly mostPages?: number;
  readonly reserve?: Bytes;
}

/** Waits for the thread's report. @throws DroverError when it refuses or ends. */
function report(worker: Worker): Promise<Recovered & { readonly setAside: number }> {
  return new Promise((resolve, reject) => {
    let entries: Entry[] = [];
    let why = "";
    const refuse = (code: DroverError["code"], message: string): void => reject(new DroverError(code, message));
    worker.on("error", (e) => (why = `: ${messageOf(e)}`));
    worker.once("exit", (code) => refuse("DROVER_E_BUG", `the journal's thread ended with ${code} before it was ready${why}`));
    const listen = (message: FromThread): void => {
      if (message.type === "entries") message.lsns.forEach((lsn, i) => entries.push(decodeEntry(lsn, message.records[i] ?? "")));
      else if (message.type === "damaged") entries = [];
      else if (message.type === "refused") refuse(message.code, message.message);
      else if (message.type === "opened") {
        worker.off("message", listen);
        resolve({ ...message.opened, entries });
      }
    };
    worker.on("message", listen);
  });
}

/** @throws DroverError as `openJournal`. */
export async function startThread(
  { dir, now, spreadsheet, lastAccepted, mostPages, reserve = SIZE }: Place,
  limits: Limits,
  patience: Ms,
): Promise<Thread> {
  const options: ThreadOptions = { dir, patience, now: now(), limits, spreadsheet, lastAccepted, mostPages, reserve };
  const worker = new Worker(MODULE, { workerData: options, resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB }, name: "journal" });
  const { setAside, ...recovered } = await report(worker);
  let why: string | undefined;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  worker.on("error", (e) => (why = messageOf(e)));
  worker.once("exit", end);
  return {
    recovered,
    post: (group) => worker.postMessage(group),
    setAside,
    onResults: (listener) =>
      worker.on("message", (message: FromThread) => message.type === "results" && listener(message.results, message)),
    onCopied: (listener) =>
      worker.on("message", (message: FromThread) => message.type === "copied" && listener(message.to, message.failed)),
    onDeath: (listener) => worker.once("exit", (code) => listener(why ?? `it ended with ${code}`)),
    terminate: () => worker.terminate(),
    ended,
  };
}
