/** Answers a request: route → fault → authenticate → quota → latency → engine → answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { DroverError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { ms, type Ms } from "../../base/units.ts";
import { isRead } from "./api/discovery.ts";
import { matchRoute, type Match } from "./api/router.ts";
import { authenticate, authorize, type Credentials, type Sharing } from "./authorization.ts";
import { answerControl } from "./control-routes.ts";
import type { FaultQueue, FaultsForCall } from "./faults/fault-queue.ts";
import { runsCall, type Delay, type Edit } from "./faults/fault.ts";
import { personAt } from "./faults/manual-edits.ts";
import { respondWithFault } from "./faults/response-faults.ts";
import { GoogleError, notFoundPage, type Answer } from "./google-errors.ts";
import { LIMITS } from "./limits.ts";
import { quotaExceeded, type Quota } from "./quota.ts";
import { parseJson, readBody } from "./read-body.ts";
import type { RequestCounters } from "./request-counters.ts";
import type { DurableEngine } from "./state-file.ts";
import type { TokenEndpoint } from "./token-endpoint.ts";
import { writeAnswer, writePage } from "./write-response.ts";

/** Rejects when it is aborted. */
export type Sleep = (wait: Ms, signal?: AbortSignal) => Promise<void>;

export interface HandlerPorts {
  readonly engine: DurableEngine;
  readonly tokens: TokenEndpoint;
  /** Spreadsheets that are missing here are shared as Editor. */
  readonly sharing: ReadonlyMap<string, Sharing>;
  readonly quota: Quota;
  /** The whole server time of one call of a method. */
  readonly latency: (method: string) => Ms;
  readonly sleep: Sleep;
  readonly faults: FaultQueue;
  readonly counters: RequestCounters;
  /** Opens the control routes. */
  readonly adminToken: string | undefined;
  readonly log: Logger;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly isPretty?: boolean;
}

interface Call extends Credentials {
  readonly match: Match;
  readonly body: Buffer;
}

export class RequestHandler {
  readonly #ports: HandlerPorts;
  readonly #closing = new AbortController();
  /** Calls that run after their answer. */
  #late = 0;

  constructor(ports: HandlerPorts) {
    this.#ports = ports;
  }

  /** Late calls no longer run, and clients leave their connections. */
  close(): void {
    this.#closing.abort();
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { counters, log } = this.#ports;
    counters.begin();
    res.once("close", () => counters.end(res.headersSent ? res.statusCode : 499));
    try {
      await this.#route({ req, res });
    } catch (error) {
      log.error({ err: error }, "a request failed inside the emulator");
      if (res.headersSent) res.destroy();
      else await this.#write({ req, res }, new GoogleError(500).answer);
    }
  }

  async #route({ req, res }: Exchange): Promise<void> {
    const { adminToken: token, counters, engine, faults } = this.#ports;
    const [, path = "", search = ""] = /^([^?]*)\??(.*)$/.exec(req.url ?? "/") ?? [];
    if (path === "/token" && req.method === "POST") return this.#token({ req, res });
    if (token !== undefined && path.startsWith("/emulator/"))
      return answerControl(req, res, { token, faults, engine, counters });
    const match = matchRoute(req.method ?? "", path);
    if (match === undefined) return writePage(res, notFoundPage(path), this.#isClosing());
    const query = lists(search);
    const isPretty = query["prettyPrint"]?.at(-1) !== "false";
    await this.#call({ req, res, isPretty }, match, query);
  }

  async #call(exchange: Exchange, match: Match, query: Call["query"]): Promise<void> {
    const { headers } = exchange.req;
    const body = await readBody(exchange.req, LIMITS.body);
    if (body === "gone") return;
    const method = match.route.id;
    this.#ports.counters.called(method);
    if (body === "too large") {
      const message = `Request payload size exceeds the limit: ${LIMITS.body} bytes.`;
      const { answer } = new GoogleError(400, message, [], { Connection: "close" });
      return this.#write(exchange, answer);
    }
    const faults = this.#ports.faults.take(method);
    const answer = await this.#runWithFaults(faults, { method, match, headers, query, body });
    await this.#respond(exchange, faults, answer);
  }

  async #token(exchange: Exchange): Promise<void> {
    const { counters, faults: queue, tokens } = this.#ports;
    const body = await readBody(exchange.req, LIMITS.smallBody);
    if (body === "gone") return;
    counters.called("oauth.token");
    const form = new URLSearchParams(body === "too large" ? "" : body.toString("utf8"));
    const faults = queue.take("oauth.token");
    const { delays, response } = faults;
    await this.#pause(delays, false);
    const isRun = response === undefined || runsCall(response);
    const answer = isRun ? tokens.answer(form) : undefined;
    await this.#pause(delays, true);
    await this.#respond(exchange, faults, answer);
  }

  /** @returns undefined when the call does not run, or not yet. */
  async #runWithFaults(faults: FaultsForCall, call: Call): Promise<Answer | undefined> {
    const { delays, edits, response } = faults;
    await this.#pause(delays, false);
    for (const edit of edits) await this.#edit(edit, call);
    if (response !== undefined && !runsCall(response)) return undefined;
    try {
      this.#admit(call, response);
    } catch (error) {
      if (error instanceof GoogleError) return error.answer;
      throw error;
    }
    if (response?.kind === "late") return this.#runLater(call, ms(response.ms));
    const answer = await this.#run(call);
    await this.#pause(delays, true);
    return answer;
  }

  /** @throws GoogleError for a caller without a valid token, or over the quota. */
  #admit(call: Call, fault: FaultsForCall["response"]): void {
    const { quota, tokens } = this.#ports;
    if (fault?.kind === "expired") tokens.expireAll();
    authenticate(tokens, call);
    const pool = isRead(call.method) ? "read" : "write";
    if (fault?.kind === "quota") quota.lock(pool, ms(fault.lockout));
    const exceeded = quota.take(pool);
    if (exceeded !== undefined) throw quotaExceeded(exceeded);
  }

  /** Half of the latency passes before the effect, half after it. */
  async #run(call: Call): Promise<Answer> {
    const { latency, sleep } = this.#ports;
    const half = ms(latency(call.method) / 2);
    if (half > 0) await sleep(half);
    const answer = await this.#execute(call);
    if (half > 0) await sleep(half);
    return answer;
  }

  async #execute({ method, match: { route, path }, query, body }: Call): Promise<Answer> {
    const { engine, log, sharing } = this.#ports;
    try {
      const parsed = route.request === undefined ? undefined : parseJson(body);
      authorize(sharing.get(path["spreadsheetId"] ?? "") ?? "editor", method);
      return await engine.call({ method, path, query, body: parsed });
    } catch (error) {
      if (error instanceof GoogleError) return error.answer;
      if (error instanceof DroverError) return new GoogleError(503).answer;
      log.error({ err: error, method }, "the engine failed on a call");
      return new GoogleError(500).answer;
    }
  }

  #runLater(call: Call, wait: Ms): undefined {
    const { log, sleep } = this.#ports;
    if (this.#late >= LIMITS.late) {
      log.warn({ waiting: this.#late }, "too many late calls: this one never runs");
      return;
    }
    this.#late += 1;
    void sleep(wait, this.#closing.signal)
      .finally(() => (this.#late -= 1))
      .then(
        () => this.#run(call),
        () => {}, // the emulator is closing
      );
  }

  async #pause(delays: readonly Delay[], isApplied: boolean): Promise<void> {
    for (const { ms: wait, applied } of delays)
      if (applied === isApplied) await this.#ports.sleep(ms(wait));
  }

  async #edit(edit: Edit, { match }: Call): Promise<void> {
    try {
      await personAt(this.#ports.engine, match.path["spreadsheetId"] ?? "").edit(edit);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const { kind, tab } = edit;
      this.#ports.log.warn({ edit: kind, tab }, `a manual edit failed: ${messageOf(error)}`);
    }
  }

  /** @param answer undefined when the call has not run. */
  async #respond(exchange: Exchange, { response }: FaultsForCall, answer?: Answer): Promise<void> {
    if (response === undefined || response.kind === "quota" || response.kind === "expired")
      return this.#write(exchange, answer ?? new GoogleError(500).answer);
    await respondWithFault(exchange.res, response, answer);
  }

  #write({ req, res, isPretty = true }: Exchange, answer: Answer): Promise<void> {
    return writeAnswer(req, res, answer, { isPretty, isClosing: this.#isClosing() });
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }
}

/** Query parameters by name; repeated ones in order. */
function lists(search: string): Call["query"] {
  const groups = Map.groupBy(new URLSearchParams(search), ([name]) => name);
  return Object.fromEntries(
    Array.from(groups, ([name, pairs]) => [name, pairs.map(([, value]) => value)]),
  );
}
