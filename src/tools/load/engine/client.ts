/** One user's connection and cookies. */
import type {
  Agent,
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
} from "node:http";
import type { RequestOptions } from "node:https";
import { http, https } from "../../../base/http.ts";
import { errnoOf } from "../../../base/errors.ts";
import { tlsOptions, type Target } from "../../../load/target.ts";
import { Cookies } from "./cookies.ts";
import type { Answer } from "./counts.ts";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * ms. On the wire, a connection that the server closed because it was idle (the request may be
 * repeated: RFC 9112, 9.3.1) looks like one of a server that died with the request. Servers wait
 * for 2 s at least before an idle close (Gunicorn; a draining drover worker, DROVER_DRAIN_IDLE);
 * 0.25 s are for the way of the last answer. Users who think for up to 1.5 s never repeat.
 */
const IDLE = 1_750;
/** ms: there and back on a busy machine. What breaks later had reached the server. */
const AT_ONCE = 500;

interface Attempt {
  readonly answer: Answer;
  /** A kept connection ended without a byte of an answer. */
  readonly brokeUnheard: boolean;
}

export class Client {
  readonly #cookies = new Cookies();
  readonly #timeoutMs: number;
  readonly #agent: Agent;
  readonly #request: typeof http.request;
  /** What all requests have in common. */
  readonly #options: RequestOptions;
  readonly #host: string;
  /** Monotonic ms: when the last answer was read whole. */
  #answeredAt = Infinity;

  /** @param from the local address to connect from; undefined: the kernel chooses. */
  constructor(target: Target, timeoutMs: number, from?: string) {
    const { Agent, request } = target.protocol === "https:" ? https() : http;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    this.#request = request;
    this.#timeoutMs = timeoutMs;
    this.#host = target.host;
    this.#options = {
      agent: this.#agent,
      host: target.address,
      port: target.port,
      ...tlsOptions(target),
      ...(from === undefined ? {} : { localAddress: from }),
    };
  }

  /** Never rejects. Repeats a GET once if an idle close met it. */
  async send(call: Call): Promise<Answer> {
    const sentAt = performance.now();
    const wasIdle = sentAt - this.#answeredAt >= IDLE;
    const { answer, brokeUnheard } = await this.#attempt(call);
    const isIdleClose = brokeUnheard && wasIdle && performance.now() - sentAt <= AT_ONCE;
    if (!isIdleClose || call.method !== "GET") return answer;
    return { ...(await this.#attempt(call)).answer, retried: true };
  }

  close(): void {
    this.#agent.destroy();
  }

  #attempt(call: Call): Promise<Attempt> {
    const { promise, resolve } = Promise.withResolvers<Attempt>();
    const finish = (answer: Answer, brokeUnheard = false): void => {
      clearTimeout(patience);
      resolve({ answer, brokeUnheard });
    };
    const fail = (reason: string, brokeUnheard = false): void =>
      finish({ outcome: "error", reason }, brokeUnheard);
    let req: ClientRequest | undefined;
    const patience = setTimeout(() => {
      finish({ outcome: "timeout", reason: "timeout" });
      req?.destroy();
    }, this.#timeoutMs);
    const { method, path, body } = call;
    try {
      const options = { ...this.#options, method, path, headers: this.#headers(call) };
      req = this.#request(options, (res) => this.#read(res, finish));
      watch(req, fail);
      req.end(body);
    } catch (error) {
      fail(reasonOf(error as Error)); // headers that Node.js refuses to send
      req?.destroy();
    }
    return promise;
  }

  #read(res: IncomingMessage, finish: (answer: Answer) => void): void {
    this.#cookies.take(res.headers["set-cookie"]);
    res.resume();
    res.on("end", () => {
      this.#answeredAt = performance.now();
      finish(answerOf(res.statusCode ?? 0, res.headers));
    });
    res.on("error", (error) => finish({ outcome: "error", reason: reasonOf(error) }));
  }

  #headers({ headers, body }: Call): OutgoingHttpHeaders {
    const cookie = this.#cookies.header;
    return {
      host: this.#host,
      "user-agent": "drover-load",
      accept: "*/*",
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...headers,
    };
  }
}

/** Events that come instead of an answer. */
function watch(req: ClientRequest, fail: (reason: string, brokeUnheard?: boolean) => void): void {
  let before = 0;
  req.once("socket", ({ bytesRead }) => (before = bytesRead));
  // Node.js hands the socket over and reports nothing more of the request.
  req.on("upgrade", ({ statusCode }, socket) => {
    socket.destroy();
    fail(`HTTP ${statusCode}`);
  });
  req.on("error", (error) => {
    const broke = BROKEN.has(errnoOf(error) ?? "") && req.socket?.bytesRead === before;
    fail(reasonOf(error), req.reusedSocket && broke);
  });
}

/** The other end closed the connection, noticed while reading and while writing. */
const BROKEN: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);
/** Characters. */
const LONGEST_REASON = 60;
const reasonOf = (error: Error): string =>
  (errnoOf(error) ?? error.message).slice(0, LONGEST_REASON);

export function answerOf(status: number, headers: IncomingHttpHeaders): Answer {
  if ((status >= 200 && status < 300) || status === 304) return { outcome: "ok", reason: "" };
  const refusal = headers["x-drover-refused"];
  if ((status === 503 || status === 429) && typeof refusal === "string")
    return { outcome: "refused", reason: refusal.slice(0, LONGEST_REASON) };
  return { outcome: status === 503 ? "unexpected503" : "error", reason: `HTTP ${status}` };
}
