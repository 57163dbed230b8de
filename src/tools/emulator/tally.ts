/** What the emulator has been asked, for beats and for tests that count calls. */
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { Histogram } from "../../base/histogram.ts";
import { noCounters, type Counters } from "../../base/counters.ts";
import { isRead } from "./api/discovery.ts";

/** Calls since the start, refused and failed ones included. */
export interface Requests {
  readonly reads: number;
  readonly writes: number;
  /** Calls of the token endpoint. */
  readonly tokens: number;
  /** By the method's id. */
  readonly byMethod: Readonly<Record<string, number>>;
  /** Answers by status. */
  readonly byStatus: Readonly<Record<number, number>>;
}

export class Tally {
  readonly counters: Counters = noCounters();
  readonly latency = new Histogram();
  readonly #byMethod = new Map<string, number>();
  readonly #byStatus = new Map<number, number>();
  inFlight = 0;
  connections = 0;

  connected(socket: Socket): void {
    this.counters.accepted += 1;
    this.connections += 1;
    socket.once("close", () => (this.connections -= 1));
  }

  called(method: string): void {
    this.#byMethod.set(method, (this.#byMethod.get(method) ?? 0) + 1);
  }

  /** @returns a function to call when the request is over, with the status it was answered with. */
  begin(): (status: number) => void {
    const since = performance.now();
    this.inFlight += 1;
    return (status) => {
      this.inFlight -= 1;
      this.latency.record(performance.now() - since);
      this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
      this.counters.served += 1;
      const family = Math.floor(status / 100);
      if (family === 2) this.counters.status2xx += 1;
      else if (family === 3) this.counters.status3xx += 1;
      else if (family === 4) this.counters.status4xx += 1;
      else if (family === 5) this.counters.status5xx += 1;
    };
  }

  requests(): Requests {
    const { "oauth.token": tokens = 0, ...byMethod } = Object.fromEntries(this.#byMethod);
    const sum = (read: boolean): number =>
      Object.entries(byMethod).reduce(
        (total, [method, n]) => total + (isRead(method) === read ? n : 0),
        0,
      );
    return {
      reads: sum(true),
      writes: sum(false),
      tokens,
      byMethod,
      byStatus: Object.fromEntries(this.#byStatus),
    };
  }
}
