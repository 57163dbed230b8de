import { ms, seconds } from "../base/units.ts";

/** How soon the master hears of connections that came to stay. */
const SOON = ms(20);
/** The same while others leave: then one look is worth little. */
const BUSY = ms(200);
/** Of a change as small as this the master need not hear while others leave. */
const RIPPLE = 2;
/** So many within a look's span, most of whom leave: it is worth the while to leave them to a few. */
const CHURN = 16;
/**
 * Who has lasted for so long was kept: that he leaves says nothing of those who come. No answer to a client without keep-alive takes as long,
 * not even under overload; one that does is a load to be spread.
 */
export const KEPT = seconds(5);

/**
 * How many connections have come to stay. Those of clients without keep-alive leave within a few milliseconds: they are no reason to
 * leave a client to a neighbour, nor news for the master. While more than half as many leave as come, not counting those that had been kept, only
 * those count that were there all the time: the fewest there were at any moment of the last look's span.
 */
export class Turnover {
  readonly #size: () => number;
  readonly #tell: (connections: number, churns: boolean) => void;
  readonly #churns: () => void;
  #told = 0;
  #churning = false;
  #came = 0;
  /** Of them all, and of those that had not been kept. */
  #left = 0;
  #leftSoon = 0;
  #fewest = 0;
  /** Found by the last look: those who came left soon; many left, kept or not. */
  #wasRestless = false;
  #wasBusy = false;
  #settled = 0;
  #looking = false;

  /**
   * @param size how many connections there are.
   * @param tell hears how many of them stay, when that has changed, and whether many come and go: that again and again.
   * @param churns called again and again while many come and go.
   */
  constructor(size: () => number, tell: (connections: number, churns: boolean) => void, churns: () => void = () => {}) {
    this.#size = size;
    this.#tell = tell;
    this.#churns = churns;
  }

  /** Many came and went in the last look's span. */
  get churning(): boolean {
    return this.#churning;
  }

  get staying(): number {
    return this.#wasRestless || this.#restless ? Math.min(this.#settled, this.#fewest) : this.#size();
  }

  get #restless(): boolean {
    return this.#leftSoon * 2 > this.#came;
  }

  get #busy(): boolean {
    return this.#left * 2 > this.#came;
  }

  came(): void {
    this.#came += 1;
    if (this.#came % CHURN === 0 && this.#restless) this.#churns();
    this.#watch();
  }

  /** @param kept it had lasted for {@link KEPT}. */
  left(kept: boolean): void {
    this.#left += 1;
    if (!kept) this.#leftSoon += 1;
    this.#fewest = Math.min(this.#fewest, this.#size());
    this.#watch();
  }

  #watch(): void {
    if (this.#looking) return;
    this.#looking = true;
    setTimeout(() => this.#look(), this.#wasBusy ? BUSY : SOON).unref();
  }

  #look(): void {
    this.#looking = false;
    const [restless, busy] = [this.#restless, this.#busy];
    this.#settled = restless ? this.#fewest : this.#size();
    this.#wasRestless = restless;
    this.#wasBusy = busy;
    const churned = this.#churning;
    this.#churning = restless && this.#came >= CHURN;
    this.#came = 0;
    this.#left = 0;
    this.#leftSoon = 0;
    this.#fewest = this.#size();
    if (Math.abs(this.#settled - this.#told) > (busy ? RIPPLE : 0) || churned || this.#churning) {
      this.#told = this.#settled;
      this.#tell(this.#settled, this.#churning);
    }
    if (busy) this.#watch(); // once more, when it may be quiet
  }
}
