/** Reads at a small, steady rate during a drill: the load generator, on the drill's own event loop. */
import { minutes, ms, type Ms } from "../../base/units.ts";
import { discover, prime } from "../../load/discover.ts";
import { findTarget, parseTarget, type Target } from "../../load/target.ts";
import { READS_ONLY, type Endpoint } from "../../load/traffic.ts";
import { Runner } from "../../tools/load/runner.ts";
import { longestSilence } from "../../tools/load/seconds.ts";
import type { StepResult } from "../../tools/load/verdict.ts";

/** What came of the reads. */
export interface Answers {
  readonly requests: number;
  /** Answered as they should be. */
  readonly good: number;
  /** Errors, broken connections, no answer in time. */
  readonly lost: number;
  readonly refused: number;
  /** Of the good ones, ms. */
  readonly p50: number;
  readonly p95: number;
  /** What went wrong, and how often. */
  readonly whys: string;
  /** Seconds: the longest stretch in which none was. */
  readonly silence: number;
}

const WARM_UP = ms(500);
/** Each reader's pause, half of it to one and a half: as many readers as reads a second, each with a connection of its own. */
const THINK = ms(1_000);
/** Longer than any drill. */
const LONGEST = minutes(30);
const DISCOVERY = ms(10_000);

export class Load {
  readonly endpoints: readonly Endpoint[];
  readonly #runner: Runner;
  readonly #result: Promise<StepResult | undefined>;
  #stopped: Promise<Answers> | undefined;

  private constructor(runner: Runner, endpoints: readonly Endpoint[], rate: number) {
    this.#runner = runner;
    this.endpoints = endpoints;
    const step = { label: "drill", model: "closed", from: rate, to: rate, warmMs: WARM_UP, holdMs: LONGEST } as const;
    this.#result = runner.step(step, 1);
    this.#result.catch(() => {}); // `stop` hears of it
  }

  /**
   * Begins to ask. @param rate requests a second. @param patience of one request.
   * @param signal cuts it. @returns once it has gone on for a second. @throws DroverError DROVER_E_TARGET when nobody answers.
   */
  static async begin(
    url: string,
    rate: number,
    { patience, signal }: { readonly patience: Ms; readonly signal: AbortSignal },
  ): Promise<Load> {
    const target: Target = { ...(await findTarget(parseTarget(url), true)), anyCertificate: true }; // the daemon of this folder
    const look = { timeoutMs: DISCOVERY, signal };
    const { endpoints } = await discover(target, [], look).finally(() => signal.throwIfAborted());
    const reads = endpoints.filter((one) => one.class === "read");
    await prime(target, reads, look);
    signal.throwIfAborted();
    const seen = Promise.withResolvers<void>();
    const traffic = {
      endpoints: reads,
      mix: READS_ONLY,
      actions: [{ name: "request", weight: 1, requests: 1, thinkMs: THINK }],
      people: [],
    };
    const users = { target, traffic, timeoutMs: patience, connections: rate, spread: false, seed: 1, run: "drill" };
    const options = { ...users, thresholds: [], server: undefined, limited: false };
    const runner = new Runner(options, { second: () => seen.resolve() });
    const load = new Load(runner, endpoints, rate);
    const cut = (): void => runner.interrupt();
    signal.addEventListener("abort", cut);
    await Promise.race([seen.promise, load.#result]).finally(() => signal.removeEventListener("abort", cut));
    if (signal.aborted) await load.stop();
    signal.throwIfAborted();
    return load;
  }

  /** Ends it; called again it says the same. */
  stop(): Promise<Answers> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<Answers> {
    this.#runner.interrupt();
    const result = await this.#result;
    await this.#runner.end();
    const counts = result?.measured.counts;
    if (counts === undefined)
      return { requests: 0, good: 0, lost: 0, refused: 0, p50: NaN, p95: NaN, whys: "nothing was asked", silence: 0 };
    return {
      requests: counts.requests,
      good: counts.outcomes.ok,
      lost: counts.failed,
      refused: counts.outcomes.refused,
      p50: counts.latency.quantile(0.5) ?? NaN,
      p95: counts.latency.quantile(0.95) ?? NaN,
      whys: [...counts.reasons].map(([reason, count]) => `${count} × ${reason}`).join(", "),
      silence: longestSilence(this.#runner.seconds),
    };
  }
}

export const millis = (value: number): string => (Number.isNaN(value) ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);
