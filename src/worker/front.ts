import { seconds, type Ms } from "../base/units.ts";
import type { Listener } from "./app.ts";
import type { Exchange } from "./exchange.ts";
import type { Gate } from "./gate/gate.ts";
import type { Refusal, Verdict } from "./gate/stage.ts";
import type { InFlight } from "./inflight.ts";
import type { PreparedStore } from "./prepared.ts";
import { sendProblem } from "./problem.ts";
import { requestId } from "./requestid.ts";
import { malformed, underscored, type Malformed, type Underscores } from "./strict.ts";
import type { Tally } from "./tally.ts";

export interface FrontParts {
  readonly gate: Gate;
  readonly prepared: PreparedStore;
  readonly inFlight: InFlight;
  readonly tally: Tally;
  readonly demo: boolean;
  readonly underscores: Underscores;
  /** True once the worker drains: from then on answers close their connection. */
  draining(): boolean;
}

/** What stands before the built-in service: HTTP's own rules, the gate, the prepared answers, the gate's second half. */
export function createFront(parts: FrontParts, application: Listener): Listener {
  const { gate, prepared, inFlight, underscores } = parts;
  const work = (exchange: Exchange): void => {
    mark(exchange, parts.demo);
    whenAdmitted(parts, gate.application(exchange), exchange, () => void application(exchange.req, exchange.res));
  };
  if (!gate.judgesEverything)
    return (req, res) => {
      if (parts.draining()) res.shouldKeepAlive = false;
      const wrong = malformed(req) ?? underscored(req, underscores);
      if (wrong !== undefined) reject(parts, inFlight.begin(req, res), wrong);
      else if (!prepared.answer(req, res)) work(inFlight.begin(req, res));
    };
  return (req, res) => {
    if (parts.draining()) res.shouldKeepAlive = false;
    const exchange = inFlight.begin(req, res);
    const wrong = malformed(req) ?? underscored(req, underscores);
    if (wrong !== undefined) return reject(parts, exchange, wrong);
    whenAdmitted(parts, gate.everything(exchange), exchange, () => {
      exchange.counted = prepared.answer(req, res);
      if (!exchange.counted) work(exchange);
    });
  };
}

/** The connection ends with it: what follows on it can't be trusted. */
function reject({ demo }: FrontParts, exchange: Exchange, { status, detail }: Malformed): void {
  mark(exchange, demo);
  exchange.reason = "malformed";
  exchange.res.shouldKeepAlive = false;
  sendProblem(exchange.res, status, detail);
}

/** Sets what every answer of the service carries. */
function mark({ req, res }: Exchange, demo: boolean): void {
  res.setHeader("X-Request-Id", requestId(req));
  if (demo) res.setHeader("X-Drover-Demo", "1");
}

function whenAdmitted(parts: FrontParts, verdict: Verdict, exchange: Exchange, next: () => void): void {
  if (verdict === undefined) return next();
  if (!(verdict instanceof Promise)) return refuse(parts, exchange, verdict);
  void verdict.then((refusal) => {
    if (exchange.res.destroyed || exchange.timedOut) return; // its client left while it waited
    if (refusal === undefined) next();
    else refuse(parts, exchange, refusal);
  });
}

function refuse({ tally, demo }: FrontParts, exchange: Exchange, { status, reason, detail, retryAfter }: Refusal): void {
  tally.refused(reason);
  exchange.refused = true;
  exchange.reason = reason;
  if (!exchange.res.hasHeader("x-request-id")) mark(exchange, demo);
  const headers = { "X-Drover-Refused": reason, "Retry-After": String(spread(retryAfter)) };
  sendProblem(exchange.res, status, detail, headers);
}

/** Whole seconds, rounded up, and up to as much again, so that those refused together do not return together. */
function spread(retryAfter: Ms): number {
  const least = Math.max(1, Math.ceil(retryAfter / seconds(1)));
  return least + Math.floor(Math.random() * (least + 1));
}
