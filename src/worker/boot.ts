/**
 * Watches an application while it is loaded, so that whoever started it is told in one sentence what it waits for.
 *
 *   importing ─→ waiting for a script's listen ─→ listening            an uncaught error, process.exit() and a time that is over
 *             └→ waiting for a plugin ──────────→ listening            end each of them, with the reason
 */
import type { EventEmitter } from "node:events";
import { DroverError } from "../base/errors.ts";
import { impossible } from "../base/never.ts";
import { ms, type Ms } from "../base/units.ts";
import { loadFailure } from "./loadfailure.ts";

export type Stage = "import" | "listen" | "plugin";

export interface Boot {
  /** What is waited for now. */
  at(stage: Stage): void;
  /** Rejects with what is wrong: DROVER_E_APP, or DROVER_E_BOOT when the time is over. */
  readonly failed: Promise<never>;
  /** It listens, or has failed: nothing is watched any more. */
  end(): void;
}

export interface BootParts {
  readonly file: string;
  /** From the process's start (`boot_timeout`). */
  readonly within: Ms;
  /** The process: uncaughtException and exit. */
  readonly process: EventEmitter;
  /** The process ends while it loads: the last moment to say something. */
  exits(error: DroverError): void;
}

/** For the application, where the process itself has come up so late that its time is over. The master, which waits a little longer, does not know what is waited for. */
const LEAST = ms(200);
/** A script that has been read, listens nowhere and has nothing under way for so long will never listen. */
const IDLE = ms(5_000);
const LOOK_EVERY = ms(100);

export function watchBoot({ file, within, process: host, exits }: BootParts): Boot {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {}); // whoever waits for the application has it too
  let stage: Stage = "import";
  const patience = Math.max(Math.min(LEAST, within / 2), within - process.uptime() * 1_000);
  const deadline = setTimeout(() => fail(new DroverError("DROVER_E_BOOT", lateText(stage, file, within))), patience).unref();
  let idleSince: number | undefined;
  const before = pending();
  const look = setInterval(() => {
    const now = performance.now();
    idleSince = stage === "listen" && !moreThan(pending(), before) ? (idleSince ?? now) : undefined;
    if (idleSince !== undefined && now - idleSince >= IDLE) fail(new DroverError("DROVER_E_APP", idleText(file)));
  }, LOOK_EVERY).unref();
  const thrown = (error: unknown): void => {
    if (host.listenerCount("uncaughtException") <= 1) fail(loadFailure(error, file)); // else the application answers for it
  };
  const left = (code: number): void =>
    exits(new DroverError("DROVER_E_BOOT", `${file} ended its process with exit code ${code} while it was loaded`));
  const end = (): void => {
    clearTimeout(deadline);
    clearInterval(look);
    host.off("uncaughtException", thrown).off("exit", left);
  };
  const fail = (error: DroverError): void => {
    host.off("exit", left);
    clearTimeout(deadline);
    clearInterval(look);
    failure.reject(error);
  };
  host.on("uncaughtException", thrown).on("exit", left);
  return { at: (next) => void (stage = next), failed: failure.promise, end };
}

/** What keeps this process's loop alive, by kind. */
function pending(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

const moreThan = (now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): boolean =>
  [...now].some(([kind, count]) => count > (before.get(kind) ?? 0));

function lateText(stage: Stage, file: string, within: Ms): string {
  const time = `within ${within / 1_000} s (DROVER_BOOT_TIMEOUT)`;
  switch (stage) {
    case "import":
      return `${file} was not loaded ${time}: a top-level await in it, or in what it imports, has not come to an end`;
    case "listen":
      return `${file} exports no application, and has not called listen() on an http server ${time}`;
    case "plugin":
      return `the Fastify plugin ${file} was not ready ${time}: its promise has not settled, or it has not called done()`;
    default:
      return impossible(stage);
  }
}

const idleText = (file: string): string =>
  `${file} exports no application and listens nowhere, and nothing is under way in it that could change that: export default a (req, res) ` +
  'listener, a Fastify plugin or an object with fetch, or call listen() on an http server (if it waits for what Node.js can\'t see, export const form = "script")';
