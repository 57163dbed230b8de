import type { Server } from "node:net";
import { hold, release } from "../base/held.ts";
import type { Turnstile } from "./pace.ts";

/** Who may have a worker look away from the queue of new connections. */
export type Reason = "cap" | "pace" | "room";

/**
 * Whether the worker accepts: it looks away from the one queue while anybody has a reason, and the neighbours take what comes. It keeps
 * its sockets meanwhile and needs nobody to accept again, least of all the master, which may be busy or stopped.
 */
export class Intake {
  readonly #reasons = new Set<Reason>();
  readonly #backlog: () => number;
  #server: Server | undefined;

  constructor(backlog: () => number) {
    this.#backlog = backlog;
  }

  land(server: Server): void {
    this.#server = server;
  }

  /** A further socket came, and the server accepts from it: not while there is a reason not to. */
  came(): void {
    if (this.#reasons.size > 0 && this.#server !== undefined) hold(this.#server);
  }

  /** What holds and releases for this reason. */
  turnstile(reason: Reason): Turnstile {
    return { hold: () => this.hold(reason), release: () => this.release(reason) };
  }

  /** @returns false when these sockets can't be held: nothing has changed then. */
  hold(reason: Reason): boolean {
    if (this.#server === undefined) return false;
    if (!hold(this.#server)) {
      this.release(reason);
      return false;
    }
    this.#reasons.add(reason);
    return true;
  }

  release(reason: Reason): void {
    this.#reasons.delete(reason);
    if (this.#reasons.size === 0 && this.#server !== undefined) release(this.#server, this.#backlog());
  }
}
