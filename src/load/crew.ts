/** The generator's threads as one: a step is divided among them, and their figures are added up. */
// oxlint-disable unicorn/require-post-message-target-origin -- a thread has no origin
import { Worker } from "node:worker_threads";
import { DroverError, messageOf } from "../base/errors.ts";
import { ownModule } from "../base/place.ts";
import type { FromThread, ThreadOptions, ThreadReport, ThreadStep, ToThread } from "./messages.ts";
import { inProportion, shares } from "./pacing.ts";
import type { Step } from "./shape.ts";
import { Tally, type TallyDelta } from "./tally.ts";

const MODULE = ownModule("load/thread");

/** What the generator measured in one step. */
export interface Measured {
  readonly tally: Tally;
  readonly seconds: number;
  /** Of the busiest thread, 0 to 1. */
  readonly elu: number;
  readonly connections: number;
  readonly capped: boolean;
  readonly unsent: number;
  readonly backlog: ThreadReport["backlog"];
  readonly unanswered: number;
}

export interface CrewEvents {
  /** The first thread's warm-up is over. */
  open(): void;
  /** The last one's time is. */
  close(): void;
  second(delta: TallyDelta): void;
}

interface Thread {
  readonly worker: Worker;
  post(message: ToThread): void;
}

export class Crew {
  readonly #threads: readonly Thread[];
  readonly #died = Promise.withResolvers<never>();
  #ending = false;

  /** @param count of threads, at least one. */
  constructor(options: Omit<ThreadOptions, "thread" | "threads">, count: number) {
    this.#died.promise.catch(() => {}); // whoever waits for a step hears it
    this.#threads = Array.from({ length: count }, (_, thread) => {
      const workerData: ThreadOptions = { ...options, thread, threads: count };
      const worker = new Worker(MODULE, { workerData, name: `load ${thread}` });
      worker.on("error", (error) => this.#lost(messageOf(error), error));
      worker.once("exit", (code) => this.#lost(`it ended with ${code}`));
      return { worker, post: (message) => worker.postMessage(message) };
    });
  }

  /** @throws DroverError DROVER_E_BUG when a thread dies. */
  async run(step: Step, events: CrewEvents): Promise<Measured> {
    const tasks = divide(step, this.#threads.length);
    const tally = new Tally();
    const said = { open: 0, close: 0 };
    const hear = (message: FromThread): void => {
      if (message.type === "open" && (said.open += 1) === 1) events.open();
      if (message.type === "close" && (said.close += 1) === parts.length) events.close();
      if (message.type !== "second" && message.type !== "done") return;
      tally.add(message.tally);
      events.second(message.tally);
    };
    const parts = this.#threads.flatMap((thread, i) => {
      const task = tasks[i] as ThreadStep;
      return task.most > 0 ? [this.#part(thread, task, hear)] : [];
    });
    const reports = await Promise.race([Promise.all(parts), this.#died.promise]);
    return {
      tally,
      seconds: Math.max(...reports.map(({ ms }) => ms)) / 1_000,
      elu: Math.max(...reports.map(({ elu }) => elu)),
      connections: sum(reports.map(({ connections }) => connections)),
      capped: reports.some(({ capped }) => capped),
      unsent: sum(reports.map(({ unsent }) => unsent)),
      backlog: { half: sum(reports.map(({ backlog }) => backlog.half)), end: sum(reports.map(({ backlog }) => backlog.end)) },
      unanswered: sum(reports.map(({ unanswered }) => unanswered)),
    };
  }

  /** The step that runs ends now. */
  cut(): void {
    this.#tell({ do: "cut" });
  }

  /** Lets everybody go. @param within ms, after which nobody is waited for. */
  async end(within: number): Promise<void> {
    this.#ending = true;
    const ended = this.#threads.map(
      ({ worker }) =>
        new Promise<void>((resolve) => {
          worker.on("message", (message: FromThread) => message.type === "ended" && resolve());
          worker.once("exit", () => resolve());
        }),
    );
    this.#tell({ do: "end" });
    const bound = setTimeout(() => void this.#terminate(), within);
    await Promise.all(ended);
    clearTimeout(bound);
    await this.#terminate();
  }

  async #terminate(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #part(thread: Thread, task: ThreadStep, hear: (message: FromThread) => void): Promise<ThreadReport> {
    const { worker, post } = thread;
    return new Promise((resolve) => {
      const listen = (message: FromThread): void => {
        hear(message);
        if (message.type !== "done") return;
        worker.off("message", listen);
        resolve(message.report);
      };
      worker.on("message", listen);
      post({ do: "step", step: task });
    });
  }

  #tell(message: ToThread): void {
    for (const { post } of this.#threads) post(message);
  }

  #lost(why: string, cause?: unknown): void {
    if (!this.#ending) this.#died.reject(new DroverError("DROVER_E_BUG", `a thread of the load generator died: ${why}`, { cause }));
  }
}

const sum = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0);

/** Users are whole; a rate is not. Requests that are counted go to those who have users: a thread with none, or without a request, has no part. */
export function divide(step: Step, threads: number): ThreadStep[] {
  const used = Math.min(threads, step.most ?? Infinity);
  const split = (value: number): number[] =>
    step.model === "closed" ? shares(value, threads) : Array.from({ length: threads }, (_, i) => (i < used ? value / used : 0));
  const [from, to] = [split(step.from), split(step.to)];
  const most = step.most === undefined ? undefined : inProportion(step.most, to);
  return Array.from({ length: threads }, (_, i) => ({
    model: step.model,
    from: from[i] ?? 0,
    to: to[i] ?? 0,
    warmMs: step.warmMs,
    holdMs: step.holdMs,
    most: most === undefined ? Infinity : (most[i] ?? 0),
    rests: step.rests === true,
  }));
}
