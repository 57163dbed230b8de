import type { IncomingMessage, ServerResponse } from "node:http";
import type { Instant } from "../base/units.ts";
import type { Seat } from "./connections.ts";
import { peerOf } from "./peer.ts";

/** A place among the requests in flight. */
export interface Permit {
  /** @throws AssertionError when called twice: a bug. */
  release(): void;
}

/** One request that is being answered by the application. */
export class Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly startedAt: Instant;
  readonly seat: Seat | undefined;
  /** Held while the application works on it; given back once, at the latest when the answer is over. */
  permit: Permit | undefined = undefined;
  /** An answer without an end (server-sent events): not counted against admission, ended at once by a drain. */
  stream = false;
  /** It waits because its client wishes so: its duration says nothing of the service. */
  waits = false;
  /** Already counted and logged: what remains is a body on its way. */
  counted = false;
  timedOut = false;
  /** The status that the worker itself answered with, in the application's place. */
  answered: number | undefined = undefined;
  /** By the gate, and counted as such. */
  refused = false;
  /** Bytes that had left at the last look, and when they last moved: for the write-stall timeout. */
  sent = 0;
  movedAt: Instant;
  /** Set by the gate's address stage; the peer's address without it. */
  whose: ((req: IncomingMessage) => string) | undefined = undefined;

  constructor(req: IncomingMessage, res: ServerResponse, seat: Seat | undefined, now: Instant) {
    this.req = req;
    this.res = res;
    this.seat = seat;
    this.startedAt = now;
    this.movedAt = now;
  }

  /** The client's address, worked out at the first use only. */
  client(): string {
    return this.whose?.(this.req) ?? peerOf(this.req.socket);
  }

  /** Gives the permit back if there is one: before the end for a stream, at the end for the rest. */
  release(): void {
    const { permit } = this;
    this.permit = undefined;
    permit?.release();
  }
}
