/** Pushes of tables that change with every write: what comes together goes together, and large tables go less often. */
import { ms, type Ms } from "../base/units.ts";

/** The longest that a push waits for others of its table. */
const LONGEST = ms(20);

export class Pusher {
  readonly #push: (table: string) => void;
  readonly #due = new Map<string, Promise<void>>();
  readonly #notBefore = new Map<string, number>();

  /** @param push takes all that is known of a table; what it costs is measured. */
  constructor(push: (table: string) => void) {
    this.#push = push;
  }

  /** @returns when a push that began after this call is done. */
  push(table: string): Promise<void> {
    const waiting = this.#due.get(table);
    if (waiting !== undefined) return waiting;
    const pushed = this.#wait(table).then(() => this.#run(table));
    this.#due.set(table, pushed);
    return pushed;
  }

  /** @returns when nothing of the table waits to be pushed. */
  async pushed(table: string): Promise<void> {
    await this.#due.get(table);
  }

  #wait(table: string): Promise<void> {
    const wait = (this.#notBefore.get(table) ?? 0) - performance.now();
    return new Promise((resolve) => (wait > 0 ? setTimeout(resolve, wait) : setImmediate(resolve)));
  }

  #run(table: string): void {
    this.#due.delete(table);
    const began = performance.now();
    try {
      this.#push(table);
    } finally {
      const end = performance.now();
      const pause: Ms = ms(Math.min(LONGEST, 2 * (end - began)));
      this.#notBefore.set(table, end + pause);
    }
  }
}
