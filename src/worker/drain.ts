import type { Clock } from "../base/clock.ts";
import type { Ms } from "../base/units.ts";
import type { Connections } from "./connections.ts";
import type { InFlight } from "./inflight.ts";
import { endStream, isEventStream } from "./streams.ts";
import { closeWebSockets, dropWebSockets } from "./upgrades.ts";

/** Whoever waits for the end (a restart, with clients in the backlog) shall not wait for the next step. */
const LOOK_EVERY = 20;

export interface DrainParts {
  readonly connections: Connections;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  /** A connection goes once it has been idle for so long. */
  readonly drainIdle: Ms;
  /** Connections have had their time to send one more request: only those that came last may still send it. */
  readonly lingered?: boolean;
}

/** How a drain ended: what the deadline cut off. */
export interface Drained {
  readonly requests: number;
  readonly connections: number;
}

/**
 * Lets the worker's connections end well; accepting has stopped already and new answers say `Connection: close`. Every
 * connection, used or not, gets `drainIdle` to send one more request: a client that is just about to reuse it, or has
 * connected and not spoken yet, is answered instead of reset. Event streams end at once and WebSockets get 1001, both after the
 * application has had a turn of the loop to end them in its own words (`drover.draining`).
 * @param within the deadline lives here as well as in the master, which may be gone: whatever is left then is cut.
 */
export function drain(parts: DrainParts, within: Ms): Promise<Drained> {
  const { connections, inFlight, clock, drainIdle, lingered } = parts;
  const start = clock.now();
  if (lingered !== true) for (const seat of connections) seat.quietSince = start;
  for (const { res } of inFlight) if (!res.headersSent) res.shouldKeepAlive = false;
  return new Promise((resolve) => {
    const finish = (): void => {
      clearInterval(timer);
      clearInterval(watch);
      clearTimeout(deadline);
      const left = { requests: inFlight.size, connections: connections.size };
      connections.destroyAll();
      resolve(left);
    };
    const step = (): void => {
      endStreams(inFlight);
      closeWebSockets(connections);
      dropWebSockets(connections, clock, drainIdle);
      connections.sample();
      connections.closeIdle(connections.idle({ quiet: drainIdle }), done);
    };
    const done = (): void => void (connections.size === 0 && inFlight.size === 0 && finish());
    // A little before the master's own deadline, so that it sees an exit and need not kill.
    const deadline = setTimeout(finish, within - Math.min(1_000, within / 10));
    const timer = setInterval(step, Math.max(10, Math.min(250, drainIdle / 4)));
    const watch = setInterval(done, LOOK_EVERY);
    setImmediate(step);
  });
}

function endStreams(inFlight: InFlight): void {
  for (const { res, stream } of inFlight) if ((stream || isEventStream(res)) && !res.writableEnded) endStream(res);
}
