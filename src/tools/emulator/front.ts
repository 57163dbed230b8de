/** The server's request listener: which of the emulator's faces a request means, its body, its fault, its answer. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { ms, type Ms } from "../../base/units.ts";
import { answerAdmin } from "./admin.ts";
import { googleError, notFoundPage, type Answer } from "./answers.ts";
import { readBody } from "./body.ts";
import { editByHand } from "./byhand.ts";
import { accept, carryOut, type Accepted, type CallPorts, type Incoming } from "./calls.ts";
import { isEdit, isRefusing, takesEffect, type Edit } from "./fault-kinds.ts";
import { Faults, type Befallen } from "./faults.ts";
import { LIMITS } from "./limits.ts";
import { misbehave } from "./misbehave.ts";
import type { TokenEndpoint } from "./oauth.ts";
import { writeAnswer, writePage } from "./respond.ts";
import { matchRoute, type Match } from "./api/router.ts";
import { Tally } from "./tally.ts";

export interface FrontOptions {
  /** Opens /emulator/ to whoever shows it. */
  readonly adminToken: string | undefined;
  readonly clock: Clock;
}

export class Front {
  readonly faults: Faults;
  readonly tally = new Tally();
  readonly #ports: CallPorts;
  readonly #tokens: TokenEndpoint;
  readonly #adminToken: string | undefined;
  /** Calls that will be carried out although their clients have been sent away. */
  readonly #late = new Set<NodeJS.Timeout>();
  #closing = false;

  constructor(ports: CallPorts, tokens: TokenEndpoint, { adminToken, clock }: FrontOptions) {
    this.#ports = ports;
    this.#tokens = tokens;
    this.#adminToken = adminToken;
    this.faults = new Faults(clock);
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
    if (this.#adminToken !== undefined && path.startsWith("/emulator/"))
      return this.#admin(req, res, this.#adminToken);
    const match = matchRoute(req.method ?? "", path);
    if (match === undefined) return writePage(res, notFoundPage(path), this.#closing);
    await this.#call(req, res, match, query);
  }

  async #call(
    req: IncomingMessage,
    res: ServerResponse,
    match: Match,
    query: ReadonlyMap<string, readonly string[]>,
  ): Promise<void> {
    const body = await readBody(req, LIMITS.body);
    if (body === "gone") return;
    this.tally.called(match.route.id);
    const pretty = query.get("prettyPrint")?.at(-1) !== "false";
    if (body === "too large") {
      const answer = googleError(
        400,
        `Request payload size exceeds the limit: ${LIMITS.body} bytes.`,
      );
      return this.#answer(req, res, { ...answer, headers: { Connection: "close" } }, pretty);
    }
    const befallen = this.faults.take(match.route.id);
    const { ending } = befallen;
    const answer = await this.#undergo(befallen, { match, headers: req.headers, query, body });
    if (ending !== undefined && !isRefusing(ending)) return misbehave(res, ending, answer);
    await this.#answer(req, res, answer ?? googleError(500), pretty);
  }

  /** @returns what the call is answered; undefined when it is not carried out, or not yet. */
  async #undergo({ passing, ending }: Befallen, incoming: Incoming): Promise<Answer | undefined> {
    const delays = passing.filter((fault) => fault.kind === "latency");
    for (const { ms: wait } of delays.filter(({ applied }) => !applied)) await sleep(wait);
    for (const fault of passing) if (isEdit(fault)) await this.#edit(fault, incoming);
    if (ending !== undefined && !takesEffect(ending)) return undefined;
    if (ending?.kind === "expired") this.#tokens.expireAll();
    const accepted = accept(
      this.#ports,
      incoming,
      ending?.kind === "quota" ? ms(ending.lockout) : undefined,
    );
    if ("refused" in accepted) return accepted.refused;
    if (ending?.kind === "late") return this.#carryOutLater(accepted, ms(ending.ms));
    const answer = await carryOut(this.#ports, accepted);
    for (const { ms: wait } of delays.filter(({ applied }) => applied)) await sleep(wait);
    return answer;
  }

  async #edit(fault: Edit, { match }: Incoming): Promise<void> {
    try {
      await editByHand(this.#ports.engine, match.path["spreadsheetId"] ?? "", fault);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#ports.log.warn(
        { edit: fault.kind, tab: fault.tab },
        `a person's edit was not possible: ${messageOf(error)}`,
      );
    }
  }

  #carryOutLater(accepted: Accepted, wait: Ms): undefined {
    if (this.#late.size >= LIMITS.late) {
      this.#ports.log.warn(
        { waiting: this.#late.size },
        "too many late calls wait: this one is never carried out",
      );
      return undefined;
    }
    const timer = setTimeout(() => {
      this.#late.delete(timer);
      void carryOut(this.#ports, accepted); // answers failures too: it never rejects
    }, wait);
    this.#late.add(timer);
    return undefined;
  }

  #admin(req: IncomingMessage, res: ServerResponse, token: string): Promise<void> {
    const { engine } = this.#ports;
    return answerAdmin(req, res, {
      token,
      engine,
      faults: this.faults,
      requests: () => this.tally.requests(),
    });
  }

  async #token(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readBody(req, LIMITS.smallBody);
    if (body === "gone") return;
    this.tally.called("oauth.token");
    const form = new URLSearchParams(body === "too large" ? "" : body.toString("utf8"));
    const { passing, ending } = this.faults.take("oauth.token");
    for (const fault of passing) if (fault.kind === "latency") await sleep(fault.ms);
    const answer =
      ending === undefined || takesEffect(ending) ? this.#tokens.answer(form) : undefined;
    if (ending !== undefined && !isRefusing(ending)) return misbehave(res, ending, answer);
    await this.#answer(req, res, answer ?? googleError(500));
  }

  async #answer(
    req: IncomingMessage,
    res: ServerResponse,
    answer: Answer,
    pretty = true,
  ): Promise<void> {
    await writeAnswer(req, res, answer, { pretty, closing: this.#closing });
  }

  async close(server: Server, within: Ms): Promise<void> {
    this.#closing = true;
    for (const timer of this.#late) clearTimeout(timer);
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeIdleConnections();
    const deadline = setTimeout(() => server.closeAllConnections(), within);
    await closed;
    clearTimeout(deadline);
    await this.#ports.engine.close();
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
