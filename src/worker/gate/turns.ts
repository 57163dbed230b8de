import type { Clock } from "../../base/clock.ts";
import { classOf } from "../../base/requestclass.ts";
import { after, between, ms, type Instant, type Ms } from "../../base/units.ts";
import type { Exchange } from "../exchange.ts";
import type { Refusal, Stage } from "./stage.ts";

/** What one turn of the event loop spends on requests that need work; the rest waits for the next turns. */
const BUDGET = ms(10);
/** Most requests that are begun in one turn, however little each of them takes. */
const MOST = 32;

interface Waiting {
  readonly exchange: Exchange;
  readonly since: Instant;
  settle(refusal: Refusal | undefined): void;
}

/**
 * Portions the work: when many requests arrive at once, a turn of the event loop begins as many as fit its budget and the next turns go on,
 * oldest first. In between the loop looks at its sockets: what costs next to nothing (a prepared answer, a refusal, a health check, a
 * beat) is not behind all that work. Nobody waits longer than `patience`.
 *
 *   at rest ─ work is asked for ─→ in a turn ─ the check phase ─→ at rest, or, while any wait, in the next turn
 */
export class Turns {
  readonly #clock: Clock;
  readonly #patience: Ms;
  readonly #refusal: Refusal;
  /** Oldest first. */
  #waiting: Waiting[] = [];
  /** Of this turn's first work. Defined, or anybody waiting: a check phase is due. */
  #began: Instant | undefined;

  constructor(clock: Clock, patience: Ms, refusal: Refusal) {
    this.#clock = clock;
    this.#patience = patience;
    this.#refusal = refusal;
  }

  /** How long the oldest has waited. */
  get wait(): Ms {
    const [oldest] = this.#waiting;
    return oldest === undefined ? ms(0) : between(oldest.since, this.#clock.now());
  }

  /** @returns undefined: its work may begin at once. */
  enter(exchange: Exchange): undefined | Promise<Refusal | undefined> {
    const now = this.#clock.now();
    if (this.#waiting.length === 0 && this.#hasTime(now)) return undefined;
    return new Promise((settle) => this.#waiting.push({ exchange, since: now, settle }));
  }

  #hasTime(now: Instant): boolean {
    if (this.#began === undefined) {
      this.#began = now;
      setImmediate(() => this.#over());
    }
    return between(this.#began, now) < BUDGET;
  }

  /** Immediates set in a check phase are due in the next one, after the sockets: each begins one request, whose promises go on before the next. */
  #over(): void {
    this.#began = undefined;
    if (this.#waiting.length === 0) return;
    for (let nr = Math.min(this.#waiting.length, MOST); nr > 0; nr -= 1) setImmediate(() => this.#next());
    setImmediate(() => this.#over());
  }

  #next(): void {
    const now = this.#clock.now();
    this.#began ??= now;
    if (between(this.#began, now) >= BUDGET) return;
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const late = after(next.since, this.#patience) <= now;
      next.settle(late ? this.#refusal : undefined);
      if (!next.exchange.res.destroyed) return; // else nobody waits for it any more: it is no work
    }
  }
}

/** The gate's last stage: work begins when its turn has come. Health checks, the operator and logins do not wait. */
export function turnStage(turns: Turns, clock: Clock, waited: (wait: Ms) => void): Stage {
  const counted = (exchange: Exchange): undefined => waited(between(exchange.readyAt, clock.now())) as undefined;
  return {
    name: "turn",
    covers: "application",
    admit(exchange) {
      const kind = classOf(exchange.req.method, exchange.req.url);
      if (kind === "health" || kind === "admin" || kind === "login") return undefined;
      const turn = turns.enter(exchange);
      return turn === undefined ? counted(exchange) : turn.then((refusal) => refusal ?? counted(exchange));
    },
  };
}
