/** Reads at a small, steady rate while a drill goes on: drover's own load generator, in a thread beside the drill. */
import { minutes, ms, type Ms } from "../../base/units.ts";
import { Conductor } from "../../load/conductor.ts";
import { discover, prime } from "../../load/discover.ts";
import { failed } from "../../load/judge.ts";
import type { Moment } from "../../load/moment.ts";
import { longestSilence } from "../../load/moments.ts";
import type { StepResult } from "../../load/result.ts";
import { findTarget, parseTarget, type Target } from "../../load/target.ts";
import { READS_ONLY, type Endpoint } from "../../load/traffic.ts";

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
  readonly #conductor: Conductor;
  readonly #result: Promise<StepResult | undefined>;
  /** Each second so far. */
  readonly #moments: readonly Moment[];
  #stopped: Promise<Answers> | undefined;

  private constructor(conductor: Conductor, endpoints: readonly Endpoint[], rate: number, moments: readonly Moment[]) {
    this.#conductor = conductor;
    this.endpoints = endpoints;
    this.#moments = moments;
    const step = { label: "drill", model: "closed", from: rate, to: rate, warmMs: WARM_UP, holdMs: LONGEST } as const;
    this.#result = conductor.step(step, 1);
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
    const moments: Moment[] = [];
    const traffic = {
      endpoints: reads,
      mix: READS_ONLY,
      actions: [{ name: "request", weight: 1, requests: 1, thinkMs: THINK }],
      people: [],
    };
    const conductor = new Conductor(
      {
        target,
        traffic,
        thresholds: [],
        server: undefined,
        timeoutMs: patience,
        threads: 1,
        connections: rate,
        limited: false,
        seed: 1,
        run: "drill",
      },
      { begin() {}, moment: (moment) => (moments.push(moment), seen.resolve()), end() {} },
    );
    const load = new Load(conductor, endpoints, rate, moments);
    const cut = (): void => conductor.interrupt();
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
    this.#conductor.interrupt();
    const result = await this.#result;
    await this.#conductor.end();
    const tally = result?.measured.tally;
    if (tally === undefined)
      return { requests: 0, good: 0, lost: 0, refused: 0, p50: NaN, p95: NaN, whys: "nothing was asked", silence: 0 };
    return {
      requests: tally.requests,
      good: tally.fates.ok,
      lost: failed(tally),
      refused: tally.fates.refused,
      p50: tally.latency.quantile(0.5) ?? NaN,
      p95: tally.latency.quantile(0.95) ?? NaN,
      whys: [...tally.whys].map(([why, count]) => `${count} × ${why}`).join(", "),
      silence: longestSilence(this.#moments),
    };
  }
}

export const millis = (value: number): string => (Number.isNaN(value) ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);
