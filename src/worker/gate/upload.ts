import type { Instant } from "../../base/units.ts";
import type { Exchange } from "../exchange.ts";
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
  /** The body arrives no longer, whatever the reason. */
  over(): void;
}

type State = "fresh" | "arriving" | "over";
const PLACE = { arriving: 1, bytes: 0 } as const;

/** One body on its way. Takes the bytes from node:http's parser, and puts them into the request once all have come. */
export class Upload {
  readonly startedAt: Instant;
  /** Resolves with undefined when the application may have the request. Never resolves when the client has left. */
  readonly done: Promise<Refusal | undefined>;
  readonly #parts: UploadParts;
  readonly #settle: (refusal: Refusal | undefined) => void;
  #state: State = "fresh";
  #bytes: Buffer | undefined;
  #received = 0;
  /** Bytes of memory that the budget has lent. */
  #lent = 0;

  constructor(parts: UploadParts) {
    this.#parts = parts;
    const { exchange } = parts;
    this.startedAt = exchange.startedAt;
    ({ promise: this.done, resolve: this.#settle } = Promise.withResolvers<Refusal | undefined>());
    exchange.body = { release: () => this.#forget() };
    exchange.req.push = (chunk: Buffer | null): boolean => this.#take(chunk);
  }

  get received(): number {
    return this.#received;
  }

  /** The body has not come with the head. @returns false when it needs no waiting. */
  wait(): boolean {
    if (this.#state !== "fresh") return false;
    const { budget, client, refusals } = this.#parts;
    const exceeded = budget.take(client, PLACE);
    if (exceeded !== undefined) this.refuse(refusals[exceeded]);
    else this.#state = "arriving";
    return exceeded === undefined;
  }

  /** Ends it; what still comes is dropped. */
  refuse(refusal: Refusal): void {
    this.#end();
    this.#parts.exchange.req.push = () => true;
    this.#return();
    this.#settle(refusal);
  }

  #take(chunk: Buffer | null): boolean {
    if (chunk === null) this.#pass(true);
    else {
      this.#received += chunk.length;
      this.#keep(chunk);
      if (this.#state !== "over" && this.#received > this.#parts.largest) this.#pass(false);
    }
    return true;
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

  /** Gives the request what has come. @param whole nothing more follows. */
  #pass(whole: boolean): void {
    const { req } = this.#parts.exchange;
    this.#end();
    delete (req as Partial<typeof req>).push;
    if (this.#bytes !== undefined) req.push(this.#bytes.subarray(0, this.#received));
    this.#bytes = undefined;
    this.#parts.exchange.readyAt = this.#parts.now();
    if (whole) req.push(null);
    this.#settle(undefined);
  }

  /** The exchange is over: its memory is free. */
  #forget(): void {
    this.#end();
    this.#return();
  }

  #return(): void {
    if (this.#lent > 0) this.#parts.budget.give(this.#parts.client, { arriving: 0, bytes: this.#lent });
    this.#lent = 0;
    this.#bytes = undefined;
  }

  #end(): void {
    if (this.#state === "arriving") this.#parts.budget.give(this.#parts.client, PLACE);
    if (this.#state !== "over") this.#parts.over();
    this.#state = "over";
  }
}
