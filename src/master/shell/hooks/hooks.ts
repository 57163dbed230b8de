/**
 * The user's hooks, behind a fence: events wait in a bounded queue and are handed over one at a time; the master's loop puts them
 * there and never waits for one. A module serves until one of a later generation has been loaded in its place.
 */
import type { ChildProcess } from "node:child_process";
import type { HookCall } from "../../../base/hooks.ts";
import type { Logger } from "../../../base/log.ts";
import { ms, seconds, type Ms } from "../../../base/units.ts";
import { startHooks, type HookProcess } from "./process.ts";

export interface HooksView {
  /** The module that serves; null: none. */
  readonly file: string | null;
  readonly generation: number | null;
  /** Why the last module that was to serve does not; null: it does. */
  readonly problem: string | null;
  readonly called: number;
  readonly failed: number;
  /** Events that found the queue full. */
  readonly dropped: number;
  readonly waiting: number;
}

export interface Fence {
  /** Puts an event into the queue, and returns. */
  fire(call: HookCall): void;
  /** The module of a generation; undefined: it has none. */
  adopt(file: string | undefined, generation: number): void;
  /** Looks at what the process uses: every second or so. */
  look(): void;
  /** Once the queue is empty, or the time is over, the process ends. Nothing is called after that. */
  close(within: Ms): Promise<void>;
  /** Whoever waits in `close` waits no longer. */
  hurry(): void;
  view(): HooksView;
}

export interface FenceParts {
  readonly log: Logger;
  /** @throws Error when the system gives no process. */
  fork(): ChildProcess;
  /** How long a call may take, and how long loading may. */
  limits(): { readonly call: Ms; readonly load: Ms };
  /** For the operator's eyes, beside the log: there will be no hooks. */
  complain(text: string): void;
}

type Job = ({ readonly do: "call" } & HookCall) | { readonly do: "adopt"; readonly file: string | undefined; readonly generation: number };

const MOST_WAITING = 256;
/** After each death in a row twice as long until the next start. */
const FIRST_WAIT = ms(500);
const LONGEST_WAIT = seconds(30);

export function createFence(parts: FenceParts): Fence {
  const { log } = parts;
  const queue: Job[] = [];
  const count = { called: 0, failed: 0, dropped: 0 };
  const hurried = Promise.withResolvers<void>();
  let module: { readonly file: string; readonly generation: number } | undefined;
  let process: HookProcess | undefined;
  let problem: string | null = null;
  let deaths = 0;
  let working: Promise<void> | undefined;
  let closed = false;

  const put = (job: Job): void => {
    if (closed) return;
    // The last one goes before what waits: nobody may be there to call it otherwise.
    if (job.do === "call" && job.hook === "onStop") queue.unshift(job);
    else queue.push(job);
    working ??= work().finally(() => (working = undefined));
  };

  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift())
      await (job.do === "adopt" ? change(job.file, job.generation) : call(job));
  };

  const change = async (file: string | undefined, generation: number): Promise<void> => {
    const before = process;
    if (file === undefined) [module, process, problem] = [undefined, undefined, null];
    else if (!(await load(file, generation))) return;
    deaths = 0;
    await before?.end();
  };

  /** @param again the module has served, and its process ended. @returns whether it serves now; if not, what served before goes on. */
  const load = async (file: string, generation: number, again = false): Promise<boolean> => {
    const loading = await startHooks({ log, file, generation, limit: parts.limits().load, fork: parts.fork });
    if (!loading.ok) {
      const stays =
        process?.alive === true ? `those of generation ${module?.generation} stay` : "none are called until a reload brings some";
      const rest = again ? "the next event tries again" : stays;
      const text = `the hooks in ${file} could not be loaded, ${rest}: ${loading.why}`;
      problem = text;
      log.error({ file, generation }, text);
      parts.complain(text);
      if (process?.alive !== true && !again) module = process = undefined;
      return false;
    }
    problem = null;
    [module, process] = [{ file, generation }, loading.process];
    const names = [...process.hooks].join(", ");
    log.info({ file, generation }, `hooks are loaded: ${names === "" ? "none" : names}`);
    if (names === "" || loading.strange.length > 0)
      log.warn(
        { file },
        `${file} exports ${loading.strange.join(", ") || "none"}: expected onReady, onWorkerReady, onWorkerExit, onReload, onStop`,
      );
    return true;
  };

  const call = async (job: HookCall): Promise<void> => {
    if (module === undefined) return;
    if (process?.alive !== true) {
      await Promise.race([hurried.promise, pause(Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** deaths))]);
      deaths += 1;
      if (closed) return;
      if (!(await load(module.file, module.generation, true))) return void (count.failed += 1);
    }
    if (process?.hooks.has(job.hook) !== true) return;
    const { hook, event } = job;
    const why = await process.call({ hook, event } as HookCall, parts.limits().call);
    count.called += 1;
    if (process.alive) deaths = 0;
    if (why === undefined || closed) return;
    count.failed += 1;
    log.warn({ hook, event }, `hook ${hook} failed: ${why}`);
  };

  return {
    fire({ hook, event }) {
      if (module === undefined && working === undefined) return;
      if (hook === "onStop" || queue.length < MOST_WAITING) return put({ do: "call", hook, event } as Job);
      count.dropped += 1;
      if (Number.isInteger(Math.log2(count.dropped)))
        log.warn({ hook, dropped: count.dropped }, `${MOST_WAITING} hooks wait already: an event is dropped`);
    },
    adopt: (file, generation) => put({ do: "adopt", file, generation }),
    look: () => process?.look(),
    async close(within) {
      const timer = setTimeout(hurried.resolve, within);
      await Promise.race([working, hurried.promise]);
      clearTimeout(timer);
      closed = true;
      const left = queue.splice(0).length;
      if (working !== undefined) log.warn({ waiting: left }, "the end does not wait any longer for hooks: what they did is cut off");
      await process?.end();
    },
    hurry: () => hurried.resolve(),
    view: () => ({ file: module?.file ?? null, generation: module?.generation ?? null, problem, ...count, waiting: queue.length }),
  };
}

const pause = (wait: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, wait).unref());
