import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { between, ms, type Instant, type Ms } from "../base/units.ts";
import type { Exchange } from "./exchange.ts";
import type { InFlight } from "./inflight.ts";
import { endWithProblem } from "./problem.ts";
import { leftSocket, sendQueues } from "../base/sendqueue.ts";
import { readersByWeight, type Sight } from "./slowreaders.ts";
import { isEventStream } from "./streams.ts";
import type { Tally } from "./tally.ts";
import { pathOf } from "./target.ts";
import { MOST_UNREAD, Unread } from "./unread.ts";

/** A client that takes no byte for so long while some wait for it has gone, whatever TCP says. */
const LONGEST_STALL = ms(30_000);
/** A client that has ended its side is taken for gone when its answer does not begin within this time; its stream ends at once. */
const GONE_AFTER = ms(5_000);
/** While more than MOST_UNREAD waits: a client that takes no byte for so long is cut off, then those that receive slowly, until less waits. */
const SHORTEST_STALL = ms(1_000);
/** Beyond so many times that, clients are cut off whatever they receive. */
const REGARDLESS = 4;

/** Limits of the built-in service. */
export const BUILT_IN = { mostUnread: MOST_UNREAD, goneAfter: GONE_AFTER } as const;
/** Of an application: it may mean to keep its answers, and its server decides what the end of a client's side means. */
export const FOREIGN = { mostUnread: Infinity, goneAfter: Infinity } as const;

export interface TimeoutParts {
  readonly inFlight: InFlight;
  readonly tally: Tally;
  readonly log: Logger;
  readonly clock: Clock;
  /** Answers say that the rows are a demo's. */
  readonly demo: boolean;
  /** Bytes that may wait for all clients together. */
  readonly mostUnread: number;
  readonly goneAfter: number;
  /** Read at every look: it may change while running. */
  requestTimeout(): Ms;
  /** What the kernel still has of each connection's answer; left out: as it says. */
  readonly queues?: typeof sendQueues;
}

/**
 * One coarse timer for all requests: to the first byte of the answer (504, and req.signal aborts with the connection), then for
 * as long as the client takes nothing of what waits for it. A request that is still being received is Node's own to time out.
 * @returns a function that stops it.
 */
export function watchTimeouts(parts: TimeoutParts): () => void {
  const every = Math.min(1_000, Math.max(20, parts.requestTimeout() / 10));
  const timer = setInterval(() => look(parts), every).unref();
  return () => clearInterval(timer);
}

/** One look at every request in flight. */
export function look(parts: TimeoutParts): void {
  const now = parts.clock.now();
  const limit = parts.requestTimeout();
  const unread = new Unread(Number.isFinite(parts.mostUnread) ? parts.inFlight : []);
  const queueOf = (parts.queues ?? sendQueues)();
  for (const exchange of parts.inFlight) {
    if (exchange.timedOut) continue;
    if (isGone(exchange, now, parts.goneAfter)) exchange.req.socket.destroy();
    else if (exchange.res.headersSent) {
      const stall = Math.min(limit, unread.bytes > parts.mostUnread ? SHORTEST_STALL : LONGEST_STALL);
      if (isStalled(exchange, { now, limit: stall, queueOf })) {
        unread.forget(exchange);
        cutOff(exchange, "the client takes no more of its answer: connection closed", parts, stall);
      }
    } else if (exchange.req.complete && between(exchange.readyAt, now) >= limit) answer504(exchange, limit, parts);
  }
  if (unread.bytes > parts.mostUnread / 2) cutSlowest(unread, { now, queueOf }, parts);
}

/** From half the limit on, rates are noted; beyond it, slow clients go. */
function cutSlowest(unread: Unread, sight: Sight, parts: TimeoutParts): void {
  for (const { first, exchanges, slow } of readersByWeight(parts.inFlight, unread, sight)) {
    if (unread.bytes <= parts.mostUnread * (slow ? 1 : REGARDLESS)) continue;
    for (const exchange of exchanges) unread.forget(exchange);
    cutOff(first, "the client takes its answer too slowly while too much waits for all: connection closed", parts);
  }
}

/** Whether nobody waits for the answer. One whose head was sent is a matter of the write stall: a client that has gone resets it. */
function isGone(exchange: Exchange, now: Instant, goneAfter: number): boolean {
  const { req, res, stream } = exchange;
  if (!Number.isFinite(goneAfter) || !req.socket.readableEnded || (res.headersSent && !stream)) return false;
  exchange.endedAt ??= now;
  return stream || between(exchange.endedAt, now) >= goneAfter;
}

function answer504(exchange: Exchange, limit: Ms, { tally, log, demo }: TimeoutParts): void {
  const { req, res } = exchange;
  if (res.socket === null) return; // queued behind another answer on this connection: that one is older, and goes first
  exchange.timedOut = true;
  exchange.reason = "request-timeout";
  tally.counters.timeouts += 1;
  const id = exchange.id();
  log.warn({ method: req.method, path: pathOf(req.url), id, limit }, "request timed out before its first byte: answered 504");
  endWithProblem(res.socket, 504, `no answer within ${limit / 1_000} s`, ours(exchange, demo));
}

/** What the worker's own answer carries. */
const ours = (exchange: Exchange, demo: boolean): string[] => [`X-Request-Id: ${exchange.id()}`, ...(demo ? ["X-Drover-Demo: 1"] : [])];

/** One look at answers that wait for their clients. */
interface Look {
  readonly now: Instant;
  /** Of a client that takes nothing. */
  readonly limit: number;
  queueOf(socket: Socket): number | undefined;
}

/** Whether the client has taken nothing for the limit. Notes its progress. */
function isStalled(exchange: Exchange, { now, limit, queueOf }: Look): boolean {
  const { socket } = exchange.res;
  if (!exchange.stream && isEventStream(exchange.res)) {
    exchange.stream = true;
    exchange.release();
  }
  if (socket === null || socket.writableLength === 0) {
    exchange.movedAt = now;
    return false;
  }
  const sent = leftSocket(socket);
  const still = between(exchange.movedAt, now);
  const queued = sent === exchange.sent && still >= limit / 2 ? queueOf(socket) : undefined;
  if (sent !== exchange.sent || (queued !== undefined && exchange.queued !== undefined && queued < exchange.queued)) {
    exchange.sent = sent;
    exchange.queued = queued;
    exchange.movedAt = now;
    return false;
  }
  if (exchange.queued !== undefined || queued === undefined) return still >= limit;
  exchange.queued = queued;
  return false;
}

function cutOff(exchange: Exchange, what: string, { tally, log }: TimeoutParts, limit?: number): void {
  exchange.timedOut = true;
  exchange.reason = "client-stalled";
  tally.counters.timeouts += 1;
  log.info({ path: pathOf(exchange.req.url), id: exchange.id(), limit }, what);
  exchange.res.socket?.destroy();
}
