/**
 * Counts the requests of a step by one rule: a request counts if it ends after the warm-up, and if
 * it was sent before the step's time was over. Phases:
 *
 * - idle: nothing counts
 * - warmup: logins count for their endpoint, nothing else does
 * - measuring: each request that ends counts, whenever it was sent
 * - draining: the step's time is over; what was unanswered then counts when it ends
 *
 * Late and missing answers thus count in the step in which they were awaited, and a request that
 * hangs since the warm-up is a timeout. Times are monotonic milliseconds.
 */
import type { Histogram } from "../../../base/histogram.ts";
import { Counts, histogram, type Answer } from "./counts.ts";

export const LOGIN = "login";

export interface Sent {
  readonly endpoint: string;
  readonly dueAt: number;
  /** How much later than due the generator sent it. */
  readonly lateMs: number;
}

export class Recorder {
  #phase: "idle" | "warmup" | "measuring" | "draining" = "idle";
  readonly #inFlight = new Set<Sent>();
  /** While draining: what was unanswered when the time was over. */
  #awaited = new Set<Sent>();
  #drained = Promise.withResolvers<void>();
  #full = Promise.withResolvers<void>();
  #begun = 0;
  #numbers = 0;
  #most = Infinity;
  #counts = new Counts();
  #second = new Counts();
  #endpoints = new Map<string, Counts>();
  #late = histogram();

  get counts(): Counts {
    return this.#counts;
  }
  get endpoints(): ReadonlyMap<string, Counts> {
    return this.#endpoints;
  }
  /** How late requests were sent. */
  get late(): Histogram {
    return this.#late;
  }
  /** Requests that count and have no answer. */
  get unanswered(): number {
    return this.#awaited.size;
  }
  /** Resolves when the step's last request has begun, if their number is limited. */
  get full(): Promise<void> {
    return this.#full.promise;
  }

  /** A step begins with its warm-up. @param most requests. */
  start(most = Infinity): void {
    this.#phase = "warmup";
    this.#most = most;
    this.#begun = 0;
    this.#awaited = new Set();
    this.#full = Promise.withResolvers();
    this.#counts = new Counts();
    this.#second = new Counts();
    this.#endpoints = new Map();
    this.#late = histogram();
  }

  /** The warm-up is over. */
  open(): void {
    this.#phase = "measuring";
  }

  /** The step's time is over. Resolves when its last request has ended. */
  close(): Promise<void> {
    this.#phase = "draining";
    this.#awaited = new Set(this.#inFlight);
    this.#drained = Promise.withResolvers();
    if (this.#awaited.size === 0) this.#drained.resolve();
    return this.#drained.promise;
  }

  /** Nothing counts until the next step. */
  stop(): void {
    this.#phase = "idle";
  }

  /** What has been counted since the last call. */
  takeSecond(): Counts {
    const second = this.#second;
    this.#second = new Counts();
    return second;
  }

  /** Ask this in the same turn in which the request begins. */
  mayBegin(): boolean {
    return this.#begun < this.#most;
  }

  /** A number that no other request of the run has. */
  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  begin(sent: Sent): void {
    this.#inFlight.add(sent);
    if (this.#phase !== "measuring") return;
    this.#late.record(sent.lateMs);
    this.#begun += 1;
    if (this.#begun === this.#most) this.#full.resolve();
  }

  end(sent: Sent, answer: Answer, at: number): void {
    this.#inFlight.delete(sent);
    const latency = at - sent.dueAt;
    const isAwaited = this.#awaited.delete(sent);
    if (this.#phase === "measuring" || (this.#phase === "draining" && isAwaited)) {
      this.#endpoint(sent.endpoint).record(answer, latency);
      for (const counts of [this.#counts, this.#second]) {
        counts.record(answer, latency);
        // Where requests are limited, time is not.
        const isInTime = this.#phase === "measuring" || this.#most !== Infinity;
        if (answer.outcome === "ok" && isInTime) counts.inTime += 1;
      }
    } else if (this.#phase === "warmup" && sent.endpoint === LOGIN)
      this.#endpoint(LOGIN).record(answer, latency);
    if (isAwaited && this.#awaited.size === 0) this.#drained.resolve();
  }

  #endpoint(name: string): Counts {
    const known = this.#endpoints.get(name) ?? new Counts();
    this.#endpoints.set(name, known);
    return known;
  }
}
