import type { Listener } from "./app.ts";
import type { Exchange } from "./exchange.ts";
import type { Gate } from "./gate/gate.ts";
import type { Refusal, Verdict } from "./gate/stage.ts";
import type { InFlight } from "./inflight.ts";
import type { PreparedStore } from "./prepared.ts";
import { sendProblem } from "./problem.ts";
import type { Refusals } from "./refusals.ts";
import { malformed, underscored, type Malformed, type Underscores } from "./strict.ts";
import type { Tally } from "./tally.ts";

export interface FrontParts {
  readonly gate: Gate;
  readonly prepared: PreparedStore;
  readonly inFlight: InFlight;
  readonly refusals: Refusals;
  readonly tally: Tally;
  readonly demo: boolean;
  readonly underscores: Underscores;
  /** Called after a refusal was handed to the socket, of a request that is not in flight. */
  refused(exchange: Exchange): void;
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
    });
  if (!gate.judgesEverything)
    return (req, res) => {
      if (parts.draining()) res.shouldKeepAlive = false;
      const wrong = malformed(req) ?? underscored(req, underscores);
      if (wrong !== undefined) reject(parts, inFlight.begin(req, res), wrong);
      else if (!prepared.answer(req, res)) work(inFlight.open(req, res));
    };
  return (req, res) => {
    if (parts.draining()) res.shouldKeepAlive = false;
    const exchange = inFlight.open(req, res);
    const wrong = malformed(req) ?? underscored(req, underscores);
    if (wrong !== undefined) return reject(parts, inFlight.begin(req, res), wrong);
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
  refusals.write(exchange, refusal);
  if (inFlight.of(exchange.res) === undefined) refused(exchange);
}
