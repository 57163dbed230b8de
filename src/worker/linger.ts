import type { Clock } from "../base/clock.ts";
import { between, ms, type Ms } from "../base/units.ts";
import { inUse, type Connections } from "./connections.ts";
import type { InFlight } from "./inflight.ts";

/** How often it looks whether it is over: what comes after it waits for that. */
const LOOK_EVERY = ms(20);

export interface LingerParts {
  readonly connections: Connections;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  readonly drainIdle: Ms;
}

/**
 * The first part of a drain when nobody accepts in this worker's place, because the whole service stops, to be started again perhaps:
 * connections that rest get `drainIdle` to send one more request, and as long as that takes the worker accepts. A client that
 * comes meanwhile is answered (with `Connection: close`), where it would wait in the backlog for the next drover.
 * @returns when none of the connections that rested at the beginning is left.
 */
export function linger({ connections, inFlight, clock, drainIdle }: LingerParts): Promise<void> {
  const start = clock.now();
  const old = new Set(connections);
  for (const seat of old) seat.quietSince = start;
  for (const { res } of inFlight) if (!res.headersSent) res.shouldKeepAlive = false;
  return new Promise((resolve) => {
    const look = (): void => {
      connections.sample();
      for (const seat of old) if (connections.of(seat.socket) !== seat) old.delete(seat);
      const resting = [...old].some((seat) => !inUse(seat));
      // What is still quiet is closed by the drain that follows.
      if (resting && between(start, clock.now()) < drainIdle) return;
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(look, LOOK_EVERY);
    look();
  });
}
