import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import { isMonitorRequest, MONITORED } from "../base/monitor-request.ts";
import { classOf } from "../base/requestclass.ts";
import { between, type Ms } from "../base/units.ts";
import type { AccessEntry, AccessLog } from "./access.ts";
import { explained } from "./app.ts";
import type { Turned } from "./clienterror.ts";
import type { Exchange } from "./exchange.ts";
import type { Trust } from "./gate/address.ts";
import { peerOf } from "./peer.ts";
import type { Written } from "./prepared.ts";
import type { Tally } from "./tally.ts";
import { pathOf } from "./target.ts";

export interface OutcomesParts {
  readonly clock: Clock;
  readonly tally: Tally;
  readonly trust: Trust;
  readonly access: AccessLog;
}

/** What came of each request: counted once, and in the access log where it is to have a line. */
export class Outcomes {
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #trust: Trust;
  readonly #access: AccessLog;

  constructor({ clock, tally, trust, access }: OutcomesParts) {
    this.#clock = clock;
    this.#tally = tally;
    this.#trust = trust;
    this.#access = access;
  }

  /** A prepared answer was handed to the socket. */
  prepared(req: IncomingMessage, { statusCode: status }: ServerResponse, { startedAt, id, cache, body }: Written): void {
    const millis = between(startedAt, this.#clock.now());
    this.#tally.answered(status, millis);
    this.#tally.classed("read"); // only rows stand ready
    if (this.#access.samples()) this.#access.add({ ...this.#asked(req), status, millis, bytes: body?.length ?? 0, id, cache });
  }

  /** What could not be read as a request was answered. */
  turned({ socket, status, reason, id }: Turned): void {
    if (!this.#access.tells(status, reason)) return;
    this.#access.trouble({ method: "", path: "", status, millis: 0, bytes: 0, client: peerOf(socket), id, reason }, false);
  }

  /** An answer went out, or its client went away before one did: then there is nothing to count. */
  over(exchange: Exchange): void {
    const { req, res, counted, timedOut, answered, startedAt } = exchange;
    if (counted) return;
    const millis = between(startedAt, this.#clock.now());
    if (!res.headersSent && !timedOut && answered === undefined) return this.#left(exchange, millis);
    const status = answered ?? (res.headersSent ? res.statusCode : 504);
    this.#tally.answered(status, exchange.stream || exchange.waits ? undefined : millis);
    const said = status < 400 ? undefined : res.getHeader("x-drover-refused");
    const refusal = exchange.refused || typeof said !== "string" ? undefined : said;
    if (refusal !== undefined) this.#tally.refused(refusal);
    const refused = exchange.refused || refusal !== undefined;
    this.#tally.classed(classOf(req.method, req.url), refused ? status : undefined);
    if (pathOf(req.url) === MONITORED && isMonitorRequest(this.#trust.addressOf(req), req.headers["user-agent"])) this.#tally.monitored();
    this.#log(exchange, { status, millis, refused, reason: exchange.reason ?? refusal ?? (status < 400 ? undefined : explained(res)) });
  }

  #log(exchange: Exchange, { status, millis, refused, reason }: Outcome): void {
    const own = refused || exchange.reason !== undefined;
    const trouble = status >= 500 || own || status === 429 || (reason !== undefined && TOLD.has(status));
    if (trouble ? !this.#access.tells(status, reason ?? "application") : !this.#access.samples()) return;
    const { req, res } = exchange;
    const cache = res.getHeader("x-cache");
    const why = reason ?? (trouble ? "application" : undefined);
    const entry = { ...this.#asked(req), status, millis, bytes: exchange.bytes(), id: exchange.id(), reason: why };
    const whole = typeof cache === "string" ? { ...entry, cache } : entry;
    if (trouble) this.#access.trouble(whole, status >= 500 && !refused);
    else this.#access.add(whole);
  }

  /** Nobody is there to be answered: 499, as nginx has it. */
  #left(exchange: Exchange, millis: Ms): void {
    if (!this.#access.samples()) return;
    this.#access.add({ ...this.#asked(exchange.req), status: 499, millis, bytes: 0, id: exchange.id(), reason: "client-left" });
  }

  #asked(req: IncomingMessage): Pick<AccessEntry, "method" | "path" | "client"> {
    return { method: req.method ?? "", path: pathOf(req.url), client: this.#trust.addressOf(req) };
  }
}

interface Outcome {
  readonly status: number;
  readonly millis: Ms;
  readonly refused: boolean;
  readonly reason: string | undefined;
}

/** What of a client's faults an operator wants to hear of: somebody tries something. What else is 4xx is between the two of them. */
const TOLD: ReadonlySet<number> = new Set([403, 408, 413, 421, 431]);
