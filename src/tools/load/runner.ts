/** Runs steps on the engine, samples the target meanwhile, and evaluates each step. */
import type { Server, ServerSample } from "../../load/server.ts";
import type { Step } from "../../load/shape.ts";
import { thinkOf } from "../../load/traffic.ts";
import type { Counts } from "./engine/counts.ts";
import { Engine, type Measured } from "./engine/engine.ts";
import type { EngineOptions } from "./engine/user.ts";
import { secondOf, type Second } from "./seconds.ts";
import type { Threshold } from "./thresholds.ts";
import { resultOf, type StepResult } from "./verdict.ts";

export interface RunOptions extends EngineOptions {
  readonly thresholds: readonly Threshold[];
  readonly server: Server | undefined;
  /** The limit of open files allows fewer connections than the open model may use. */
  readonly limited: boolean;
}

export interface Watcher {
  began?(step: Step, nr: number): void;
  second?(second: Second, sample: ServerSample | undefined): void;
  ended?(result: StepResult): void;
}

/** Why a run ended before its last step. */
export type Ending = "done" | "interrupted" | "target gone";

/** Seconds of nothing but broken connections after which the target is gone: three of a timer. */
const GONE = 2.9;
const BROKEN = /^E(?:CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|PIPE|HOSTDOWN)$|socket hang up/;
/** ms. */
const SECOND = 1_000;

export class Runner {
  readonly #options: RunOptions;
  readonly #watcher: Watcher;
  readonly #engine: Engine;
  readonly #abort = new AbortController();
  readonly #begunAt = performance.now();
  readonly #seconds: Second[] = [];
  #ending: Ending = "done";
  /** Seconds. */
  #broken = 0;

  constructor(options: RunOptions, watcher: Watcher = {}) {
    this.#options = options;
    this.#watcher = watcher;
    this.#engine = new Engine(options);
  }

  get ending(): Ending {
    return this.#ending;
  }

  get seconds(): readonly Second[] {
    return this.#seconds;
  }

  /** Ends the current step; no other begins. */
  interrupt(why: Exclude<Ending, "done"> = "interrupted"): void {
    if (this.#ending === "done") this.#ending = why;
    this.#abort.abort();
  }

  /** @returns undefined when the run has ended already, or ends before anything was measured. */
  async step(step: Step, nr: number): Promise<StepResult | undefined> {
    if (this.#ending !== "done") return undefined;
    this.#watcher.began?.(step, nr);
    const samples: ServerSample[] = [];
    const cpu = process.cpuUsage();
    const begunAt = performance.now();
    const measured = await this.#measure(step, samples);
    const spent = process.cpuUsage(cpu);
    const { traffic, thresholds, server, limited } = this.#options;
    const cut = this.#ending !== "done";
    if (cut && measured.counts.requests + measured.generator.unanswered === 0) return undefined;
    const result = resultOf({
      step,
      measured,
      samples,
      about: server,
      generatorCpu: (spent.user + spent.system) / 1_000 / (performance.now() - begunAt),
      thinkMs: thinkOf(traffic),
      thresholds,
      limited,
      cut,
    });
    this.#watcher.ended?.(result);
    return result;
  }

  /** Waits for the answers of requests in flight, unless the run was interrupted. */
  async end(): Promise<void> {
    const patience = this.#ending === "done" ? this.#options.timeoutMs + SECOND : SECOND / 2;
    await this.#engine.close(patience);
  }

  /**
   * Samples when the step's time begins, each second, and when it ends: the target's counters come
   * with heartbeats, so both ends are equally late. A sample that fails is missing.
   */
  async #measure(step: Step, samples: ServerSample[]): Promise<Measured> {
    const ends: Promise<void>[] = [];
    const sample = async (): Promise<void> => {
      const found = await this.#options.server?.sample().catch(() => undefined);
      if (found !== undefined) samples.push(found);
    };
    let timer: NodeJS.Timeout | undefined;
    const measured = await this.#engine.run(step, this.#abort.signal, {
      opened: () => {
        ends.push(sample());
        timer = setInterval(() => void sample(), SECOND);
      },
      closed: () => {
        clearInterval(timer);
        ends.push(sample());
      },
      second: (counts, lasted, isLate) => {
        const at = (performance.now() - this.#begunAt) / SECOND;
        const second = secondOf(counts, { at, lasted, step: step.label, isLate });
        this.#seconds.push(second);
        this.#watcher.second?.(second, samples.at(-1));
        this.#watch(counts, lasted);
      },
    });
    await Promise.all(ends);
    return measured;
  }

  #watch({ requests, failed, reasons }: Counts, lasted: number): void {
    if (requests === 0) return;
    const isBroken = failed === requests && [...reasons.keys()].every((one) => BROKEN.test(one));
    this.#broken = isBroken ? this.#broken + lasted : 0;
    if (this.#broken >= GONE) this.interrupt("target gone");
  }
}
