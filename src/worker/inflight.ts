import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import { classOf, type ByClass, type RequestClass } from "../base/requestclass.ts";
import { MOST_REQUESTS, requestInFlight, type RequestInFlight } from "../base/requests.ts";
import { between } from "../base/units.ts";
import type { Connections, Seat } from "./connections.ts";
import { Exchange } from "./exchange.ts";
import { pathOf } from "./target.ts";

/**
 * The requests that are being answered now. Prepared answers that the kernel took at once never appear here; those whose
 * client reads slowly do.
 */
export class InFlight {
  readonly #all = new Set<Exchange>();
  /** Those of each connection that has any. */
  readonly #bySeat = new Map<Seat, Set<Exchange>>();
  readonly #byResponse = new WeakMap<ServerResponse, Exchange>();
  readonly #clock: Clock;
  readonly #connections: Connections;
  readonly #over: (exchange: Exchange) => void;

  /** @param over called once for each request: its answer was sent or its client went away. */
  constructor(clock: Clock, connections: Connections, over: (exchange: Exchange) => void) {
    this.#clock = clock;
    this.#connections = connections;
    this.#over = over;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Exchange> {
    return this.#all.values();
  }

  /** The oldest ones: for the beat and for an autopsy. */
  oldest(): readonly RequestInFlight[] {
    const now = this.#clock.now();
    const list: RequestInFlight[] = [];
    for (const exchange of this.#all) {
      const { req, startedAt } = exchange;
      list.push(requestInFlight(req.method ?? "", pathOf(req.url), between(startedAt, now), exchange.id()));
      if (list.length >= MOST_REQUESTS) break;
    }
    return list;
  }

  byClass(): ByClass {
    const counts: Partial<Record<RequestClass, number>> = {};
    for (const { req } of this.#all) {
      const kind = classOf(req.method, req.url);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  }

  of(res: ServerResponse): Exchange | undefined {
    return this.#byResponse.get(res);
  }

  begin(req: IncomingMessage, res: ServerResponse): Exchange {
    const exchange = this.open(req, res);
    this.enter(exchange);
    return exchange;
  }

  /** A request that may be refused at once: until it enters it is not in flight, and nothing is told of its end. */
  open(req: IncomingMessage, res: ServerResponse): Exchange {
    return new Exchange(req, res, this.#connections.of(req.socket), this.#clock.now());
  }

  enter(exchange: Exchange): void {
    const { res, seat } = exchange;
    this.#all.add(exchange);
    this.#byResponse.set(res, exchange);
    if (seat !== undefined) this.#occupy(seat, exchange);
    res.once("close", () => this.#end(exchange));
  }

  /** The answer's body may be other answers', too. */
  share(res: ServerResponse, body: Buffer | undefined): void {
    const exchange = this.of(res);
    if (exchange !== undefined) exchange.shared = body;
  }

  /** A closed connection ends all its requests; Node emits no `close` on answers still queued behind another (pipelining). */
  dropped(seat: Seat): void {
    for (const exchange of this.#bySeat.get(seat) ?? []) this.#end(exchange);
  }

  #occupy(seat: Seat, exchange: Exchange): void {
    seat.requests += 1;
    const known = this.#bySeat.get(seat);
    if (known === undefined) this.#bySeat.set(seat, new Set([exchange]));
    else known.add(exchange);
  }

  #vacate(seat: Seat, exchange: Exchange): void {
    seat.requests -= 1;
    const known = this.#bySeat.get(seat);
    known?.delete(exchange);
    if (known?.size === 0) this.#bySeat.delete(seat);
  }

  #end(exchange: Exchange): void {
    if (!this.#all.delete(exchange)) return;
    if (exchange.seat !== undefined) this.#vacate(exchange.seat, exchange);
    exchange.end();
    this.#over(exchange);
  }
}
