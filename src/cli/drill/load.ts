/** Reads at a small, steady rate while a drill goes on: drover's own load generator, in a thread beside the drill. */
import { minutes, ms, type Ms } from "../../base/units.ts";
import { Conductor, type Moment } from "../../load/conductor.ts";
import { discover, prime } from "../../load/discover.ts";
import { failed } from "../../load/judge.ts";
import type { StepResult } from "../../load/result.ts";
import { findTarget, parseTarget } from "../../load/target.ts";
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
  /** Each second of it. */
  readonly moments: readonly Moment[];
}

const WARM_UP = ms(500);
/** Each reader's pause: as many readers as reads a second, each with a connection of its own. */
const THINK = ms(1_000);
/** Longer than any drill. */
const LONGEST = minutes(30);
const DISCOVERY = ms(10_000);

export class Load {
  readonly endpoints: readonly Endpoint[];
  readonly #conductor: Conductor;
  readonly #result: Promise<StepResult | undefined>;
  readonly #seen: PromiseWithResolvers<void>;
  #stopped: Promise<Answers> | undefined;

  private constructor(conductor: Conductor, endpoints: readonly Endpoint[], rate: number, seen: PromiseWithResolvers<void>) {
    this.#conductor = conductor;
    this.endpoints = endpoints;
    this.#seen = seen;
    const step = { label: "drill", model: "closed", from: rate, to: rate, warmMs: WARM_UP, holdMs: LONGEST } as const;
    this.#result = conductor.step(step, 1);
    this.#result.catch(() => {}); // `stop` hears of it
  }

  /**
   * Begins to ask. @param rate requests a second. @param patience of one request.
   * @returns once answers have come for a second. @throws DroverError DROVER_E_TARGET when nobody answers.
   */
  static async begin(url: string, rate: number, patience: Ms): Promise<Load> {
    const target = await findTarget(parseTarget(url), true); // it is the daemon of this folder
    const { endpoints } = await discover(target, [], DISCOVERY);
    const reads = endpoints.filter((one) => one.class === "read");
    await prime(target, reads, DISCOVERY);
    const seen = Promise.withResolvers<void>();
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
        seed: 1,
        run: "drill",
      },
      { begin() {}, moment: () => seen.resolve(), end() {} },
    );
    const load = new Load(conductor, endpoints, rate, seen);
    await Promise.race([load.#seen.promise, load.#result]);
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
      return { requests: 0, good: 0, lost: 0, refused: 0, p50: NaN, p95: NaN, whys: "nothing was asked", moments: [] };
    return {
      requests: tally.requests,
      good: tally.fates.ok,
      lost: failed(tally),
      refused: tally.fates.refused,
      p50: tally.latency.quantile(0.5) ?? NaN,
      p95: tally.latency.quantile(0.95) ?? NaN,
      whys: [...tally.whys].map(([why, count]) => `${count} × ${why}`).join(", "),
      moments: this.#conductor.moments,
    };
  }
}

export const millis = (value: number): string => (Number.isNaN(value) ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);
