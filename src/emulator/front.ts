/** The server's request listener: which of the emulator's faces a request means, its body, its fault, its answer. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Ms } from "../base/units.ts";
import { googleError, notFoundPage, type Answer } from "./answers.ts";
import { readBody } from "./body.ts";
import { carryOut, type CallPorts } from "./calls.ts";
import { answerFaults } from "./faultroute.ts";
import { Faults, takesEffect } from "./faults.ts";
import { LIMITS } from "./limits.ts";
import { misbehave } from "./misbehave.ts";
import type { TokenEndpoint } from "./oauth.ts";
import { writeAnswer, writePage } from "./respond.ts";
import { matchRoute, type Match } from "./router.ts";
import { Tally } from "./tally.ts";

export class Front {
  readonly faults = new Faults();
  readonly tally = new Tally();
  readonly #ports: CallPorts;
  readonly #tokens: TokenEndpoint;
  readonly #open: boolean;
  #closing = false;

  /** @param open whether /emulator/* may be asked for. */
  constructor(ports: CallPorts, tokens: TokenEndpoint, open: boolean) {
    this.#ports = ports;
    this.#tokens = tokens;
    this.#open = open;
  }

  async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const ended = this.tally.begin();
    res.once("close", () => ended(res.headersSent ? res.statusCode : 499));
    try {
      await this.#dispatch(req, res);
    } catch (error) {
      this.#ports.log.error({ err: error }, "a request failed inside the emulator");
      if (res.headersSent) res.destroy();
      else await this.#answer(req, res, googleError(500));
    }
  }

  async #dispatch(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path, search] = split(req.url ?? "/");
    const query = grouped(new URLSearchParams(search));
    if (path === "/token" && req.method === "POST") return this.#token(req, res);
    if (this.#open && path.startsWith("/emulator/"))
      return answerFaults(req, res, { path, faults: this.faults, requests: this.tally.requests() });
    const match = matchRoute(req.method ?? "", path);
    if (match === undefined) return writePage(res, notFoundPage(path), this.#closing);
    await this.#call(req, res, match, query);
  }

  async #call(req: IncomingMessage, res: ServerResponse, match: Match, query: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const body = await readBody(req, LIMITS.body);
    if (body === "gone") return;
    this.tally.called(match.route.id);
    const pretty = query.get("prettyPrint")?.at(-1) !== "false";
    if (body === "too large") {
      const answer = googleError(400, `Request payload size exceeds the limit: ${LIMITS.body} bytes.`);
      return this.#answer(req, res, { ...answer, headers: { Connection: "close" } }, pretty);
    }
    const fault = this.faults.take(match.route.id);
    const effective = fault === undefined || takesEffect(fault);
    const answer = effective ? await carryOut(this.#ports, { match, headers: req.headers, query, body }) : undefined;
    if (fault !== undefined) return misbehave(res, fault, answer);
    await this.#answer(req, res, answer ?? googleError(500), pretty);
  }

  async #token(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readBody(req, LIMITS.smallBody);
    if (body === "gone") return;
    this.tally.called("oauth.token");
    const form = new URLSearchParams(body === "too large" ? "" : body.toString("utf8"));
    const fault = this.faults.take("oauth.token");
    const answer = fault === undefined || takesEffect(fault) ? this.#tokens.answer(form) : undefined;
    if (fault !== undefined) return misbehave(res, fault, answer);
    await this.#answer(req, res, answer ?? googleError(500));
  }

  async #answer(req: IncomingMessage, res: ServerResponse, answer: Answer, pretty = true): Promise<void> {
    await writeAnswer(req, res, answer, { pretty, closing: this.#closing });
  }

  async close(server: Server, within: Ms): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeIdleConnections();
    const deadline = setTimeout(() => server.closeAllConnections(), within);
    await closed;
    clearTimeout(deadline);
    await this.#ports.store.close();
  }
}

const split = (url: string): [string, string] => {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
};

function grouped(parameters: URLSearchParams): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of parameters) {
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  return groups;
}
