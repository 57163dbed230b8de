import type { IncomingMessage, ServerResponse } from "node:http";
import type { Instant } from "../base/units.ts";
import type { Seat } from "./connections.ts";
import type { Refusal } from "./gate/stage.ts";
import { peerOf } from "./peer.ts";
import { requestId } from "./requestid.ts";

/** A place among the requests in flight. */
export interface Permit {
  /** @throws AssertionError when called twice: a bug. */
  release(): void;
}

/** A body that the worker receives for the application. */
export interface Body extends Permit {
  /** Resolves when a body that the application reads has come, or is refused. Never when it came with its head, or the client has left. */
  readonly arrival: Promise<Refusal | undefined>;
  /** Gives the application what has arrived. */
  pass(): void;
}

/** One request that is being answered by the application. */
export class Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly startedAt: Instant;
  /** When its body had arrived: from then on it waits for the service, not for its client. */
  readyAt: Instant;
  readonly seat: Seat | undefined;
  /** Held while the application works on it; given back once, at the latest when the answer is over. */
  permit: Permit | undefined = undefined;
  /** What the worker holds of its body. */
  body: Body | undefined = undefined;
  /** The body of its answer, if that is a buffer which other answers share. */
  shared: Buffer | undefined = undefined;
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
  /** Why the worker itself answered, or hung up, in one word. */
  reason: string | undefined = undefined;
  /** Bytes that its connection had sent before it; undefined: an answer before it was still on its way (pipelining). */
  readonly sentBefore: number | undefined;
  #id: string | undefined = undefined;
  /** When its client was seen to have ended its side of the connection. */
  endedAt: Instant | undefined = undefined;
  /** Bytes that had left at the last look, and when they last moved: for the write-stall timeout. */
  sent = 0;
  movedAt: Instant;
  /** Bytes in the kernel that the client had not acknowledged at the last look; undefined: it was not looked at, or is not known. */
  queued: number | undefined = undefined;
  /** Bytes that the client had acknowledged on this connection at the first look at its rate: see slowreaders.ts. */
  seen: { readonly at: Instant; readonly received: number } | undefined = undefined;
  /** Set by the gate's address stage; the peer's address without it. */
  whose: ((req: IncomingMessage) => string) | undefined = undefined;

  constructor(req: IncomingMessage, res: ServerResponse, seat: Seat | undefined, now: Instant) {
    this.req = req;
    this.res = res;
    this.seat = seat;
    this.startedAt = now;
    this.readyAt = now;
    this.movedAt = now;
    const { socket } = req;
    const writing = (socket as unknown as { _httpMessage?: unknown })._httpMessage ?? res;
    this.sentBefore = writing === res ? socket.bytesWritten : undefined;
  }

  /** What the answer calls itself, or would have: for the log. */
  id(): string {
    const said = this.res.getHeader("x-request-id");
    return typeof said === "string" ? said : (this.#id ??= requestId(this.req));
  }

  /** Bytes of the body that left, with their framing: what the client was promised is not what it got when somebody hung up. */
  bytes(): number {
    const { req, res, sentBefore } = this;
    const { _header: head } = res as unknown as { _header?: string | null };
    const left = sentBefore === undefined ? Infinity : req.socket.bytesWritten - sentBefore - (head?.length ?? 0);
    const length = Number(req.method === "HEAD" ? 0 : (res.getHeader("content-length") ?? Infinity));
    const bytes = Math.max(0, Math.min(left, length));
    return Number.isFinite(bytes) ? bytes : 0;
  }

  /** The client's address, worked out at the first use only. */
  client(): string {
    return this.whose?.(this.req) ?? peerOf(this.req.socket);
  }

  /** The answer is made, or the client has left: gives back everything. May be called again. */
  end(): void {
    this.release();
    this.body?.release();
    this.body = undefined;
  }

  /** Gives the permit back if there is one: before the end for a stream, at the end for the rest. */
  release(): void {
    const { permit } = this;
    this.permit = undefined;
    permit?.release();
  }
}
