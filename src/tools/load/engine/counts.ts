/** The requests of a step, of one of its seconds, or of one of its endpoints. */
import { Histogram } from "../../../base/histogram.ts";

/** Sub-bucket bits. 1/128: a p95 of 500 ms is at most 4 ms off. */
const PRECISION = 7;
export const histogram = (): Histogram => new Histogram(PRECISION);

/**
 * ok: 2xx or 304. refused: a deliberate refusal (503 or 429 with X-Drover-Refused).
 * unexpected503: any other 503. error: any other status, or a broken connection.
 * timeout: no answer within --patience.
 */
export type Outcome = "ok" | "refused" | "unexpected503" | "error" | "timeout";

export interface Answer {
  readonly outcome: Outcome;
  /** The reason of a refusal, "HTTP 500", "ECONNRESET". Empty when ok. */
  readonly reason: string;
  /** It was sent twice: the kept connection was closed as the request was sent. */
  readonly retried?: true;
}

const MOST_REASONS = 40;

export class Counts {
  readonly outcomes: Record<Outcome, number> = {
    ok: 0,
    refused: 0,
    unexpected503: 0,
    error: 0,
    timeout: 0,
  };
  /** Of good answers, from when the request was due until the answer was read whole. */
  readonly latency = histogram();
  /** By reason; refusals as `refused: REASON`. */
  readonly reasons = new Map<string, number>();
  /** Good answers within the step's time. */
  inTime = 0;
  retried = 0;
  /** ms, of good answers. */
  sumMs = 0;
  minMs = Infinity;
  maxMs = 0;

  record({ outcome, reason, retried }: Answer, latencyMs: number): void {
    this.outcomes[outcome] += 1;
    if (retried === true) this.retried += 1;
    if (outcome !== "ok")
      return this.#because(outcome === "refused" ? `refused: ${reason}` : reason);
    this.latency.record(latencyMs);
    this.sumMs += latencyMs;
    this.minMs = Math.min(this.minMs, latencyMs);
    this.maxMs = Math.max(this.maxMs, latencyMs);
  }

  get requests(): number {
    return this.outcomes.ok + this.outcomes.refused + this.failed;
  }

  /** Errors and timeouts. */
  get failed(): number {
    return this.outcomes.error + this.outcomes.unexpected503 + this.outcomes.timeout;
  }

  /** Bounded: a server may invent a new reason for each answer. */
  #because(reason: string): void {
    const name = this.reasons.has(reason) || this.reasons.size < MOST_REASONS ? reason : "others";
    this.reasons.set(name, (this.reasons.get(name) ?? 0) + 1);
  }
}
