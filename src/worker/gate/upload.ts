import { kibibytes, type Instant } from "../../base/units.ts";
import type { Body, Exchange } from "../exchange.ts";
import { forgetExpectation, sendContinue } from "../interim.ts";
import type { BodyBudget, Exceeded } from "./budget.ts";
import type { Refusal } from "./stage.ts";

export interface UploadParts {
  readonly exchange: Exchange;
  /** What the budget counts by. */
  readonly client: string | undefined;
  /** More bytes than this are not waited for. */
  readonly largest: number;
  readonly budget: BodyBudget;
  readonly refusals: Readonly<Record<Exceeded, Refusal>>;
  now(): Instant;
  /** The application reads the body, and the rest of it is on its way. */
  asked(): void;
  /** The body arrives no longer, whatever the reason. */
  over(): void;
}

type State = "fresh" | "offered" | "arriving" | "over";
type Settled = PromiseWithResolvers<Refusal | undefined>;
/** Bytes of a body before the application reads it. One read may bring more: it is kept. */
const UNASKED = kibibytes(16);
const PLACE = { arriving: 1, bytes: 0 } as const;

/** One body on its way. Takes the bytes from node:http's parser, and puts them into the request once all have come. */
export class Upload implements Body {
  /** Since when the client has been asked for the rest. */
  startedAt: Instant;
  readonly #parts: UploadParts;
  readonly #head: Settled = Promise.withResolvers();
  readonly #arrival: Settled = Promise.withResolvers();
  #state: State = "fresh";
  /** Nothing more follows. */
  #whole = false;
  readonly #push = (chunk: Buffer | null): boolean => this.#take(chunk);
  #bytes: Buffer | undefined;
  #received = 0;
  /** Bytes of memory that the budget has lent. */
  #lent = 0;

  constructor(parts: UploadParts) {
    this.#parts = parts;
    const { exchange } = parts;
    const { req } = exchange;
    this.startedAt = exchange.startedAt;
    exchange.body = this;
    req.push = this.#push;
    const read = req._read.bind(req);
    req._read = (size) => {
      this.#ask();
      read(size);
    };
  }

  /** Resolves with undefined when the application may have the head, and with it the body if that has come. */
  get head(): Promise<Refusal | undefined> {
    return this.#head.promise;
  }

  get arrival(): Promise<Refusal | undefined> {
    return this.#arrival.promise;
  }

  get received(): number {
    return this.#received;
  }

  /** The body has not come with the head: the application decides by the head whether it is read. */
  offer(): void {
    if (this.#state !== "fresh") return;
    this.#state = "offered";
    this.#head.resolve(undefined);
  }

  /** Ends it; what still comes is dropped. */
  refuse(refusal: Refusal): void {
    this.release();
    this.#parts.exchange.req.push = () => false;
    this.#head.resolve(refusal);
    this.#arrival.resolve(refusal);
  }

  /** Gives the request what has come. */
  pass(): void {
    const { req } = this.#parts.exchange;
    this.#leave();
    if (this.#bytes !== undefined) req.push(this.#bytes.subarray(0, this.#received));
    this.#bytes = undefined;
    if (this.#whole) req.push(null);
  }

  /** The exchange is over, or refused: its memory is free. */
  release(): void {
    const { budget, client } = this.#parts;
    this.#leave();
    this.#end();
    if (this.#lent > 0) budget.give(client, { arriving: 0, bytes: this.#lent });
    this.#lent = 0;
    this.#bytes = undefined;
  }

  /** The application reads: the client may send the rest, and until it has, the request needs no place. */
  #ask(): void {
    const { exchange, budget, client, refusals, now, asked } = this.#parts;
    if (this.#state !== "offered" || exchange.res.headersSent) return;
    const exceeded = budget.take(client, PLACE);
    if (exceeded !== undefined) return this.refuse(refusals[exceeded]);
    this.#state = "arriving";
    this.startedAt = now();
    exchange.release();
    sendContinue(exchange.res);
    asked();
  }

  #take(chunk: Buffer | null): boolean {
    if (chunk === null) {
      this.#whole = true;
      this.#came();
      return true;
    }
    this.#received += chunk.length;
    this.#keep(chunk);
    if (this.#state !== "over" && this.#received > this.#parts.largest) this.#came();
    return this.#state === "arriving" || this.#received < UNASKED;
  }

  /** In one piece: a client that sends byte by byte would make a thousand times its bytes of memory otherwise. */
  #keep(chunk: Buffer): void {
    const { budget, client, refusals } = this.#parts;
    const before = this.#bytes;
    const size = before === undefined || this.#received <= before.length ? (before?.length ?? chunk.length) : this.#received * 2;
    const exceeded = size === this.#lent ? undefined : budget.take(client, { arriving: 0, bytes: size - this.#lent });
    if (exceeded !== undefined) return this.refuse(refusals[exceeded]);
    this.#lent = size;
    if (before === undefined) this.#bytes = chunk;
    else {
      const used = this.#received - chunk.length;
      const bytes = size === before.length ? before : Buffer.allocUnsafeSlow(size);
      if (bytes !== before) before.copy(bytes, 0, 0, used);
      chunk.copy(bytes, used);
      this.#bytes = bytes;
    }
  }

  /** The application may have the body: now, or once the request has a place again. */
  #came(): void {
    const asked = this.#state === "arriving";
    this.#end();
    const { exchange, now } = this.#parts;
    exchange.readyAt = now();
    forgetExpectation(exchange.req, exchange.res);
    if (asked) return this.#arrival.resolve(undefined);
    this.pass();
    this.#head.resolve(undefined);
  }

  /** From now on node:http has what arrives. */
  #leave(): void {
    const { req } = this.#parts.exchange;
    if (req.push === this.#push) delete (req as Partial<typeof req>).push; // else its connection is being closed
    delete (req as Partial<typeof req>)._read;
  }

  #end(): void {
    if (this.#state === "arriving") this.#parts.budget.give(this.#parts.client, PLACE);
    if (this.#state !== "over") this.#parts.over();
    this.#state = "over";
  }
}
