/** The last minutes of the figures, for sparklines: one sample every five seconds, in rings. */
import { openConnections } from "./advice/machine.ts";
import type { AdminSnapshot } from "./source.ts";

const SAMPLES = 120;
const OF_WORKER = 60;
const MOST_WORKERS = 256;

/** All of one moment; what is not known is null. Ratios 0…1, milliseconds, bytes. */
export interface Sample {
  readonly at: number;
  readonly slots: number | null;
  readonly rps: number;
  readonly p95: number | null;
  readonly errors: number;
  readonly refused: number;
  readonly cpu: number | null;
  readonly ram: number | null;
  readonly connections: number;
  readonly errorRate: number | null;
}

interface OfWorker {
  pid: number | undefined;
  served: number;
  at: number;
  readonly elu: (number | null)[];
  readonly rps: number[];
  readonly rss: (number | null)[];
}

export interface WorkerLines {
  readonly slot: number;
  /** null: not known then. */
  readonly elu: readonly (number | null)[];
  readonly rps: readonly number[];
  readonly rss: readonly (number | null)[];
}

export interface Lines {
  /** Seconds between two samples. */
  readonly every: number;
  readonly at: readonly number[];
  readonly slots: readonly (number | null)[];
  readonly rps: readonly number[];
  readonly p95: readonly (number | null)[];
  readonly errors: readonly number[];
  readonly refused: readonly number[];
  readonly cpu: readonly (number | null)[];
  readonly ram: readonly (number | null)[];
  readonly connections: readonly number[];
  readonly errorRate: readonly (number | null)[];
  readonly workers: readonly WorkerLines[];
}

const keep = <T>(list: T[], value: T, most: number): void => {
  list.push(value);
  if (list.length > most) list.shift();
};
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

export const SAMPLE_SECONDS = 5;
const MINUTE = 60 / SAMPLE_SECONDS;

export class History {
  #samples: Sample[] = [];
  readonly #workers = new Map<number, OfWorker>();
  #last = { errors: 0, refused: 0 };
  /** Totals of the last minute's samples, the oldest first. */
  readonly #totals: { readonly errors: number; readonly served: number }[] = [];

  /** Takes one sample, and returns it; call it every SAMPLE_SECONDS. */
  take(now: AdminSnapshot): Sample {
    const { counters } = now;
    const total = { errors: counters.status5xx - counters.refused5xx, refused: counters.refused };
    const before = this.#last;
    this.#last = total;
    keep(this.#totals, { errors: total.errors, served: counters.served }, MINUTE + 1);
    const sample: Sample = {
      at: Math.round(now.at / 1_000),
      slots: now.slots?.used ?? null,
      rps: rounded(now.recent.perSecond, 1),
      p95: now.recent.p95 === null ? null : rounded(now.recent.p95, 1),
      errors: Math.max(0, total.errors - before.errors),
      refused: Math.max(0, total.refused - before.refused),
      cpu: now.machine === null ? null : rounded(now.machine.cpu, 3),
      ram: now.machine === null ? null : rounded(now.machine.ram, 3),
      connections: openConnections(now.places),
      errorRate: this.errorRate(),
    };
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#ofWorkers(now);
    return sample;
  }

  /** Errors among the answers of the last minute, 0 to 1; null: there was no answer. */
  errorRate(): number | null {
    const [first, last] = [this.#totals[0], this.#totals.at(-1)];
    if (first === undefined || last === undefined || last.served <= first.served) return null;
    return rounded(Math.min(1, Math.max(0, last.errors - first.errors) / (last.served - first.served)), 4);
  }

  lines(): Lines {
    const column = <K extends keyof Sample>(name: K): Sample[K][] => this.#samples.map((sample) => sample[name]);
    return {
      every: SAMPLE_SECONDS,
      at: column("at"),
      slots: column("slots"),
      rps: column("rps"),
      p95: column("p95"),
      errors: column("errors"),
      refused: column("refused"),
      cpu: column("cpu"),
      ram: column("ram"),
      connections: column("connections"),
      errorRate: column("errorRate"),
      workers: [...this.#workers]
        .toSorted(([a], [b]) => a - b)
        .map(([slot, { elu, rps, rss }]) => ({ slot, elu: [...elu], rps: [...rps], rss: [...rss] })),
    };
  }

  #ofWorkers(now: AdminSnapshot): void {
    const workers = now.places.filter(({ role }) => role === "worker").slice(0, MOST_WORKERS);
    for (const { slot, child } of workers) {
      const line = this.#workers.get(slot) ?? { pid: undefined, served: 0, at: 0, elu: [], rps: [], rss: [] };
      this.#workers.set(slot, line);
      const served = child?.served ?? 0;
      const span = (now.at - line.at) / 1_000;
      const rps = line.pid === child?.pid && span > 0 ? Math.max(0, served - line.served) / span : 0;
      keep(line.elu, child?.elu == null ? null : rounded(child.elu, 2), OF_WORKER);
      keep(line.rps, rounded(rps, 1), OF_WORKER);
      keep(line.rss, child?.rss == null ? null : Math.round(child.rss / 1_048_576), OF_WORKER);
      [line.pid, line.served, line.at] = [child?.pid, served, now.at];
    }
    const there = new Set(workers.map(({ slot }) => slot));
    for (const slot of this.#workers.keys()) if (!there.has(slot)) this.#workers.delete(slot);
  }
}
