/** A run second by second, for who watches it and for the report's plots. */
import { Course } from "./course.ts";
import { failed } from "./judge.ts";
import type { Moment } from "./moment.ts";
import { Tally, type TallyDelta } from "./tally.ts";

/** What a moment's end has shown. */
export interface Ended {
  /** Seconds. */
  readonly lasted: number;
  /** What came in this time alone. */
  readonly tally: Tally;
  /** Undefined: it was a rest, and is counted with the moment before; or there was nothing. */
  readonly moment: Moment | undefined;
}

/** Seconds. A rest that is shorter is no second of its own: it would be shown as one in which next to nothing was done. */
const REST = 0.5;
const SECOND = 1_000;
/** For a step that was over at once. */
const SHORTEST = 0.001;

type When = Pick<Moment, "at" | "lasted" | "step" | "isLate">;

interface Last {
  readonly moment: Moment;
  readonly tally: Tally;
}

/** All times are monotonic ms. */
export class Moments {
  readonly #course = new Course();
  readonly #begun: number;
  #step = "";
  #since: number;
  #isLate = false;
  /** The last one, if it is of this step. */
  #last: Last | undefined;

  constructor(begun: number) {
    this.#begun = begun;
    this.#since = begun;
  }

  /** The whole run; of a long one each stands for several seconds. */
  get list(): readonly Moment[] {
    return this.#course.list;
  }

  /** The warm-up is over: a step's first moment begins. */
  open(step: string, at: number): void {
    this.#step = step;
    this.#since = at;
    this.#isLate = false;
    this.#last = undefined;
  }

  /** The step's time is over. */
  close(): void {
    this.#isLate = true;
  }

  /** @param parts what came since the last one. */
  end(parts: readonly TallyDelta[], at: number): Ended {
    const tally = new Tally();
    for (const part of parts) tally.add(part);
    const lasted = Math.max(0, at - this.#since) / SECOND;
    this.#since = at;
    const before = this.#last;
    if (before === undefined && lasted < REST && tally.requests === 0) return { lasted, tally, moment: undefined };
    if (before === undefined || lasted >= REST) {
      const moment = this.#note(tally, { at, lasted, step: this.#step, isLate: this.#isLate });
      this.#course.add(moment);
      return { lasted, tally, moment };
    }
    for (const part of parts) before.tally.add(part);
    const { isLate, step } = before.moment;
    this.#course.amend(this.#note(before.tally, { at, lasted: before.moment.lasted + lasted, step, isLate }));
    return { lasted, tally, moment: undefined };
  }

  #note(tally: Tally, when: When): Moment {
    const moment = momentOf(tally, { ...when, at: (when.at - this.#begun) / SECOND });
    this.#last = { moment, tally };
    return moment;
  }
}

const momentOf = (tally: Tally, when: When): Moment => ({
  ...when,
  perSecond: tally.requests / Math.max(SHORTEST, when.lasted),
  p50: tally.latency.quantile(0.5),
  p95: tally.latency.quantile(0.95),
  good: tally.fates.ok,
  failed: failed(tally),
  refused: tally.fates.refused,
});

/** Seconds: the longest stretch in which nobody was answered as they should be, while the steps' time ran. @param moments each as it ended, none merged. */
export function longestSilence(moments: readonly Moment[]): number {
  let [longest, stretch] = [0, 0];
  for (const { good, lasted, isLate } of moments) {
    if (isLate) continue;
    stretch = good > 0 ? 0 : stretch + lasted;
    longest = Math.max(longest, stretch);
  }
  return longest;
}
