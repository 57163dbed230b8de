import { ms, type Ms } from "../base/units.ts";
import { HOLD_STANDING, Standby } from "./standby.ts";

/** The listening side of the server, as far as cap and pace need it. */
export interface Turnstile {
  /** Leaves what comes to the neighbours; connections go on. @returns false when it can't be done here: nothing has changed then. */
  hold(): boolean;
  release(): void;
}

/** More than the average by this much is still fair: a tenth, and one connection. */
const fair = (share: number): number => share * 1.1 + 1;

/** After an accept above the fair share: long enough for the neighbours to run, the longer the more it has. */
export const holdAfterAccept = (excess: number): Ms => ms(Math.min(4, Math.ceil(excess / 2)));

/**
 * A turn of the loop accepts one, and of thousands who come at once each would wait for a glance of its own. Where many are fair a glance takes
 * more, an eighth of what is fair: as uneven as they get by it.
 */
const inOneGlance = (share: number): number => Math.max(1, Math.floor(share / 8));

/** The longest that it looks away while nobody waits: what a connection may wait if all the others are stuck. */
const LONGEST = ms(50);

/**
 * Paces the accepts of one worker. The kernel has one queue for all workers and wakes some of them first, again and again; keep-alive
 * connections would pile up there. A worker that holds more than its fair share looks away from the queue and glances at it now and then:
 *
 *   open ─ accepted, above the fair share ─→ held for 1–4 ms
 *   held ─ time is over ─→ glancing: one turn of the loop
 *   glancing ─ somebody waits: accepted ─→ held for 1–4 ms: nobody else had time for it
 *   glancing ─ accepted, and many are fair ─→ another turn, for an eighth more
 *   glancing ─ nobody waits ─→ held, twice as long as before, 50 ms at most
 *   held, glancing ─ no longer above: connections left, or the share has grown ─→ open
 *
 * While connections come and go it is not what a worker holds that counts, but whether it leads or stands by (worker/standby.ts): who leads is
 * open, and who stands by is such a worker as above, takes one in a glance, and is held for 8 ms then.
 *
 * So it is right within a burst, when no news of the others can come in time (all take turns), and nobody waits because the one who
 * should accept is stuck: the glance of another finds him. docs/adr/0011-paced-accepts.md has what was measured.
 */
export class Pace {
  readonly #staying: () => number;
  readonly #turnstile: Turnstile;
  #fair = Infinity;
  readonly #standby: Standby;
  #state: "open" | "held" | "glancing" | "off" = "open";
  #wait = ms(1);
  /** Accepted in this glance. */
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param staying how many connections the worker holds, without those that leave at once.
   * @param idle how much of all CPUs was left over since it was asked before, 0…1.
   */
  constructor(staying: () => number, turnstile: Turnstile, idle?: () => number) {
    this.#staying = staying;
    this.#turnstile = turnstile;
    this.#standby = new Standby(() => this.#review(), idle);
  }

  /**
   * @param connections what workers hold on the average; null: there is no neighbour to leave anything to.
   * @param standby enough others lead while connections come and go.
   */
  share(connections: number | null, standby = false): void {
    this.#fair = connections === null ? Infinity : fair(connections);
    this.#standby.replace(standby);
  }

  /** Many connections come and go here. */
  churns(): void {
    this.#standby.churns();
  }

  /** A connection was accepted. */
  accepted(): void {
    if (!this.#away) return;
    this.#taken += 1;
    if (this.#taken === 1) this.#standby.found();
    if (!this.#away) return;
    if (this.#state !== "glancing" || this.#taken >= this.#most) this.#hold(this.#afterAccept);
  }

  /** A connection has gone. */
  left(): void {
    if (this.#state !== "open" && !this.#away) this.#open();
  }

  /** Nobody accepts in this one's place any more. */
  alone(): void {
    this.#standby.stop();
    this.#review();
  }

  /** Accepting is over. */
  stop(): void {
    this.#state = "off";
    clearTimeout(this.#timer);
    this.#standby.stop();
  }

  get #away(): boolean {
    return this.#standby.standsBy || (!this.#standby.leads && this.#staying() > this.#fair);
  }

  /** In one glance. */
  get #most(): number {
    return this.#standby.standsBy ? 1 : inOneGlance(this.#fair);
  }

  get #afterAccept(): Ms {
    return this.#standby.standsBy ? HOLD_STANDING : holdAfterAccept(this.#staying() - this.#fair);
  }

  #review(): void {
    if (!this.#away) this.#open();
    else if (this.#state === "open") this.#hold(ms(1));
  }

  #open(): void {
    if (this.#state === "open" || this.#state === "off") return;
    if (this.#state === "held") this.#turnstile.release();
    this.#state = "open";
    clearTimeout(this.#timer);
  }

  #hold(wait: Ms): void {
    if (this.#state === "off") return;
    if (!this.#turnstile.hold()) return this.stop();
    this.#state = "held";
    this.#wait = wait;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#glance(), wait).unref();
  }

  #glance(): void {
    this.#state = "glancing";
    this.#taken = 0;
    this.#turnstile.release();
    this.#anotherTurn();
  }

  #anotherTurn(): void {
    const before = this.#taken;
    setImmediate(() => {
      if (this.#state !== "glancing") return;
      if (this.#taken > before) return this.#anotherTurn();
      if (this.#taken === 0) this.#standby.foundNobody();
      this.#hold(this.#taken > 0 ? this.#afterAccept : ms(Math.min(LONGEST, this.#wait * 2)));
    });
  }
}
