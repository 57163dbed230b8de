/**
 * Bounds what the requests of one connection cost in one turn of the event loop. One read holds more than a thousand of them, and a turn reads
 * from every connection that has data: no timer fires meanwhile, and other clients wait.
 */
import type { IncomingMessage } from "node:http";
import type { Connections, Seat } from "./connections.ts";
import type { InFlight } from "./inflight.ts";

/** Requests of one connection that are looked at in one turn: the answer to the last of them ends the connection. */
const MOST_AT_ONCE = 64;
/** The same once so many were looked at in this turn, of all connections that sent several. */
const FEW_AT_ONCE = 8;
const MANY = 2_000;
/** While so many requests of all connections have no answer yet, a connection is cut when more than its share of them are its own. */
const MOST_UNANSWERED = 10_000;
const SHARE = 16;

export type Place = "ordinary" | "last" | "too many";

export class Bursts {
  readonly #connections: Connections;
  readonly #inFlight: InFlight;
  /** Connections with more than one request in this turn. */
  #seats: Seat[] = [];
  /** Their requests. */
  #requests = 0;

  constructor(connections: Connections, inFlight: InFlight) {
    this.#connections = connections;
    this.#inFlight = inFlight;
  }

  /** Counts a request that has just been parsed. */
  came({ socket }: IncomingMessage): Place {
    const seat = this.#connections.of(socket);
    if (seat === undefined) return "ordinary";
    if (seat.requests >= SHARE && this.#inFlight.size >= MOST_UNANSWERED) return "too many";
    const { bytesRead } = socket;
    if (seat.inTurn === 0) {
      const alone = bytesRead !== seat.readAt;
      seat.readAt = bytesRead;
      if (alone) return "ordinary";
      this.#begin(seat);
    }
    seat.inTurn += 1;
    this.#requests += 1;
    return seat.inTurn >= (this.#requests > MANY ? FEW_AT_ONCE : MOST_AT_ONCE) ? "last" : "ordinary";
  }

  /** A second request of the same read: until the turn ends, requests of this connection are counted. */
  #begin(seat: Seat): void {
    if (this.#seats.length === 0) setImmediate(() => this.#over());
    this.#seats.push(seat);
    seat.inTurn = 1;
  }

  #over(): void {
    for (const seat of this.#seats) seat.inTurn = 0;
    this.#seats = [];
    this.#requests = 0;
  }
}
