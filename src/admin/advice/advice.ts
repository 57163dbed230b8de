/** What limits the service now, and one thing to do about it: pure. */
import type { Bytes, Ms } from "../../base/units.ts";
import type { Snapshot } from "../../master/snapshot.ts";
import { said, type Said } from "../said.ts";
import { slotsAdvice } from "./slots.ts";
import { quotaAdvice, upstreamAdvice, writesAdvice } from "./upstream.ts";
import { connectionsAdvice, cpuAdvice, memoryAdvice, workersAdvice } from "./machine.ts";

/** In the order in which they are named where two are as near. */
export const LIMITS = ["upstream", "workers", "quota", "slots", "memory", "cpu", "connections", "writes"] as const;
export type Limit = (typeof LIMITS)[number];

export interface Advice {
  readonly limit: Limit;
  /** How much of it is used: 1 is all. */
  readonly share: number;
  /** What is known of it, with its figures. */
  readonly reason: string;
  /** What to do; "nothing to do" while there is room. */
  readonly step: string;
  /** Both for other languages. */
  readonly said?: { readonly reason: Said; readonly step: Said } | undefined;
}

export interface AdviceInput {
  readonly snapshot: Snapshot;
  /** Most of accepted writes that may wait (DROVER_JOURNAL_SIZE). */
  readonly journalSize: Bytes;
  readonly fullIn: Ms | null;
  /** Connections that one worker may hold (DROVER_WORKER_CONNECTIONS). */
  readonly connections: number;
  /** Cores there are. */
  readonly cores: number;
  /** DROVER_CACHE_TTL: of tables that do not say their own. */
  readonly ttl: Ms;
  readonly readsPerMinute: number;
}

/** From here on something is to be done; below half there is nothing to say. */
export const NEAR = 0.7;
const ROOM = 0.5;

/** One limit as it stands. `step` is what to do when it is near. */
export interface Standing extends Pick<Advice, "limit" | "share"> {
  readonly reason: Said;
  readonly step: Said;
}

/** The nearest limit. What is broken comes first: a share of 1 and more. */
export function advise(input: AdviceInput): Advice {
  const standings = [
    upstreamAdvice(input),
    workersAdvice(input),
    quotaAdvice(input),
    slotsAdvice(input),
    memoryAdvice(input),
    cpuAdvice(input),
    connectionsAdvice(input),
    writesAdvice(input),
  ].filter((standing) => standing !== undefined);
  const nearest = standings.reduce<Standing | undefined>(
    (best, one) => (best === undefined || one.share > best.share ? one : best),
    undefined,
  );
  const { limit, share, reason, step: far } = nearest ?? UNKNOWN;
  const step = share >= NEAR ? far : share >= ROOM ? YET : IDLE;
  return { limit, share: Number(share.toFixed(4)), reason: reason.text, step: step.text, said: { reason, step } };
}

/** Near enough to be named, without a step. */
export const YET = said`nothing to do yet`;
const IDLE = said`nothing to do`;
const UNKNOWN: Standing = { limit: "cpu", share: 0, reason: said`nothing is known yet`, step: IDLE };
export const NOTHING = IDLE.text;

/** "quota: 3 tables at TTL 5 s need 36 calls/min of 51; TTL 10 s halves it". */
export const adviceText = ({ limit, reason, step }: Pick<Advice, "limit" | "reason" | "step">): string => `${limit}: ${reason}; ${step}`;

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
