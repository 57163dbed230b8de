/**
 * Where requests to the administration arrive: in a worker beside the built-in service, or in the master on an address of its own. Health
 * and the dashboard's files are answered here; who shows no good key is refused here; the rest is passed on.
 *
 *   health, files ─→ answered          wrong key ─→ counted ─→ 401, 403, 421, or 429          good key ─→ forward ─→ the master's answer
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { findKey, type AdminKeys } from "../../base/adminkeys.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Health } from "../../base/protocol.ts";
import { ms, type Ms } from "../../base/units.ts";
import { BAD_LOGIN, readLogin } from "../login.ts";
import { cookieIn } from "../cookie.ts";
import { hostAllowed } from "../hosts.ts";
import { FOREIGN_HOST, judge, NOBODY, type Verdict } from "../judge.ts";
import type { Pages } from "../pages.ts";
import { json, LARGEST_BODY, pathOf, problem, queryOf, type AdminAnswer, type AdminRequest, type Wrong } from "../request.ts";
import { isAdminPath } from "../routes.ts";
import { Throttle } from "../../base/throttle.ts";
import { healthAnswer } from "../views/health.ts";
import { readText, write } from "./io.ts";

export interface EdgeParts {
  readonly pages: Pages;
  readonly clock: Clock;
  readonly log: Logger;
  /** Names in Host beside localhost and addresses. */
  hosts(): readonly string[];
  /** False: the administration is somewhere else, and only health is answered here. */
  readonly here: boolean;
  keys(): AdminKeys;
  /** Resolves at the next change of the keys, or after `within`. */
  keysChange(within: Ms): Promise<void>;
  /** Passes a request of somebody who may ask on to the master. Never rejects. @param first an operator: viewers wait behind. */
  forward(request: AdminRequest, first: boolean): Promise<AdminAnswer>;
}

/** What only the place knows where the request arrived. */
export interface Arrival {
  readonly client: string;
  readonly requestId: string;
  /** It came over HTTPS, to us or to a proxy that we trust. */
  readonly secure: boolean;
  readonly health: Health;
  /** Counts a try that was wrong. @returns how long its client must wait when there were too many; 0: there were not. */
  strike(): Promise<Ms>;
}

/** A browser that has just logged in may come to a worker that has not heard of it yet. */
const NEWS_TAKE = ms(150);
const MOST_WAITING = 32;

export class Edge {
  readonly #parts: EdgeParts;
  /** Lines about refusals: a flood of them fills no disk. */
  readonly #lines = new Throttle({ perSecond: 0.2, burst: 20 });
  #unsaid = 0;
  #waiting = 0;

  constructor(parts: EdgeParts) {
    this.#parts = parts;
  }

  /** Whether a request is the administration's. @param target as in the request line. */
  owns(target: string): boolean {
    return isAdminPath(pathOf(target));
  }

  /** Answers; never throws. */
  answer(req: IncomingMessage, res: ServerResponse, arrival: Arrival): void {
    this.#answer(req, arrival)
      .catch((error: unknown) => {
        this.#parts.log.error({ err: error, id: arrival.requestId }, `the administration's door failed: ${messageOf(error)}`);
        return problem({ status: 500, code: "bug", detail: "a fault of drover: the log has it" });
      })
      .then((answer) => write(req, res, answer))
      .catch((error: unknown) => void res.destroy(error instanceof Error ? error : undefined));
  }

  async #answer(req: IncomingMessage, arrival: Arrival): Promise<AdminAnswer> {
    const { method = "", url: target = "/", headers } = req;
    const { client, requestId, secure } = arrival;
    const path = pathOf(target);
    const asked = { method, target, headers, client, requestId, secure };
    if (path === "/api/admin/health" && (method === "GET" || method === "HEAD")) return await this.#health(asked, arrival);
    if (!this.#parts.here) return problem(ELSEWHERE);
    if (path === "/admin" || path.startsWith("/admin/")) return await this.#page(req, path, arrival);
    const verdict = await this.#judge(asked);
    if (verdict.is === "refused") return await this.#refuse(verdict.wrong, verdict.counts, arrival, path);
    if (verdict.route.needs === "session" && verdict.caller === undefined) return json(200, { success: true, logged_in: false });
    const body = await readText(req, LARGEST_BODY);
    if (body === undefined) return problem({ ...TOO_LARGE, headers: { Connection: "close" } });
    if (verdict.route.needs === "login" && !(await this.#isGoodLogin(body))) return await this.#refuse(BAD_LOGIN, true, arrival, path);
    return await this.#parts.forward({ ...asked, body }, verdict.caller?.key.role === "operator" || verdict.route.needs === "login");
  }

  /** In full from the master for a known key; without one, or while the master does not answer, the minimal view. */
  async #health(asked: Omit<AdminRequest, "body">, arrival: Arrival): Promise<AdminAnswer> {
    const minimal = healthAnswer(arrival.health, queryOf(asked.target));
    const { hosts, clock, keys, here, forward } = this.#parts;
    const verdict = judge(asked, { keys: keys(), hosts: hosts(), wall: clock.wall() });
    if (!here || verdict.is === "refused") return minimal;
    if (verdict.caller === undefined) {
      const isWrong = asked.headers.authorization !== undefined && hostAllowed(asked.headers.host, hosts());
      if (isWrong) await this.#refuse(NOBODY, true, arrival, pathOf(asked.target)); // counted and logged
      return minimal;
    }
    const full = await forward({ ...asked, body: "" }, verdict.caller.key.role === "operator");
    return "X-Drover-Refused" in full.headers || full.status === 429 ? minimal : full;
  }

  async #page({ method = "", headers }: IncomingMessage, path: string, arrival: Arrival): Promise<AdminAnswer> {
    if (!hostAllowed(headers.host, this.#parts.hosts())) return await this.#refuse(FOREIGN_HOST, true, arrival, path);
    if (method !== "GET" && method !== "HEAD")
      return problem({ status: 405, code: "method", detail: "this takes GET", headers: { Allow: "GET, HEAD" } });
    return this.#parts.pages.answer(path, headers) ?? problem({ status: 404, code: "unknown-path", detail: "there is nothing here" });
  }

  async #judge(asked: Omit<AdminRequest, "body">): Promise<Verdict> {
    const { hosts, clock } = this.#parts;
    const now = (): Verdict => judge(asked, { keys: this.#parts.keys(), hosts: hosts(), wall: clock.wall() });
    const first = now();
    const nobody = first.is === "refused" ? first.wrong.code === "no-key" : first.route.needs === "session" && first.caller === undefined;
    const cookie = asked.headers.authorization === undefined ? cookieIn(asked.headers.cookie, asked.secure) : undefined;
    if (!nobody || cookie === undefined || !/^[\w-]{43}$/.test(cookie)) return first;
    await this.#news();
    return now();
  }

  async #isGoodLogin(body: string): Promise<boolean> {
    const given = readLogin(body);
    if (given === undefined) return false;
    const good = (): boolean => {
      const { tickets, tokens } = this.#parts.keys();
      const wall = this.#parts.clock.wall();
      return "ticket" in given ? findKey(tickets, given.ticket, wall) !== undefined : findKey(tokens, given.token, wall) !== undefined;
    };
    if (good()) return true;
    await this.#news();
    return good();
  }

  async #news(): Promise<void> {
    if (this.#waiting >= MOST_WAITING) return;
    this.#waiting += 1;
    await this.#parts.keysChange(NEWS_TAKE);
    this.#waiting -= 1;
  }

  async #refuse(wrong: Wrong, counts: boolean, arrival: Arrival, path: string): Promise<AdminAnswer> {
    const wait = counts ? await arrival.strike() : ms(0);
    this.#say(wait > 0 ? "rate" : wrong.code, arrival, path);
    return problem(wait > 0 ? tooManyTries(wait) : wrong);
  }

  #say(code: string, { client, requestId: id }: Arrival, path: string): void {
    if (this.#lines.take(this.#parts.clock.now()) > 0) return void (this.#unsaid += 1);
    const more = this.#unsaid;
    this.#unsaid = 0;
    this.#parts.log.warn(
      { audit: true, client, code, path: path.slice(0, 100), id, ...(more === 0 ? {} : { unsaid: more }) },
      `the administration refused a request: ${code}${more === 0 ? "" : ` (and ${more} more before it)`}`,
    );
  }
}

const ELSEWHERE: Wrong = { status: 404, code: "elsewhere", detail: "the administration has an address of its own (DROVER_ADMIN_BIND)" };
const TOO_LARGE: Wrong = { status: 413, code: "too-large", detail: `the body must have at most ${LARGEST_BODY} bytes` };
const tooManyTries = (wait: Ms): Wrong => ({
  status: 429,
  code: "rate",
  detail: "too many requests without a good key: come again later",
  headers: { "Retry-After": String(Math.max(1, Math.ceil(wait / 1_000))) },
});
