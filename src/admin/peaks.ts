/** The highest figures of ten minutes, for the timeline on disk. Pure but for its own state. */
import { elapsed, minutes, type Timestamp } from "../base/units.ts";
import type { Sample } from "./history.ts";

/** Ratios 0…1, milliseconds; null: not known. */
export interface Peaks {
  /** ISO 8601: when it began, and when it ended. */
  readonly from: string;
  readonly at: string;
  readonly slots: number | null;
  readonly rps: number;
  readonly p95: number | null;
  readonly cpu: number | null;
  readonly ram: number | null;
  /** Added up. */
  readonly errors: number;
  readonly refused: number;
  /** How often an external monitor asked for /api/admin/health. */
  readonly monitor: number;
}

export const PEAKS_EVERY = minutes(10);

const highest = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b));

/** Of the same time, or of one after the other. */
export const merged = (a: Peaks, b: Peaks): Peaks => ({
  from: a.from < b.from ? a.from : b.from,
  at: a.at > b.at ? a.at : b.at,
  slots: highest(a.slots, b.slots),
  rps: Math.max(a.rps, b.rps),
  p95: highest(a.p95, b.p95),
  cpu: highest(a.cpu, b.cpu),
  ram: highest(a.ram, b.ram),
  errors: a.errors + b.errors,
  refused: a.refused + b.refused,
  monitor: a.monitor + b.monitor,
});

/** The peaks of one sample. @param monitor requests of an external monitor since the sample before. */
export function peaksOf({ at, slots, rps, p95, errors, refused, cpu, ram }: Sample, monitor = 0): Peaks {
  const time = new Date(at * 1_000).toISOString();
  return { from: time, at: time, slots, rps, p95, cpu, ram, errors, refused, monitor };
}

export class PeakMeter {
  #open: Peaks | undefined;

  /** @returns what is over: ten minutes have passed since its first sample. */
  add(peaks: Peaks): Peaks | undefined {
    const open = this.#open;
    if (open !== undefined && elapsed(timeOf(open.from), timeOf(peaks.at)) >= PEAKS_EVERY) {
      this.#open = peaks;
      return open;
    }
    this.#open = open === undefined ? peaks : merged(open, peaks);
    return undefined;
  }

  /** Ends what is open, as the daemon stops. */
  end(): Peaks | undefined {
    const open = this.#open;
    this.#open = undefined;
    return open;
  }
}

const timeOf = (iso: string): Timestamp => Date.parse(iso) as Timestamp;
