import type { Clock } from "../../base/clock.ts";
import { between, type Instant } from "../../base/units.ts";
import { classOf } from "../../base/requestclass.ts";
import type { Exchange, Permit } from "../exchange.ts";
import { deadline, overloaded, type Patience } from "./codel.ts";
import { Permits } from "./permits.ts";
import type { Refusal, Stage, Verdict } from "./stage.ts";

export interface QueueRule extends Patience {
  /** Requests that the application works on at a time, in this worker. */
  readonly inFlight: number;
  /** Requests that may wait beside them. */
  readonly waiting: number;
}

interface Waiting {
  readonly until: Instant;
  /** Ends the wait: with a permit, or without one, which is a refusal. */
  settle(permit: Permit | undefined): void;
}

/**
 * Bounds the requests in flight, and lets a bounded number wait for a place, never longer than CoDel allows. Oldest first in
 * quiet times, newest first under standing overload.
 */
export class AdmissionQueue {
  readonly #rule: QueueRule;
  readonly #clock: Clock;
  readonly #permits: Permits;
  /** Oldest first. */
  #waiting: Waiting[] = [];
  #lastEmpty: Instant;
  #timer: NodeJS.Timeout | undefined;

  constructor(rule: QueueRule, clock: Clock) {
    this.#rule = rule;
    this.#clock = clock;
    this.#permits = new Permits(rule.inFlight, () => this.#serve());
    this.#lastEmpty = clock.now();
  }

  get inFlight(): number {
    return this.#permits.taken;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Takes a place, at once when there is one and nobody waits.
   * @param signal the client going away ends the wait.
   * @returns a permit, or undefined: refused, or the client went away.
   */
  enter(signal: () => AbortSignal): Permit | undefined | Promise<Permit | undefined> {
    const now = this.#clock.now();
    if (this.#waiting.length === 0) {
      this.#lastEmpty = now;
      const permit = this.#permits.take();
      if (permit !== undefined) return permit;
    }
    this.expire();
    if (this.#waiting.length >= this.#rule.waiting) {
      if (!overloaded(this.#lastEmpty, now, this.#rule)) return undefined;
      this.#waiting.shift()?.settle(undefined); // the oldest would be served last of all
    }
    return this.#wait(now, signal());
  }

  /** Refuses those whose time is up. The timer calls it; a test with its own clock may. */
  expire(): void {
    const now = this.#clock.now();
    const late = this.#waiting.filter((waiting) => waiting.until <= now);
    if (late.length > 0) this.#waiting = this.#waiting.filter((waiting) => waiting.until > now);
    for (const waiting of late) waiting.settle(undefined);
    this.#arm(now);
  }

  #wait(now: Instant, signal: AbortSignal): Promise<Permit | undefined> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        until: deadline(this.#lastEmpty, now, this.#rule),
        settle: (permit) => {
          signal.removeEventListener("abort", gone);
          resolve(permit);
        },
      };
      const gone = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        waiting.settle(undefined);
      };
      signal.addEventListener("abort", gone, { once: true });
      if (signal.aborted) return gone();
      this.#waiting.push(waiting);
      this.#arm(now);
    });
  }

  /** A place was given back. */
  #serve(): void {
    this.expire();
    const newestFirst = overloaded(this.#lastEmpty, this.#clock.now(), this.#rule);
    while (this.#waiting.length > 0 && this.#permits.free) {
      const next = newestFirst ? this.#waiting.pop() : this.#waiting.shift();
      next?.settle(this.#permits.take());
    }
    if (this.#waiting.length === 0) this.#lastEmpty = this.#clock.now();
  }

  #arm(now: Instant): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length === 0) return;
    const next = this.#waiting.reduce((least, { until }) => Math.min(least, until), Infinity) as Instant;
    this.#timer = setTimeout(() => this.expire(), Math.max(1, between(now, next))).unref();
  }
}

/** Places beside the queue's, for health checks and the operator: whatever else happens, these are answered. */
const RESERVE = 32;
const vital = ({ req }: Exchange): boolean => {
  const kind = classOf(req.method, req.url);
  return kind === "health" || kind === "admin";
};

/**
 * The service is done with a request when it has made the answer. A client that reads slowly, or has another answer of its connection
 * to read first, occupies no place.
 */
function releaseAtEnd(exchange: Exchange): void {
  const { res } = exchange;
  const end = res.end as (...args: unknown[]) => typeof res;
  res.end = (...args: unknown[]): typeof res => {
    exchange.end();
    return Reflect.apply(end, res, args);
  };
}

/** The stage of the queue: a place among the requests in flight, or 503. Health checks and the operator have places of their own. */
export function queueStage(queue: AdmissionQueue, patience: Patience): Stage {
  const reserve = new Permits(RESERVE, () => {});
  const refusal: Refusal = {
    status: 503,
    reason: "queue",
    detail: "this worker has more requests than it can answer in time",
    retryAfter: patience.interval,
  };
  const place = (exchange: Exchange, permit: Permit | undefined): Refusal | undefined => {
    if (permit === undefined) return refusal;
    exchange.permit = permit;
    releaseAtEnd(exchange);
    if (exchange.res.destroyed) exchange.release(); // its client left while it waited
    return undefined;
  };
  return {
    name: "queue",
    covers: "application",
    admit(exchange): Verdict {
      const reserved = vital(exchange) ? reserve.take() : undefined;
      if (reserved !== undefined) return place(exchange, reserved);
      const entered = queue.enter(() => exchange.req.signal);
      return entered instanceof Promise ? entered.then((permit) => place(exchange, permit)) : place(exchange, entered);
    },
  };
}
