/** Failed logins in the log. A flood costs a bounded number of lines; what has none is counted. */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { Throttle } from "../../base/throttle.ts";
import { seconds } from "../../base/units.ts";

const PACE = { perSecond: 1, burst: 20 };
/** How long lines are counted before a line gives their number. */
const COUNTED_FOR = seconds(10);

export type Failure = "wrong secret" | "unknown name" | "too many tries";

/** The client and user of a failure. An unknown name is left out: it may be a secret in the wrong field. */
export interface Failed {
  readonly client: string | undefined;
  readonly requestId: string;
  readonly user?: string;
}

export class FailedLogins {
  readonly #log: Logger;
  readonly #clock: Pick<Clock, "now">;
  readonly #lines = new Throttle(PACE);
  #suppressed = 0;

  constructor(log: Logger, clock: Pick<Clock, "now">) {
    this.#log = log;
    this.#clock = clock;
  }

  note(why: Failure, who: Failed): void {
    if (this.#lines.take(this.#clock.now()) === 0) return this.#log.warn(who, `a login failed: ${why}`);
    this.#suppressed += 1;
    if (this.#suppressed === 1) setTimeout(() => this.#count(), COUNTED_FOR).unref();
  }

  #count(): void {
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#log.warn({ suppressed }, `${suppressed} more logins failed`);
  }
}
