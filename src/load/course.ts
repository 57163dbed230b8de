/** The course of a run as it is plotted: all of it in a bounded list, the first hour as fine as the last. */
import type { Moment } from "./moment.ts";

/** No plot is wider. */
const MOST = 1_200;

interface Stretch {
  readonly moment: Moment;
  /** How many were merged into it. */
  readonly of: number;
}

/**
 * One stride for the whole run: as many moments are merged into one, and when the list is full neighbours are and the stride is twice as
 * long. What merging keeps is the worst: a slow second stays visible in eight hours of good ones.
 */
export class Course {
  #stretches: Stretch[] = [];
  #stride = 1;
  /** The last stretch as it was before its last moment. */
  #before: Stretch | undefined;

  get list(): readonly Moment[] {
    return this.#stretches.map(({ moment }) => moment);
  }

  add(moment: Moment): void {
    const one = { moment, of: 1 };
    const last = this.#stretches.at(-1);
    const joins = last !== undefined && belong(last, one, this.#stride);
    this.#before = joins ? last : undefined;
    if (joins) this.#stretches.pop();
    this.#stretches.push(joins ? merged(last, one) : one);
    if (this.#stretches.length > MOST) this.#thin();
  }

  /** The moment that was added last has become this one. */
  amend(moment: Moment): void {
    const one = { moment, of: 1 };
    this.#stretches.pop();
    this.#stretches.push(this.#before === undefined ? one : merged(this.#before, one));
  }

  /** The last is left: it may still be amended. */
  #thin(): void {
    this.#stride *= 2;
    const last = this.#stretches.pop();
    const thinned: Stretch[] = [];
    for (const one of this.#stretches) {
      const before = thinned.at(-1);
      const joins = before !== undefined && belong(before, one, this.#stride);
      if (joins) thinned.pop();
      thinned.push(joins ? merged(before, one) : one);
    }
    this.#stretches = last === undefined ? thinned : [...thinned, last];
  }
}

/** Steps are not mixed, nor the late answers of one with its time. */
const belong = (a: Stretch, b: Stretch, stride: number): boolean =>
  a.of + b.of <= stride && a.moment.step === b.moment.step && a.moment.isLate === b.moment.isLate;

function merged(a: Stretch, b: Stretch): Stretch {
  const [one, two] = [a.moment, b.moment];
  const lasted = one.lasted + two.lasted;
  const moment = {
    at: two.at,
    lasted,
    step: two.step,
    perSecond: (one.perSecond * one.lasted + two.perSecond * two.lasted) / lasted,
    p50: worst(one.p50, two.p50),
    p95: worst(one.p95, two.p95),
    good: one.good + two.good,
    failed: one.failed + two.failed,
    refused: one.refused + two.refused,
    isLate: two.isLate,
  };
  return { moment, of: a.of + b.of };
}

const worst = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
