/** One request of one user, on that user's connection. */
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { RequestOptions } from "node:https";
import { http, https } from "../base/http.ts";
import { errnoOf } from "../base/errors.ts";
import { Cookies } from "./cookies.ts";
import type { Outcome } from "./tally.ts";
import { tlsOptions, type Target } from "./target.ts";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * ms. A request that a server's idle close has crossed may be sent again (RFC 9112, 9.3.1), and one that a dying server has dropped is lost; on
 * the wire both are a connection that ends without an answer. One that was used less long ago is not closed for its rest: the shortest wait is 2 s
 * (Gunicorn; a drover worker that drains, DROVER_DRAIN_IDLE), and the answer's way here is taken off. Only a server at its cap of connections is
 * less patient, and that is its failure. The usual users, who pause for 1.5 s at most, never ask twice.
 */
const RESTED = 1_750;
/** ms: the way there and back, on a busy machine. What breaks later had been taken to be answered. */
const AT_ONCE = 500;

interface Attempt {
  readonly outcome: Outcome;
  /** A connection that had been kept ended without a byte of an answer. */
  readonly unheard: boolean;
}

/** A connection that is kept, and cookies: what tells one user from another. */
export class Session {
  readonly cookies = new Cookies();
  readonly #target: Target;
  readonly #timeoutMs: number;
  readonly #agent: Agent;
  readonly #request: typeof http.request;
  readonly #from: Pick<RequestOptions, "localAddress">;
  /** Monotonic ms: when the last answer was read whole. */
  #answeredAt = Infinity;
  signedIn = false;

  /** @param from the local address to connect from; the kernel's choice when it is undefined. */
  constructor(target: Target, timeoutMs: number, from?: string) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.#from = from === undefined ? {} : { localAddress: from };
    const { Agent, request } = target.protocol === "https:" ? https() : http;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    this.#request = request;
  }

  /** Never rejects: what goes wrong is an outcome. A GET that met the server's close of an idle connection is sent once more. */
  async send(call: Call): Promise<Outcome> {
    const sentAt = performance.now();
    const rested = sentAt - this.#answeredAt >= RESTED;
    const { outcome, unheard } = await this.#once(call);
    const isIdleClose = unheard && rested && performance.now() - sentAt <= AT_ONCE;
    if (!isIdleClose || call.method !== "GET") return outcome;
    return { ...(await this.#once(call)).outcome, retried: true };
  }

  close(): void {
    this.#agent.destroy();
  }

  #once(call: Call): Promise<Attempt> {
    const { promise, resolve } = Promise.withResolvers<Attempt>();
    const finish = (outcome: Outcome, unheard = false): void => {
      clearTimeout(patience);
      resolve({ outcome, unheard });
    };
    const fail = (why: string, unheard = false): void => finish({ fate: "error", why, bytes: 0 }, unheard);
    let req: ClientRequest | undefined;
    const patience = setTimeout(() => {
      finish({ fate: "timeout", why: "timeout", bytes: 0 });
      req?.destroy();
    }, this.#timeoutMs);
    try {
      req = this.#request(this.#options(call), (res) => this.#read(res, finish));
      this.#watch(req, fail);
      req.end(call.body);
    } catch (error) {
      fail(whyOf(error as Error)); // headers that Node.js refuses to send
      req?.destroy();
    }
    return promise;
  }

  #read(res: IncomingMessage, finish: (outcome: Outcome) => void): void {
    let bytes = 0;
    this.cookies.take(res.headers["set-cookie"]);
    res.on("data", (chunk: Buffer) => (bytes += chunk.length));
    res.on("end", () => {
      this.#answeredAt = performance.now();
      finish({ ...fateOf(res.statusCode ?? 0, res.headers), bytes });
    });
    res.on("error", (error) => finish({ fate: "error", why: whyOf(error), bytes }));
  }

  /** What may come instead of an answer. */
  #watch(req: ClientRequest, fail: (why: string, unheard?: boolean) => void): void {
    let before = 0;
    req.once("socket", ({ bytesRead }) => (before = bytesRead));
    // Node.js hands the socket over and says nothing more of the request.
    req.on("upgrade", ({ statusCode }, socket) => {
      socket.destroy();
      fail(`HTTP ${statusCode}`);
    });
    req.on("error", (error) => {
      const broke = BROKEN.has(errnoOf(error) ?? "") && req.socket?.bytesRead === before;
      fail(whyOf(error), req.reusedSocket && broke);
    });
  }

  #options(call: Call): RequestOptions {
    const { address, port } = this.#target;
    return {
      agent: this.#agent,
      host: address,
      port,
      method: call.method,
      path: call.path,
      headers: this.#headers(call),
      ...tlsOptions(this.#target),
      ...this.#from,
    };
  }

  #headers(call: Call): OutgoingHttpHeaders {
    const cookie = this.cookies.line();
    return {
      host: this.#target.host,
      "user-agent": "drover-load",
      accept: "*/*",
      ...(cookie === undefined ? {} : { cookie }),
      ...(call.body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(call.body) }),
      ...call.headers,
    };
  }
}

/** The other end has closed it: as it is read, and as it is written. */
const BROKEN: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);
const LONGEST_WHY = 60;
const whyOf = (error: Error): string => (errnoOf(error) ?? error.message).slice(0, LONGEST_WHY);

/** What an answer counts as. 304 is one: the client asked whether anything is new. */
export function fateOf(status: number, headers: IncomingHttpHeaders): Pick<Outcome, "fate" | "why"> {
  if ((status >= 200 && status < 300) || status === 304) return { fate: "ok", why: "" };
  const reason = headers["x-drover-refused"];
  if ((status === 503 || status === 429) && typeof reason === "string") return { fate: "refused", why: reason.slice(0, LONGEST_WHY) };
  return { fate: status === 503 ? "unexpected503" : "error", why: `HTTP ${status}` };
}
