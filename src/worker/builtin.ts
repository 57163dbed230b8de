import { seconds, ms } from "../base/units.ts";
import type { Clock } from "../base/clock.ts";
import type { Listener } from "./app.ts";
import type { Exchange } from "./exchange.ts";
import { Bursts } from "./bursts.ts";
import { createFront } from "./front.ts";
import { addressStage, type Trust } from "./gate/address.ts";
import { bodyRule, bodyStage } from "./gate/bodies.ts";
import { createGate } from "./gate/gate.ts";
import { pipelineStage } from "./gate/pipeline.ts";
import { AdmissionQueue, queueStage, type QueueRule } from "./gate/queue.ts";
import { OVERLOAD, shedStage } from "./gate/shed.ts";
import { Turns, turnStage } from "./gate/turns.ts";
import { unreadStage } from "./gate/unread.ts";
import { PreparedStore } from "./prepared.ts";
import { Refusals } from "./refusals.ts";
import type { Underscores } from "./strict.ts";
import type { Serving } from "./serving.ts";

/** What only the built-in service has before it: the gate and the prepared answers. */
export interface BuiltIn {
  readonly prepared: PreparedStore;
  front(application: Listener): Listener;
}

/** Most requests that wait for a place, whatever the cap. */
const MOST_WAITING = 512;

/** Requests the service works on at a time: half the connections, most of them waiting for the broker; as many may wait. */
export function queueRule(connections: number): QueueRule {
  const half = Math.max(16, Math.ceil(connections / 2));
  return { inFlight: half, waiting: Math.min(half, MOST_WAITING), interval: seconds(2), target: ms(200) };
}

export interface BuiltInParts {
  readonly serving: Serving;
  readonly trust: Trust;
  readonly clock: Clock;
  readonly demo: boolean;
  readonly connections: number;
  readonly underscores: Underscores;
}

/** Makes the gate with its stages and the store of prepared answers; foreign applications get neither. */
export function createBuiltIn({ serving, trust, clock, demo, connections, underscores }: BuiltInParts): BuiltIn {
  const { tally, inFlight } = serving;
  const prepared = new PreparedStore({
    tally,
    clock,
    demo,
    written: (req, res, written) => serving.written(req, res, written),
    shared: (res, body) => inFlight.share(res, body),
  });
  const rule = queueRule(connections);
  const queue = new AdmissionQueue(rule, clock);
  const turns = new Turns(clock, rule.interval, OVERLOAD);
  const turn = turnStage(turns, clock, (wait) => tally.waits.record(wait));
  const addressOf = ({ req }: Exchange): string | undefined => trust.countable(req);
  const body = bodyStage({ rule: bodyRule(connections), clock, addressOf });
  const gate = createGate([
    addressStage(trust),
    body,
    shedStage(clock, turns),
    pipelineStage(),
    queueStage(queue, rule),
    turn,
    unreadStage({ clock, inFlight, addressOf }),
  ]);
  const refused = (exchange: Exchange): void => serving.refused(exchange);
  const refusals = new Refusals(clock, demo);
  const bursts = new Bursts(serving.connections, inFlight);
  const front = {
    gate,
    bursts,
    prepared,
    refusals,
    inFlight,
    tally,
    demo,
    underscores,
    refused,
    alive: () => serving.alive(),
    draining: () => serving.draining,
  };
  return { prepared, front: (application) => createFront(front, application) };
}
