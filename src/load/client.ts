/** One request of one user, on that user's connection. */
import type { Agent, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { RequestOptions } from "node:https";
import { http, https } from "../base/http.ts";
import { errnoOf } from "../base/errors.ts";
import { Cookies } from "./cookies.ts";
import type { Outcome } from "./tally.ts";
import { serverName, type Target } from "./target.ts";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A connection that is kept, and cookies: what tells one user from another. */
export class Session {
  readonly cookies = new Cookies();
  readonly #target: Target;
  readonly #timeoutMs: number;
  readonly #agent: Agent;
  readonly #request: typeof http.request;
  signedIn = false;

  constructor(target: Target, timeoutMs: number) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    const { Agent, request } = target.protocol === "https:" ? https() : http;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    this.#request = request;
  }

  /** Never rejects: what goes wrong is an outcome. A kept connection that the server closed meanwhile is tried once more, as browsers do. */
  async send(call: Call): Promise<Outcome> {
    const first = await this.#once(call);
    if (!first.stale || call.method !== "GET") return first.outcome;
    return (await this.#once(call)).outcome;
  }

  close(): void {
    this.#agent.destroy();
  }

  #once(call: Call): Promise<{ readonly outcome: Outcome; readonly stale: boolean }> {
    const { promise, resolve } = Promise.withResolvers<{ outcome: Outcome; stale: boolean }>();
    const { address, port } = this.#target;
    const options: RequestOptions = {
      agent: this.#agent,
      host: address,
      port,
      method: call.method,
      path: call.path,
      headers: this.#headers(call),
      ...serverName(this.#target),
    };
    const req = this.#request(options, (res) => {
      let bytes = 0;
      this.cookies.take(res.headers["set-cookie"]);
      res.on("data", (chunk: Buffer) => (bytes += chunk.length));
      res.on("end", () => finish({ ...fateOf(res.statusCode ?? 0, res.headers), bytes }));
      res.on("error", (error) => finish({ fate: "error", why: whyOf(error), bytes }));
    });
    const patience = setTimeout(() => {
      finish({ fate: "timeout", why: "timeout", bytes: 0 });
      req.destroy();
    }, this.#timeoutMs);
    const finish = (outcome: Outcome, stale = false): void => {
      clearTimeout(patience);
      resolve({ outcome, stale });
    };
    req.on("error", (error) => finish({ fate: "error", why: whyOf(error), bytes: 0 }, req.reusedSocket && errnoOf(error) === "ECONNRESET"));
    req.end(call.body);
    return promise;
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

const LONGEST_WHY = 60;
const whyOf = (error: Error): string => (errnoOf(error) ?? error.message).slice(0, LONGEST_WHY);

/** What an answer counts as. 304 is one: the client asked whether anything is new. */
export function fateOf(status: number, headers: IncomingHttpHeaders): Pick<Outcome, "fate" | "why"> {
  if ((status >= 200 && status < 300) || status === 304) return { fate: "ok", why: "" };
  const reason = headers["x-drover-refused"];
  if ((status === 503 || status === 429) && typeof reason === "string") return { fate: "refused", why: reason.slice(0, LONGEST_WHY) };
  return { fate: status === 503 ? "unexpected503" : "error", why: `HTTP ${status}` };
}
