import { Histogram } from "../base/histogram.ts";
import { noCounters, type Counters } from "../base/protocol.ts";
import { CLASS_COUNTERS, type RequestClass } from "../base/requestclass.ts";

/** What this worker has done since it started: monotonic counters and the durations of its answers. */
export class Tally {
  readonly counters: Counters = noCounters();
  readonly latency = new Histogram();

  /** @param millis from the request's head to the answer's last byte handed to the kernel; undefined: a stream, which lasts as long as its client likes. */
  answered(status: number, millis: number | undefined): void {
    const { counters } = this;
    counters.served += 1;
    if (status < 300) counters.status2xx += 1;
    else if (status < 400) counters.status3xx += 1;
    else if (status < 500) counters.status4xx += 1;
    else counters.status5xx += 1;
    if (millis !== undefined) this.latency.record(millis);
  }

  /** The same answer once more, by what was asked. */
  classed(kind: RequestClass, refused: boolean): void {
    const [answered, refusals] = CLASS_COUNTERS[kind];
    this.counters[answered] += 1;
    if (refused) this.counters[refusals] += 1;
  }
}
