/** What came of the requests of a step, or of a second of it. Threads count apart; deltas travel and are added, percentiles never are. */
import { Histogram, type HistogramDelta } from "../base/histogram.ts";

/** 1/128: a p95 of 500 ms is at most 4 ms off. */
export const PRECISION = 7;

/**
 * ok: an answer as it should be. refused: a deliberate refusal (503 or 429 with X-Drover-Refused). unexpected503: any other 503.
 * error: another answer from 400 on, a redirect, a broken connection. timeout: none within the patience.
 */
export type Fate = "ok" | "refused" | "unexpected503" | "error" | "timeout";
export const FATES = ["ok", "refused", "unexpected503", "error", "timeout"] as const satisfies readonly Fate[];

export interface Outcome {
  readonly fate: Fate;
  /** Why: the reason of a refusal, "HTTP 500", "ECONNRESET". Empty when ok. */
  readonly why: string;
  readonly bytes: number;
  /** It was asked twice: the connection that had been kept was closed as the request was sent. */
  readonly retried?: true;
}

/** How long good answers took. */
export interface Times {
  readonly latency: Histogram;
  sumMs: number;
  maxMs: number;
  minMs: number;
}

/** Of one endpoint. */
export interface EndpointTally extends Times {
  /** Errors and timeouts. */
  failed: number;
  refused: number;
}

type EndpointDelta = Omit<EndpointTally, "latency"> & { readonly latency: HistogramDelta };

type Counted = readonly (readonly [string, number])[];

/** Survives structured cloning. */
export interface TallyDelta {
  readonly fates: Readonly<Record<Fate, number>>;
  readonly bytes: number;
  readonly inTime: number;
  readonly retried: number;
  readonly sumMs: number;
  readonly maxMs: number;
  readonly minMs: number;
  readonly latency: HistogramDelta;
  readonly endpoints: readonly (readonly [string, EndpointDelta])[];
  readonly whys: Counted;
  readonly slip: HistogramDelta;
}

const MOST_WHYS = 40;
const NO_TIMES = { sumMs: 0, maxMs: 0, minMs: Infinity };
const none = (): Record<Fate, number> => ({ ok: 0, refused: 0, unexpected503: 0, error: 0, timeout: 0 });

export class Tally implements Times {
  readonly fates = none();
  readonly latency = new Histogram(PRECISION);
  /** How much later than intended requests were sent: the generator's own fault. */
  readonly slip = new Histogram(PRECISION);
  readonly endpoints = new Map<string, EndpointTally>();
  readonly whys = new Map<string, number>();
  bytes = 0;
  /** Good answers that came while the step's time ran, to whichever requests: what was done in that time. */
  inTime = 0;
  /** Requests that were asked twice. */
  retried = 0;
  sumMs = 0;
  maxMs = 0;
  minMs = Infinity;

  /** @param latencyMs from the intended moment. Only that of good answers is recorded. */
  record(endpoint: string, outcome: Outcome, latencyMs: number): void {
    this.fates[outcome.fate] += 1;
    this.bytes += outcome.bytes;
    if (outcome.retried === true) this.retried += 1;
    this.recordAside(endpoint, outcome, latencyMs);
    if (outcome.fate === "ok") note(this, latencyMs);
    else this.#because(`${outcome.fate === "refused" ? "refused: " : ""}${outcome.why}`, 1);
  }

  /** For the endpoint alone: it is none of the requests that are counted. */
  recordAside(endpoint: string, { fate }: Outcome, latencyMs: number): void {
    const own = this.#endpoint(endpoint);
    if (fate === "ok") note(own, latencyMs);
    else own[fate === "refused" ? "refused" : "failed"] += 1;
  }

  get requests(): number {
    return FATES.reduce((sum, fate) => sum + this.fates[fate], 0);
  }

  /** Everything since the last time; counts go back to nothing, histograms remember what they told. */
  takeDelta(): TallyDelta {
    const delta: TallyDelta = {
      fates: { ...this.fates },
      bytes: this.bytes,
      inTime: this.inTime,
      retried: this.retried,
      sumMs: this.sumMs,
      maxMs: this.maxMs,
      minMs: this.minMs,
      latency: this.latency.takeDelta(),
      endpoints: Array.from(this.endpoints, ([name, own]) => [name, { ...own, latency: own.latency.takeDelta() }]),
      whys: [...this.whys],
      slip: this.slip.takeDelta(),
    };
    Object.assign(this.fates, none());
    this.whys.clear();
    for (const own of this.endpoints.values()) Object.assign(own, { ...NO_TIMES, failed: 0, refused: 0 });
    Object.assign(this, { ...NO_TIMES, bytes: 0, retried: 0, inTime: 0 });
    return delta;
  }

  add(delta: TallyDelta): void {
    for (const fate of FATES) this.fates[fate] += delta.fates[fate];
    this.bytes += delta.bytes;
    this.inTime += delta.inTime;
    this.retried += delta.retried;
    merge(this, delta);
    this.slip.merge(delta.slip);
    for (const [name, its] of delta.endpoints) {
      const own = this.#endpoint(name);
      merge(own, its);
      own.failed += its.failed;
      own.refused += its.refused;
    }
    for (const [why, count] of delta.whys) this.#because(why, count);
  }

  #endpoint(name: string): EndpointTally {
    const known = this.endpoints.get(name) ?? { latency: new Histogram(PRECISION), ...NO_TIMES, failed: 0, refused: 0 };
    this.endpoints.set(name, known);
    return known;
  }

  /** A server that invents a new reason for each answer fills no memory. */
  #because(why: string, count: number): void {
    const name = this.whys.has(why) || this.whys.size < MOST_WHYS ? why : "others";
    this.whys.set(name, (this.whys.get(name) ?? 0) + count);
  }
}

function note(times: Times, millis: number): void {
  times.latency.record(millis);
  times.sumMs += millis;
  times.maxMs = Math.max(times.maxMs, millis);
  times.minMs = Math.min(times.minMs, millis);
}

function merge(times: Times, delta: Omit<Times, "latency"> & { readonly latency: HistogramDelta }): void {
  times.latency.merge(delta.latency);
  times.sumMs += delta.sumMs;
  times.maxMs = Math.max(times.maxMs, delta.maxMs);
  times.minMs = Math.min(times.minMs, delta.minMs);
}
