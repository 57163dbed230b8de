/**
 * Sessions that were ended here and are not durably ended at the broker: each is repeated until it is.
 *
 *   end ─→ asked ─ durable ─→ done
 *            ├─ not in time ─→ owed ─ a pause, or a broker that is new ─→ asked again
 *            └─ too many are owed ─→ refused: it was not acknowledged, and its client repeats it
 *
 * A call to the broker lasts until the disk has the end, so calls are joined by session and bounded: other calls need room too.
 */
import { ms, seconds, type Ms } from "../base/units.ts";
import type { Session } from "./ledger.ts";

/** Sessions owed at a time; far more than a machine has slots. */
const MOST_OWED = 10_000;
/** Sessions that the broker is asked to end at a time: with the most writes, less than the calls of a connection. */
const MOST_ASKED = 64;
/** Repeated at a time: leaves room for new ones. */
const AT_ONCE = 32;
const LONGEST_PAUSE = seconds(5);

export class Endings {
  readonly #leave: (session: Session) => Promise<boolean>;
  readonly #pause: Ms;
  readonly #asked = new Map<string, Promise<boolean>>();
  readonly #owed = new Map<string, Session>();
  #repeating = false;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;

  /** @param leave ends a session at the broker; true when that is durable. @param pause before the first repetition. */
  constructor(leave: (session: Session) => Promise<boolean>, pause: Ms) {
    this.#leave = leave;
    this.#pause = pause;
  }

  /** Whether a session was ended here and the broker may not know it. */
  has(id: string): boolean {
    return this.#owed.has(id);
  }

  /** @returns whether it is durable that the session is over; if not, this goes on trying. */
  async end(session: Session): Promise<boolean> {
    const isOwed = this.#owed.has(session.id);
    if (!isOwed && this.#owed.size < MOST_OWED) this.#owed.set(session.id, session); // from now on: the answer may take long
    const durable = await this.#ask(session);
    if (!durable) this.#arm();
    return durable;
  }

  /** A broker has come: what is owed is repeated at once. */
  linked(): void {
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#repeat();
  }

  /** @returns whether the end is durable; false at once while too many others wait for theirs. */
  #ask(session: Session): Promise<boolean> {
    const { id } = session;
    const underWay = this.#asked.get(id);
    if (underWay !== undefined) return underWay;
    if (this.#asked.size >= MOST_ASKED) return Promise.resolve(false);
    const asked = this.#leave(session).then((durable) => {
      this.#asked.delete(id);
      if (durable) this.#owed.delete(id);
      return durable;
    });
    this.#asked.set(id, asked);
    return asked;
  }

  async #repeat(): Promise<void> {
    if (this.#repeating) return;
    this.#repeating = true;
    const due = [...this.#owed.values()].slice(0, AT_ONCE);
    const done = await Promise.all(due.map((session) => this.#ask(session)));
    this.#repeating = false;
    if (done.every(Boolean)) this.#failures = 0;
    if (this.#owed.size === 0) return;
    if (done.every(Boolean)) return void this.#repeat();
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#repeating) return;
    const pause = Math.min(LONGEST_PAUSE, this.#pause * 2 ** Math.min(10, this.#failures));
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#repeat();
    }, ms(pause)).unref();
  }
}
