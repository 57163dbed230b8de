import { ms } from "../base/units.ts";

/** News of connections that came or went is told after so long, and what left is remembered for once or twice as long. */
const WINDOW = ms(20);

/**
 * How many connections come to stay. Those of clients without keep-alive leave within a few milliseconds: they are no reason to leave
 * a client to a neighbour, nor news for the master.
 */
export class Turnover {
  readonly #size: () => number;
  readonly #tell: (connections: number) => void;
  #told = 0;
  #left = 0;
  #leftBefore = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param size how many connections there are.
   * @param tell hears of a change that is more than coming and going.
   */
  constructor(size: () => number, tell: (connections: number) => void) {
    this.#size = size;
    this.#tell = tell;
  }

  /** How many have left just now, within 20 to 40 ms. */
  get recent(): number {
    return Math.max(this.#left, this.#leftBefore);
  }

  came(): void {
    this.#timer ??= setTimeout(() => this.#look(), WINDOW).unref();
  }

  left(): void {
    this.#left += 1;
    this.came();
  }

  #look(): void {
    this.#timer = undefined;
    this.#leftBefore = this.#left;
    this.#left = 0;
    const now = this.#size();
    if (Math.abs(now - this.#told) > this.#leftBefore) {
      this.#told = now;
      this.#tell(now);
    }
    if (this.#leftBefore > 0) this.came(); // once more: forget them, and tell what they hid
  }
}
