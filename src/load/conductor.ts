/** Runs the steps one after the other, watches the server meanwhile, and stops when it is told to or nobody is there any more. */
import { Crew, type Measured } from "./crew.ts";
import { failed } from "./judge.ts";
import { resultOf, type StepResult } from "./result.ts";
import type { Server, ServerSample } from "./server.ts";
import type { Step } from "./shape.ts";
import { Tally, type TallyDelta } from "./tally.ts";
import type { Target } from "./target.ts";
import type { Threshold } from "./thresholds.ts";
import { meanThink, type Traffic } from "./traffic.ts";

/** A second of the run, for the live view and the report's plots. */
export interface Moment {
  /** Seconds since the run began. */
  readonly at: number;
  readonly step: string;
  readonly perSecond: number;
  /** ms; undefined: nothing was answered. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly failed: number;
  readonly refused: number;
}

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
  readonly seed: number;
  /** A number that tells this run's rows from another's. */
  readonly run: string;
}

/** Why a run ended before its last step. */
export type Ending = "done" | "interrupted" | "target gone";

/** So many seconds in which nothing but broken connections came, and the target counts as gone. */
const GONE = 3;
const SECOND = 1_000;

export class Conductor {
  readonly #orders: Orders;
  readonly #watcher: Watcher;
  readonly #crew: Crew;
  readonly #begun = performance.now();
  readonly moments: Moment[] = [];
  #ending: Ending = "done";
  #silent = 0;

  constructor(orders: Orders, watcher: Watcher) {
    this.#orders = orders;
    this.#watcher = watcher;
    const { target, traffic, timeoutMs, seed, run, threads, connections } = orders; // threads get no more than can be cloned
    this.#crew = new Crew({ target, traffic, timeoutMs, seed, run, connections: Math.max(1, Math.floor(connections / threads)) }, threads);
  }

  get ending(): Ending {
    return this.#ending;
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
    const { traffic, thresholds, server } = this.#orders;
    const result = resultOf({
      step,
      measured,
      samples,
      about: server,
      generatorCpu: (spent.user + spent.system) / 1_000 / (performance.now() - began),
      thinkMs: meanThink(traffic.actions),
      thresholds,
      cut: this.#ending !== "done",
    });
    if (result.cut && measured.tally.requests === 0) return undefined; // in the warm-up: nothing was counted
    this.#watcher.end(result);
    return result;
  }

  async end(): Promise<void> {
    await this.#crew.end(this.#ending === "done" ? this.#orders.timeoutMs + SECOND : SECOND / 2);
  }

  /** A sample as the window opens, one a second, and one as it closes: counters come with beats, so both ends are as late. */
  async #measure(step: Step, samples: ServerSample[]): Promise<Measured> {
    const { server } = this.#orders;
    const sample = async (): Promise<void> => {
      const found = await server?.sample();
      if (found !== undefined) samples.push(found);
    };
    const ends: Promise<void>[] = [];
    const second = this.#secondOf(step, samples);
    let timer: NodeJS.Timeout | undefined;
    const measured = await this.#crew.run(step, {
      open: () => {
        ends.push(sample());
        timer = setInterval(() => void sample(), SECOND);
      },
      close: () => {
        clearInterval(timer);
        ends.push(sample());
      },
      second,
    });
    clearInterval(timer);
    await Promise.all(ends);
    return measured;
  }

  /** Threads report their seconds apart: what comes within half a second is one. */
  #secondOf(step: Step, samples: readonly ServerSample[]): (delta: TallyDelta) => void {
    let parts: TallyDelta[] = [];
    let timer: NodeJS.Timeout | undefined;
    let since = performance.now();
    const flush = (): void => {
      timer = undefined;
      const tally = new Tally();
      for (const part of parts) tally.add(part);
      parts = [];
      const now = performance.now();
      const moment = momentOf(tally, {
        at: (now - this.#begun) / SECOND,
        step: step.label,
        seconds: Math.max(0.2, (now - since) / SECOND),
      });
      since = now;
      this.#note(moment);
      this.#watcher.moment(moment, samples.at(-1));
      this.#alive(tally);
    };
    return (delta) => {
      parts.push(delta);
      timer ??= setTimeout(flush, this.#orders.threads > 1 ? SECOND / 2 : 0);
    };
  }

  #note(moment: Moment): void {
    this.moments.push(moment);
    if (this.moments.length <= MOST_MOMENTS) return;
    const kept = this.moments.filter((_, i) => i % 2 === 0);
    this.moments.splice(0, this.moments.length, ...kept);
  }

  #alive(tally: Tally): void {
    const broken = tally.requests > 0 && failed(tally) === tally.requests && [...tally.whys.keys()].every((why) => BROKEN.test(why));
    if (tally.requests > 0) this.#silent = broken ? this.#silent + 1 : 0;
    if (this.#silent >= GONE) this.interrupt("target gone");
  }
}

const BROKEN = /^E(?:CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|PIPE|HOSTDOWN)$|socket hang up/;
/** Of a long run every second one is dropped: the plots are no wider. */
const MOST_MOMENTS = 1_200;

function momentOf(tally: Tally, { at, step, seconds }: { readonly at: number; readonly step: string; readonly seconds: number }): Moment {
  return {
    at,
    step,
    perSecond: tally.requests / seconds,
    p50: tally.latency.quantile(0.5),
    p95: tally.latency.quantile(0.95),
    failed: failed(tally),
    refused: tally.fates.refused,
  };
}
