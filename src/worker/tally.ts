import { isCountName, MOST_NAMES } from "../base/figures.ts";
import { Histogram } from "../base/histogram.ts";
import { noCounters, type Counters } from "../base/counters.ts";
import { CLASS_COUNTERS, type RequestClass } from "../base/requestclass.ts";

/** What this worker has done since it started: monotonic counters and the durations of its answers. */
export class Tally {
  readonly counters: Counters = noCounters();
  readonly latency = new Histogram();
  /** Waits at the gate. */
  readonly waits = new Histogram();
  /** By name: see base/figures.ts. */
  readonly counts: Record<string, number> = {};
  #names = 0;
  #limit: number;
  readonly #reached: (served: number) => void;

  /** @param reached is called once, with the answer that makes it `limit` answers. */
  constructor(limit = Infinity, reached: (served: number) => void = () => {}) {
    this.#limit = limit;
    this.#reached = reached;
  }

  /** @param millis from the request's head to the answer's last byte handed to the kernel; undefined: it lasted as long as its client liked. */
  answered(status: number, millis: number | undefined): void {
    const { counters } = this;
    counters.served += 1;
    if (status < 300) counters.status2xx += 1;
    else if (status < 400) counters.status3xx += 1;
    else if (status < 500) counters.status4xx += 1;
    else counters.status5xx += 1;
    if (millis !== undefined) this.latency.record(millis);
    if (counters.served < this.#limit) return;
    this.#limit = Infinity;
    this.#reached(counters.served);
  }

  /** The same answer once more, by what was asked. @param refusal its status when it was a deliberate refusal. */
  classed(kind: RequestClass, refusal?: number): void {
    const [answered, refusals] = CLASS_COUNTERS[kind];
    this.counters[answered] += 1;
    if (refusal === undefined) return;
    this.counters[refusals] += 1;
    if (refusal >= 500) this.counters.refused5xx += 1;
  }

  /** A request was refused. What an application gives as its reason is its own: bounded. */
  refused(reason: string): void {
    this.counters.refused += 1;
    const name = `shed.${reason}`;
    this.#count(isCountName(name) ? name : "shed.other");
  }

  /** An external monitor asked for the health. */
  monitored(): void {
    this.#count("asked.monitor");
  }

  #count(name: string): void {
    const before = this.counts[name];
    if (before !== undefined) this.counts[name] = before + 1;
    else if (this.#names < MOST_NAMES - 2) {
      this.#names += 1;
      this.counts[name] = 1;
    } else this.counts["shed.other"] = (this.counts["shed.other"] ?? 0) + 1;
  }
}
