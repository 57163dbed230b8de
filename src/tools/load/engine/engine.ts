/**
 * Runs steps on one event loop: users (closed model) or arrivals (open model), whose connections
 * live from step to step. Times are monotonic milliseconds.
 */
import type { Histogram } from "../../../base/histogram.ts";
import type { Step } from "../../../load/shape.ts";
import { Arrivals } from "./arrivals.ts";
import type { Counts } from "./counts.ts";
import { Recorder } from "./recorder.ts";
import type { EngineOptions } from "./user.ts";
import { Users } from "./users.ts";

/** How the generator itself did in a step. */
export interface GeneratorUse {
  /** Share of the time in which the event loop was busy, 0 to 1. */
  readonly loop: number;
  /** How much later than due requests were sent. */
  readonly late: Histogram;
  /** Connections in use at once, at most; 0 in the closed model. */
  readonly connections: number;
  /** More connections were needed than are allowed. */
  readonly isShort: boolean;
  /** Requests that were due and had no connection when the time was over. */
  readonly unsent: number;
  /** Requests that had no answer when the run was interrupted. */
  readonly unanswered: number;
}

/** A step. `seconds` is 0 if it was interrupted in its warm-up. */
export interface Measured {
  readonly counts: Counts;
  readonly endpoints: ReadonlyMap<string, Counts>;
  readonly seconds: number;
  readonly generator: GeneratorUse;
}

export interface StepEvents {
  /** The warm-up is over. */
  opened(): void;
  /** About each second from then on. @param isLate the step's time is over: its last answers. */
  second(counts: Counts, seconds: number, isLate: boolean): void;
  /** The step's time is over. */
  closed(): void;
}

const SECOND = 1_000;
/** A shorter rest of a second is not reported: it would look as if almost nothing was done in it. */
const SHORTEST = 500;
const RAMP_EVERY = 100;
/** How long an interrupted step waits for its last answers. */
const AFTER_ABORT = 1_000;

/** Resolves after a time, or earlier with `until`. */
const sleep = (time: number, until: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, time);
    void until.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });

export class Engine {
  readonly #recorder = new Recorder();
  readonly #users: Users;
  readonly #arrivals: Arrivals;

  constructor(options: EngineOptions) {
    this.#users = new Users(options, this.#recorder);
    this.#arrivals = new Arrivals(options, this.#recorder);
  }

  /** Resolves when the last request that counts has ended, or soon after `signal` aborts. */
  async run(step: Step, signal: AbortSignal, events: StepEvents): Promise<Measured> {
    const aborted = Promise.withResolvers<void>();
    const abort = (): void => aborted.resolve();
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    try {
      this.#arrivals.discard();
      this.#recorder.start(step.most);
      if (step.warmMs === 0) this.#recorder.open(); // the very first request counts
      const settle = this.#follow(step);
      if (step.warmMs > 0) await sleep(step.warmMs, aborted.promise);
      if (signal.aborted) {
        settle();
        return this.#measured(0, 0);
      }
      return await this.#measure(step, aborted.promise, {
        ...events,
        closed: () => (settle(), events.closed()),
      });
    } finally {
      signal.removeEventListener("abort", abort);
      this.#recorder.stop();
    }
  }

  /** No request begins any more. @param within ms: how long the answers of those in flight may take. */
  async close(within: number): Promise<void> {
    this.#rest();
    this.#recorder.start(); // they are in no step's figures
    await sleep(within, this.#recorder.close());
    this.#recorder.stop();
    this.#users.close();
    this.#arrivals.close();
  }

  async #measure(step: Step, aborted: Promise<void>, events: StepEvents): Promise<Measured> {
    const recorder = this.#recorder;
    recorder.open();
    this.#arrivals.forget();
    events.opened();
    const begunAt = performance.now();
    const busy = performance.eventLoopUtilization();
    let [since, isFirst, isLate] = [begunAt, true, false];
    const second = (): void => {
      const now = performance.now();
      const [lasted, counts] = [now - since, recorder.takeSecond()];
      since = now;
      if (lasted >= SHORTEST || isFirst) events.second(counts, lasted / SECOND, isLate);
      isFirst = false;
    };
    const timer = setInterval(second, SECOND);
    const measured = (): Measured =>
      this.#measured(
        (performance.now() - begunAt) / SECOND,
        performance.eventLoopUtilization(busy).utilization,
      );
    await sleep(step.holdMs, Promise.race([aborted, recorder.full]));
    const atTheEnd = measured();
    second();
    isLate = true;
    const drained = recorder.close();
    events.closed();
    this.#arrivals.discard();
    if (step.rests === true) this.#rest();
    await Promise.race([drained, aborted.then(() => sleep(AFTER_ABORT, drained))]);
    clearInterval(timer);
    second();
    // With a limited number of requests, a step lasts until its last answer, as in ab.
    const { seconds, generator } = step.most === undefined ? atTheEnd : measured();
    const { unanswered } = recorder;
    return { ...atTheEnd, seconds, generator: { ...generator, unanswered } };
  }

  /** So far; what ends later is counted in it, too. */
  #measured(seconds: number, loop: number): Measured {
    const { counts, endpoints, late } = this.#recorder;
    const { peak: connections, isShort, queued } = this.#arrivals;
    const unsent = this.#recorder.mayBegin() ? queued : 0;
    const generator = { loop, late, connections, isShort, unsent, unanswered: 0 };
    return { counts, endpoints, seconds, generator };
  }

  #rest(): void {
    this.#users.rest();
    this.#arrivals.retune(0);
  }

  /** Users or a rate on a straight line. @returns what ends it at its last value. */
  #follow({ model, from, to, holdMs }: Step): () => void {
    const begunAt = performance.now();
    const set = (value: number): void =>
      model === "closed" ? this.#users.resize(Math.round(value)) : this.#arrivals.retune(value);
    set(from);
    if (from === to) return () => {};
    const timer = setInterval(
      () => set(along({ from, to, overMs: holdMs }, performance.now() - begunAt)),
      RAMP_EVERY,
    );
    return () => {
      clearInterval(timer);
      set(to);
    };
  }
}

/** The value after `atMs` on the straight line from one number to another. */
export function along(
  line: { readonly from: number; readonly to: number; readonly overMs: number },
  atMs: number,
): number {
  if (atMs >= line.overMs) return line.to;
  return line.from + ((line.to - line.from) * Math.max(0, atMs)) / line.overMs;
}
