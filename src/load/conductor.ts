/** Runs the steps one after the other, watches the server meanwhile, and stops when it is told to or nobody is there any more. */
import { Crew, type Measured } from "./crew.ts";
import { failed } from "./judge.ts";
import type { Moment } from "./moment.ts";
import { Moments } from "./moments.ts";
import { resultOf, type StepResult } from "./result.ts";
import type { Server, ServerSample } from "./server.ts";
import type { Step } from "./shape.ts";
import type { Tally, TallyDelta } from "./tally.ts";
import type { Target } from "./target.ts";
import type { Threshold } from "./metrics.ts";
import { thinkOf, type Traffic } from "./traffic.ts";

export interface Watcher {
  begin(step: Step, nr: number): void;
  moment(moment: Moment, sample: ServerSample | undefined): void;
  end(result: StepResult): void;
}

export interface Orders {
  readonly target: Target;
  readonly traffic: Traffic;
  readonly thresholds: readonly Threshold[];
  readonly server: Server | undefined;
  readonly timeoutMs: number;
  readonly threads: number;
  /** At most, in the open model: beyond them requests wait in the generator, and their latency runs. */
  readonly connections: number;
  /** They are fewer than it would have, for want of files. */
  readonly limited: boolean;
  /** Each user asks from a loopback address of its own. */
  readonly spread?: boolean;
  readonly seed: number;
  /** A number that tells this run's rows from another's. */
  readonly run: string;
}

/** Why a run ended before its last step. */
export type Ending = "done" | "interrupted" | "target gone";

/** So many seconds in which nothing but broken connections came, and the target counts as gone: three of a timer, which is not exact. */
const GONE = 2.9;
const SECOND = 1_000;

export class Conductor {
  readonly #orders: Orders;
  readonly #watcher: Watcher;
  readonly #crew: Crew;
  readonly #moments = new Moments(performance.now());
  #ending: Ending = "done";
  /** Seconds. */
  #broken = 0;

  constructor(orders: Orders, watcher: Watcher) {
    this.#orders = orders;
    this.#watcher = watcher;
    const { target, traffic, timeoutMs, spread = false, seed, run, threads, connections } = orders; // threads get no more than can be cloned
    const each = Math.max(1, Math.floor(connections / threads));
    this.#crew = new Crew({ target, traffic, timeoutMs, spread, seed, run, connections: each }, threads);
  }

  get ending(): Ending {
    return this.#ending;
  }

  /** So far. Of a long run one stands for several. */
  get moments(): readonly Moment[] {
    return this.#moments.list;
  }

  /** The step that runs ends now, and no other begins. */
  interrupt(why: Exclude<Ending, "done"> = "interrupted"): void {
    if (this.#ending === "done") this.#ending = why;
    this.#crew.cut();
  }

  /** @returns undefined when the run has ended already. */
  async step(step: Step, nr: number): Promise<StepResult | undefined> {
    if (this.#ending !== "done") return undefined;
    this.#watcher.begin(step, nr);
    const samples: ServerSample[] = [];
    const cpu = process.cpuUsage();
    const began = performance.now();
    const measured = await this.#measure(step, samples);
    const spent = process.cpuUsage(cpu);
    const { traffic, thresholds, server, limited } = this.#orders;
    const result = resultOf({
      step,
      measured,
      samples,
      about: server,
      generatorCpu: (spent.user + spent.system) / 1_000 / (performance.now() - began),
      thinkMs: thinkOf(traffic),
      thresholds,
      limited,
      cut: this.#ending !== "done",
    });
    if (result.cut && measured.tally.requests + measured.unanswered === 0) return undefined; // in the warm-up: nothing was counted
    this.#watcher.end(result);
    return result;
  }

  async end(): Promise<void> {
    await this.#crew.end(this.#ending === "done" ? this.#orders.timeoutMs + SECOND : SECOND / 2);
  }

  /**
   * A sample as the window opens, one a second, and one as it closes: counters come with beats, so both ends are as late. One that fails is
   * missing: a daemon that is killed in the middle of its answer ends no run.
   */
  async #measure(step: Step, samples: ServerSample[]): Promise<Measured> {
    const { server } = this.#orders;
    const sample = async (): Promise<void> => {
      const found = await server?.sample().catch(() => undefined);
      if (found !== undefined) samples.push(found);
    };
    const ends: Promise<void>[] = [];
    const seconds = this.#seconds(samples);
    let timer: NodeJS.Timeout | undefined;
    const measured = await this.#crew.run(step, {
      open: () => {
        this.#moments.open(step.label, performance.now());
        ends.push(sample());
        timer = setInterval(() => void sample(), SECOND);
      },
      close: () => {
        clearInterval(timer);
        seconds.flush();
        this.#moments.close();
        ends.push(sample());
      },
      second: seconds.add,
    });
    clearInterval(timer);
    seconds.flush();
    await Promise.all(ends);
    return measured;
  }

  /** Threads report their seconds apart: what comes within half a second is one, which ended when the first of them said so. */
  #seconds(samples: readonly ServerSample[]): { add(delta: TallyDelta): void; flush(): void } {
    let parts: TallyDelta[] = [];
    let timer: NodeJS.Timeout | undefined;
    let end = 0;
    const flush = (): void => {
      clearTimeout(timer);
      timer = undefined;
      if (parts.length === 0) return;
      const { moment, tally, lasted } = this.#moments.end(parts, end);
      parts = [];
      if (moment !== undefined) this.#watcher.moment(moment, samples.at(-1));
      this.#alive(tally, lasted);
    };
    const add = (delta: TallyDelta): void => {
      if (parts.length === 0) end = performance.now();
      parts.push(delta);
      timer ??= setTimeout(flush, this.#orders.threads > 1 ? SECOND / 2 : 0);
    };
    return { add, flush };
  }

  /** @param lasted seconds. */
  #alive(tally: Tally, lasted: number): void {
    if (tally.requests === 0) return;
    const isBroken = failed(tally) === tally.requests && [...tally.whys.keys()].every((why) => BROKEN.test(why));
    this.#broken = isBroken ? this.#broken + lasted : 0;
    if (this.#broken >= GONE) this.interrupt("target gone");
  }
}

const BROKEN = /^E(?:CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|PIPE|HOSTDOWN)$|socket hang up/;
