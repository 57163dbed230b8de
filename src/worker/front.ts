import type { IncomingMessage, ServerResponse } from "node:http";
import type { Listener } from "./app.ts";
import type { Bursts } from "./bursts.ts";
import { boundBody, drop, endAfterUpgrade, isClosing, markClosing } from "./closing.ts";
import type { Exchange } from "./exchange.ts";
import type { Gate } from "./gate/gate.ts";
import type { Refusal, Verdict } from "./gate/stage.ts";
import type { InFlight } from "./inflight.ts";
import type { PreparedStore } from "./prepared.ts";
import { hasBody } from "./interim.ts";
import { sendProblem } from "./problem.ts";
import type { Refusals } from "./refusals.ts";
import { malformed, underscored, type Malformed, type Underscores } from "./strict.ts";
import type { Tally } from "./tally.ts";

export interface FrontParts {
  readonly gate: Gate;
  readonly bursts: Bursts;
  readonly prepared: PreparedStore;
  readonly inFlight: InFlight;
  readonly refusals: Refusals;
  readonly tally: Tally;
  readonly demo: boolean;
  readonly underscores: Underscores;
  /** Called after a refusal was handed to the socket, of a request that is not in flight. */
  refused(exchange: Exchange): void;
  /** Called for each request: see Beats. */
  alive(): void;
  /** True once the worker drains: from then on answers close their connection. */
  draining(): boolean;
}

/** What stands before the built-in service: HTTP's own rules, the gate, the prepared answers, the gate's second half. */
export function createFront(parts: FrontParts, application: Listener): Listener {
  const { gate, prepared, inFlight, underscores } = parts;
  const work = (exchange: Exchange): void =>
    whenAdmitted(parts, gate.application(exchange), exchange, () => {
      mark(exchange, parts.demo);
      application(exchange.req, exchange.res);
      const { body } = exchange;
      const arrived = body?.arrival.then((refusal) => refusal ?? gate.again(exchange));
      if (arrived !== undefined) whenAdmitted(parts, arrived, exchange, () => body?.pass());
    });
  if (!gate.judgesEverything)
    return (req, res) => {
      if (!begin(parts, req, res)) return;
      const wrong = malformed(req) ?? underscored(req, underscores);
      if (wrong !== undefined) reject(parts, inFlight.begin(req, res), wrong);
      else if (!prepared.answer(req, res)) work(inFlight.open(req, res));
    };
  return (req, res) => {
    if (!begin(parts, req, res)) return;
    const exchange = inFlight.open(req, res);
    const wrong = malformed(req) ?? underscored(req, underscores);
    if (wrong !== undefined) return reject(parts, inFlight.begin(req, res), wrong);
    whenAdmitted(parts, gate.everything(exchange), exchange, () => {
      exchange.counted = prepared.answer(req, res);
      if (!exchange.counted) work(exchange);
    });
  };
}

/** @returns false: nothing is to be done for this request, and nothing is parsed behind it. */
function begin({ draining, bursts, tally, alive }: FrontParts, req: IncomingMessage, res: ServerResponse): boolean {
  const { socket } = req;
  alive();
  if (isClosing(socket) || socket.destroyed) return (drop(req, res), false);
  const place = bursts.came(req);
  if (place === "too many") {
    tally.refused("queue");
    socket.destroy();
    return (drop(req, res), false);
  }
  boundBody(req, res, req.method === "GET" || req.method === "HEAD");
  endAfterUpgrade(req, res);
  if (place === "last" || draining()) res.shouldKeepAlive = false;
  if (!res.shouldKeepAlive) markClosing(socket);
  return true;
}

/** The connection ends with it: what follows on it can't be trusted. */
function reject({ demo }: FrontParts, exchange: Exchange, { status, detail }: Malformed): void {
  mark(exchange, demo);
  exchange.reason = "malformed";
  endWith(exchange);
  sendProblem(exchange.res, status, detail);
}

function endWith({ req, res }: Exchange): void {
  res.shouldKeepAlive = false;
  markClosing(req.socket);
}

/** Sets what every answer of the service carries. */
function mark(exchange: Exchange, demo: boolean): void {
  const { res } = exchange;
  res.setHeader("X-Request-Id", exchange.id());
  if (demo) res.setHeader("X-Drover-Demo", "1");
}

/** Who is refused at once was never in flight. */
function whenAdmitted(parts: FrontParts, verdict: Verdict, exchange: Exchange, next: () => void): void {
  const { inFlight } = parts;
  if (verdict !== undefined && !(verdict instanceof Promise)) return refuse(parts, exchange, verdict);
  if (inFlight.of(exchange.res) === undefined) inFlight.enter(exchange);
  if (verdict === undefined) return next();
  void verdict.then((refusal) => {
    if (exchange.res.destroyed || exchange.timedOut) return; // its client left while it waited
    if (refusal === undefined) next();
    else refuse(parts, exchange, refusal);
  });
}

function refuse({ inFlight, refusals, tally, refused }: FrontParts, exchange: Exchange, refusal: Refusal): void {
  tally.refused(refusal.reason);
  exchange.refused = true;
  exchange.reason = refusal.reason;
  if (hasBody(exchange.req) && !exchange.req.complete) endWith(exchange);
  refusals.write(exchange, refusal);
  if (inFlight.of(exchange.res) === undefined) refused(exchange);
}
