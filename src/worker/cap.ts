import { ms, seconds, type Ms } from "../base/units.ts";
import type { Connections, Seat } from "./connections.ts";
import type { Turnstile } from "./pace.ts";
import { Patience } from "./patience.ts";

const LOOK_EVERY = ms(1_000);
/** While clients queue, and there are idle ones to be closed for them. */
const LOOK_TRADING = ms(250);
/** While all connections are in use. */
const LOOK_OFTEN = ms(40);
/** The same while clients queue, each of whom waits for what a place costs: the sooner it is seen to be idle, the less. */
const LOOK_PRESSED = ms(25);
/** Below this share of the cap nobody looks at connections. */
const NEAR = 0.9;
/**
 * So long the first client above the cap is a guest: a client that closes one connection and opens another is often heard in that order
 * by nobody, and the news that a neighbour has room takes 30 ms, or as long as a busy machine likes. He himself waits for nothing.
 */
const GUEST = ms(250);
/** How soon the master hears that the worker has become full, or is no longer: the state at that time, not each turn of it. */
const SOON = ms(20);
/** The master repeats every second that a neighbour has room: what is older than this is believed no more. */
const BELIEVED = seconds(2.5);

/**
 * Connection cap as back-pressure. Nobody is closed as long as the fleet has room: a full worker looks away from the queue, and its neighbours
 * take who comes. When they are all full, it goes on listening if one of its connections is idle, and closes that one only when somebody
 * has come: he is the one above the cap. When all are in use, clients wait in the kernel's backlog.
 *
 *   open ─ as many as the cap ─→ full
 *   full ─ one has left ─→ open
 *   full: looks away while a neighbour has room, or all connections are in use; else it listens
 *   full, listening ─ somebody comes ─→ over
 *   over: looks away
 *   over ─ one has left ─→ full
 *   over ─ for 250 ms no neighbour has room ─→ full, the longest idle one closed
 *   all in use for 250 ms ─ one is idle, and somebody comes in the same turn of the loop ─→ full, that one closed: he has queued
 *   full, listening ─ the next ones come ─→ the longest idle one closed at once for each: they queue
 *   full, over ─ all in use, for 1 s or just traded away ─→ the same, less patient
 *   full, listening ─ nobody came since the last look, or a neighbour has room ─→ the same, as patient as at first
 *
 * More than one above the cap there are only after the cap was lowered.
 */
export class Cap {
  readonly #connections: Connections;
  readonly #turnstile: Turnstile;
  readonly #tell: (full: boolean) => void;
  #told = false;
  #telling: NodeJS.Timeout | undefined;
  #limit: number;
  #listening = true;
  #stopped = false;
  /** Until when a neighbour has room, by the master's word. */
  #roomBeside: NodeJS.Timeout | undefined;
  /** The first one above the cap is here, or others followed him. */
  #trade: "none" | "guest" | "on" = "none";
  #guest: NodeJS.Timeout | undefined;
  /** Chosen to be closed. */
  readonly #leaving = new Set<Seat>();
  /** Idle connections of the last look, the longest idle last. */
  #candidates: Seat[] = [];
  readonly #patience = new Patience();
  /** None has been idle for long: who comes within this turn of the loop has queued, and is no guest. */
  #glances = false;
  /** Somebody came at the cap since the last look. */
  #came = false;
  #every: Ms | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param tell hears within 20 ms that the worker has become full, and that it is no longer. */
  constructor(limit: number, connections: Connections, turnstile: Turnstile, tell: (full: boolean) => void) {
    this.#limit = limit;
    this.#connections = connections;
    this.#turnstile = turnstile;
    this.#tell = tell;
  }

  /** Everybody else who comes is one too many. */
  get full(): boolean {
    return this.#staying >= this.#limit;
  }

  get #staying(): number {
    return this.#connections.size - this.#leaving.size;
  }

  retune(limit: number): void {
    this.#limit = limit;
    this.#update();
  }

  /** Whether a neighbour has room, by the master's word: said again and again as long as it is true. */
  share(roomBeside: boolean): void {
    clearTimeout(this.#roomBeside);
    const expired = (): void => this.share(false);
    this.#roomBeside = roomBeside && !this.#stopped ? setTimeout(expired, BELIEVED).unref() : undefined;
    if (roomBeside) this.#nobodyQueues();
    this.#update();
  }

  /** A connection was accepted. */
  accepted(): void {
    if (this.full) this.#came = true;
    if (this.#connections.size >= this.#limit * NEAR) this.#update();
  }

  /** A connection has gone. */
  left(seat: Seat): void {
    this.#leaving.delete(seat);
    if (this.#timer !== undefined) this.#update();
  }

  /** The drain has begun: nothing is ever accepted again. */
  stop(): void {
    this.#stopped = true;
    for (const timer of [this.#timer, this.#guest, this.#roomBeside, this.#telling]) clearTimeout(timer);
  }

  #update(): void {
    if (this.#stopped) return;
    if (this.full !== this.#told) this.#telling ??= setTimeout(() => this.#news(), SOON).unref();
    if (this.#staying > this.#limit) this.#tooMany();
    const room = this.#staying < this.#limit;
    const victim = this.#longestIdle() !== undefined;
    const trades = this.#staying === this.#limit && this.#roomBeside === undefined && victim;
    this.#listen(room || trades);
    if (this.#connections.size < this.#limit * NEAR) return;
    if (room || victim || this.#roomBeside !== undefined) this.#watch(this.#trade === "none" ? LOOK_EVERY : LOOK_TRADING);
    else this.#watch(this.#trade === "on" ? LOOK_PRESSED : LOOK_OFTEN);
  }

  #news(): void {
    this.#telling = undefined;
    if (this.full === this.#told) return;
    this.#told = this.full;
    this.#tell(this.#told);
  }

  #tooMany(): void {
    if (this.#roomBeside !== undefined) return; // one too many is better than one less
    if (this.#trade === "none" && this.#glances) this.#trade = "on";
    if (this.#trade === "none") {
      this.#trade = "guest";
      this.#guest = setTimeout(() => this.#trades(), GUEST).unref();
    }
    if (this.#trade === "guest") return;
    const victims: Seat[] = [];
    for (let surplus = this.#staying - this.#limit; surplus > 0; surplus -= 1) {
      const victim = this.#longestIdle();
      if (victim === undefined) break;
      this.#candidates.pop();
      victims.push(victim);
    }
    this.#close(victims);
  }

  #trades(): void {
    this.#trade = "on";
    this.#update();
  }

  #longestIdle(): Seat | undefined {
    const gone = (seat: Seat | undefined): boolean => seat !== undefined && this.#connections.of(seat.socket) !== seat;
    while (gone(this.#candidates.at(-1))) this.#candidates.pop();
    return this.#candidates.at(-1);
  }

  #close(victims: readonly Seat[]): void {
    if (victims.length === 0) return;
    for (const seat of victims) this.#leaving.add(seat);
    this.#connections.closeIdle(victims, () => {
      for (const seat of victims) this.#leaving.delete(seat); // one that has something to ask after all stays
      this.#update();
    });
  }

  #listen(wanted: boolean): void {
    if (wanted === this.#listening) return;
    if (wanted) this.#turnstile.release();
    this.#listening = wanted || !this.#turnstile.hold();
  }

  #watch(every: Ms): void {
    if (this.#every === every) return;
    this.#every = every;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(every), every).unref();
  }

  #look(since: Ms): void {
    const below = this.#connections.size < this.#limit * NEAR;
    if (below) {
      clearInterval(this.#timer);
      this.#timer = this.#every = undefined;
    } else this.#connections.sample();
    const long = this.#judge(since, below);
    this.#candidates = below ? [] : this.#connections.idle(this.#patience.spans).toReversed();
    this.#came = false;
    this.#update();
    if (!long || !this.#listening) return;
    this.#glances = true;
    setImmediate(() => (this.#glances = false));
  }

  /** As patient as at first when nobody has come; less so when somebody waits, or may. @returns whether none has been idle for long. */
  #judge(since: Ms, below: boolean): boolean {
    const starving = this.full && this.#roomBeside === undefined && this.#longestIdle() === undefined;
    if (starving) return this.#patience.starves(since, this.#trade === "on");
    this.#patience.fed();
    if (below || (this.#staying <= this.#limit && this.#listening && !this.#came)) this.#nobodyQueues();
    return false;
  }

  #nobodyQueues(): void {
    clearTimeout(this.#guest);
    this.#trade = "none";
    this.#patience.reset();
  }
}
