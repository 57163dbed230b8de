import { ms, type Ms } from "../base/units.ts";
import type { Connections, Seat } from "./connections.ts";
import type { Turnstile } from "./pace.ts";

/** A connection without a byte for so long may be closed to make room; so may one whose request has not come for so long. */
const IDLE = ms(1_000);
/**
 * The same each time that all connections are in use by that measure and more clients wait: a flood of idle ones must not keep
 * out those who have something to ask. The longest idle still go first. Less than a quarter of a second would cut off clients of a busy
 * server who are about to send their next request.
 */
const PATIENCE = [IDLE, ms(500), ms(250)] as const;
const LOOK_EVERY = ms(250);
/** While nothing is accepted. */
const LOOK_OFTEN = ms(40);
/** Below this share of the cap nobody looks at connections. */
const NEAR = 0.9;

/**
 * Connection cap as back-pressure: at the cap a worker closes the connection that has been idle longest, and only when all
 * are in use it stops accepting; clients then wait in the kernel's backlog, where other workers find them.
 *
 *   accepting ─ at the cap, one idle ≥ patience ─→ accepting, the oldest idle one closed
 *   accepting ─ at the cap, all in use ──────────→ paused, less patient
 *   paused ─ cap − 2 % left, or made by closing idle ones ─→ accepting
 *   accepting ─ well below the cap ──────────────→ as patient as at first
 */
export class Cap {
  readonly #connections: Connections;
  readonly #turnstile: Turnstile;
  #limit: number;
  #paused = false;
  #stopped = false;
  #closing = 0;
  /** How many pauses in a row have shortened the patience. */
  #pressure = 0;
  /** Idle connections of the last look, the longest idle last. */
  #candidates: Seat[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(limit: number, connections: Connections, turnstile: Turnstile) {
    this.#limit = limit;
    this.#connections = connections;
    this.#turnstile = turnstile;
  }

  /** True while the cap keeps the worker from accepting. */
  get full(): boolean {
    return this.#paused;
  }

  /** How many connections may be left for accepting to start again. */
  get #room(): number {
    return Math.min(this.#limit - 1, Math.floor(this.#limit * 0.98));
  }

  retune(limit: number): void {
    this.#limit = limit;
    if (this.#paused) this.#resume();
  }

  /** A connection was accepted. */
  accepted(): void {
    if (this.#stopped || this.#paused) return;
    const { size } = this.#connections;
    if (size >= this.#limit * NEAR && this.#timer === undefined) this.#watch(LOOK_EVERY);
    if (size - this.#closing < this.#limit) return;
    const victim = this.#candidates.pop();
    if (victim === undefined) return this.#pause();
    this.#close([victim]);
  }

  /** A connection has gone. */
  left(): void {
    if (this.#paused) this.#resume();
  }

  /** The drain has begun: nothing is ever accepted again. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  #pause(): void {
    this.#paused = this.#turnstile.hold();
    this.#pressure = Math.min(this.#pressure + 1, PATIENCE.length - 1);
    this.#watch(LOOK_OFTEN);
  }

  #resume(): void {
    if (this.#stopped || this.#connections.size > this.#room) return;
    this.#turnstile.release();
    this.#paused = false;
    this.#watch(LOOK_EVERY);
  }

  #watch(every: Ms): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), every).unref();
  }

  #look(): void {
    if (!this.#paused && this.#connections.size < this.#limit * NEAR) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#candidates = [];
      this.#pressure = 0;
      return;
    }
    this.#connections.sample();
    this.#candidates = this.#connections.idle(PATIENCE[this.#pressure] ?? IDLE, IDLE).toReversed();
    if (!this.#paused) return;
    const surplus = this.#connections.size - this.#room;
    if (surplus > 0) this.#close(this.#candidates.splice(Math.max(0, this.#candidates.length - surplus)));
    else this.#resume();
  }

  #close(seats: readonly Seat[]): void {
    this.#closing += seats.length;
    this.#connections.closeIdle(seats, (closed) => {
      this.#closing -= seats.length;
      const short = seats.length - closed;
      if (short > 0 && !this.#paused && this.#connections.size >= this.#limit) this.#pause();
    });
  }
}
