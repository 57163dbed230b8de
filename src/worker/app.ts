/**
 * The contract between a worker and the application it serves. A worker knows no application: it loads a module by
 * path and finds out which of four forms it has.
 *
 *   Fastify plugin         export default async function (fastify, options) { … }
 *   listener               export default (req, res) => { … }
 *   fetch object           export default { fetch(request) { … } }
 *   plain script           anything that calls http.createServer(…).listen(…) itself: its first listen gets the held handles
 *
 * A script is known by its call of `listen` while it loads; a fetch object by its `fetch`. A function is told by, in this
 * order: `export const form`; fastify-plugin's marks on it; its first parameter's name (`req`, `request` … or `fastify`,
 * `app` …); one or three parameters, which mean a plugin. What is still ambiguous is refused with that advice.
 * A Fastify plugin may `export const options = { bodyLimit, … }` for the instance that the worker makes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Instant, Timestamp } from "../base/units.ts";

export type Form = "fastify" | "listener" | "fetch" | "script";

export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

export interface FetchApplication {
  fetch(request: Request): Response | Promise<Response>;
}

/**
 * Where a prepared answer's content comes from (a table): shared by all answers made from it and changed in place, so
 * that a refresh which brought the same rows makes every one of them fresh again without touching them.
 */
export interface PreparedSource {
  /** Changes when the content changes: an answer of another version is dead. */
  version: number;
  /** Wall clock of the last time the content was known to be true: Age counts from it. */
  checkedAt: Timestamp;
  /** Until then a prepared answer is a HIT; then STALE and `expired()` is called; from `staleUntil` on it is not used at all. */
  freshUntil: Instant;
  staleUntil: Instant;
  /** Why the last refresh failed, as one word (RFC 9110 token): what is then answered as STALE says it in `X-Cache-Reason`. */
  readonly reason?: string | undefined;
  /** Asks for a refresh. Called at every stale hit, so it must be cheap and must not throw. */
  expired(): void;
}

/** An answer to one GET target for one audience, ready to be written. */
export interface PreparedAnswer {
  readonly source: PreparedSource;
  /** The source's version that the bytes were made from. */
  readonly version: number;
  /** Flat name, value, name, value …, without ETag, Content-Length, Content-Encoding, Date, Age, X-Cache and X-Request-Id. */
  readonly head: readonly string[];
  /** Opaque tag without quotes and without the encoding's suffix. */
  readonly etag: string;
  readonly bodies: { readonly identity: Buffer; gzip?: Buffer; br?: Buffer };
}

/** Somebody who is known. */
export interface Reader {
  /** Whose answers they may have, the likeliest first: names without an end in a blank. */
  readonly audiences: readonly string[];
  /** Such an answer is about to be written; headers may be set on it. */
  answered(req: IncomingMessage, res: ServerResponse): void;
}

/** The worker's store of prepared answers. Bounded in bytes; the least recently used go first. */
export interface PreparedAnswers {
  /**
   * @param target the request target exactly as clients send it: `/api/tables/players?limit=3`.
   * @param audience the only ones that it is for; undefined: everybody.
   */
  put(target: string, answer: PreparedAnswer, audience?: string): void;
  /** Says who may be given answers of an audience. Asked only for requests with a cookie, when no answer of everybody's is there. */
  identify(reader: (req: IncomingMessage) => Reader | undefined): void;
  /** Writes an answer as the hit path would (conditional requests and encodings included). */
  send(req: IncomingMessage, res: ServerResponse, answer: PreparedAnswer, cache: "HIT" | "MISS" | "STALE"): void;
  clear(): void;
}

/** Who sends a request. */
export interface Clients {
  /**
   * The client's address: the peer's, or, when the peer is a trusted proxy, the rightmost untrusted one that it names. An
   * address in text, IPv4 in its dotted form; `unix` for a peer on a unix socket, `unknown` for one that had gone already.
   */
  addressOf(req: IncomingMessage): string;
  /** Whether the client speaks HTTPS: a trusted proxy says so (X-Forwarded-Proto, or Forwarded). */
  isSecure(req: IncomingMessage): boolean;
  /**
   * The same, for counting: undefined when it would be that of a proxy which does not say for whom it asks, so that its clients are
   * not taken for one.
   */
  countable(req: IncomingMessage): string | undefined;
}

const REASON = Symbol.for("drover.reason");

/** Says in one word why an answer is no good one: it stands on the request's line in the log. */
export function explain(res: ServerResponse, reason: string): void {
  (res as Explained)[REASON] = reason;
}

/** What `explain` said of it. */
export const explained = (res: ServerResponse): string | undefined => (res as Explained)[REASON];

type Explained = ServerResponse & { [REASON]?: string };

/** What the worker must know of answers without an end. */
export interface Streams {
  /** This answer is an event stream: it stops counting against admission now, and a drain ends it at once. */
  opened(res: ServerResponse): void;
  /** This answer waits for what its client asked to wait for: how long it takes is counted nowhere as ours. */
  waits(res: ServerResponse): void;
}

/** CPU-bound work off the loop, in a bounded pool of threads (piscina), started at the first use. */
export interface Threads {
  /**
   * @param module exports a default function, or the one named by `options.name`, that gets `task` and returns the result.
   * @throws Error with code `THREADS_BUSY` when the queue is full (the caller answers 503), AbortError when `signal` aborts.
   */
  run<T>(module: URL, task: unknown, options?: { signal?: AbortSignal; name?: string }): Promise<T>;
}

declare module "../base/runtime.ts" {
  interface Services {
    /** Only for the built-in service: a foreign application keeps all its routes. */
    readonly prepared: PreparedAnswers;
    readonly threads: Threads;
    readonly clients: Clients;
    readonly streams: Streams;
  }
}
