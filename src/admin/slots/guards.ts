/**
 * What keeps the maximum of slots from rising, and new sessions out: pure. Each guard is a rule of
 * the alert engine, so that a value must persist to trip it, and persist below a lower bound to
 * clear it.
 */
import { between, minutes, ms, seconds, type Instant, type Ms } from "../../base/units.ts";
import type { Snapshot } from "../../master/snapshot.ts";
import { step, type At } from "../alerts/engine.ts";
import { QUIET, type AlertState, type Reading, type Rule } from "../alerts/model.ts";
import { said, type Said } from "../said.ts";

export const GUARD_NAMES = ["cpu", "memory", "latency", "tokens", "feed"] as const;
export type GuardName = (typeof GUARD_NAMES)[number];

/** Absent: the guard does not apply here. `unknown`: it applies and can't be read. */
export type GuardReadings = Readonly<Partial<Record<GuardName, Reading | "unknown">>>;
export type GuardStates = Readonly<Partial<Record<GuardName, AlertState>>>;
type GuardRule = Rule<GuardName>;

/** A guard that does not hold, and its figure in words. */
export interface Breach {
  readonly guard: GuardName;
  readonly said: Said;
}

interface Shape {
  readonly from: number;
  readonly for: Ms;
  readonly clearance?: number;
  readonly calm: Ms;
}

const guard = (name: GuardName, { from, for: after, clearance = 0, calm }: Shape): GuardRule => ({
  name,
  bands: [{ level: "warning", from }],
  for: after,
  clearance,
  calm,
});

/**
 * Calls to Google, or rows of DROVER_TOKENS_PER_MINUTE, that must be left in a minute: with fewer
 * the feed lags.
 */
const LEAST_LEFT = 5;
/** Writes that wait for the sheet longer than this lag. */
const LATE = minutes(1);

/**
 * The maximum is not raised from 80 % CPU, 85 % memory, or a slow minute on; nor when the feed
 * lags.
 * @param slow of the 95th percentile.
 */
export const raiseGuards = (slow: Ms): readonly GuardRule[] => [
  guard("cpu", { from: 80, for: seconds(30), clearance: 5, calm: seconds(30) }),
  guard("memory", { from: 85, for: seconds(30), clearance: 5, calm: seconds(30) }),
  guard("latency", { from: slow, for: seconds(30), clearance: slow / 10, calm: seconds(30) }),
  guard("tokens", { from: 1, for: ms(0), calm: minutes(1) }),
  guard("feed", { from: 1, for: ms(0), calm: minutes(1) }),
];

/**
 * New sessions are refused from 90 % on, or while answers are slow. Memory is given back slowly, so
 * it clears nearer to its bound than CPU.
 * @param slow of the 95th percentile of a minute's answers.
 */
export const admissionGuards = (slow: Ms): readonly GuardRule[] => [
  guard("cpu", { from: 90, for: seconds(30), clearance: 15, calm: seconds(60) }),
  guard("memory", { from: 90, for: seconds(30), clearance: 5, calm: seconds(60) }),
  guard("latency", { from: slow, for: seconds(30), clearance: slow / 10, calm: seconds(60) }),
];

/** One look at the guards. A reading that is unknown leaves a guard as it is. */
export function lookAtGuards(rules: readonly GuardRule[], states: GuardStates, readings: GuardReadings, at: At): GuardStates {
  const next: Partial<Record<GuardName, AlertState>> = {};
  for (const rule of rules) {
    const [state, reading] = [states[rule.name] ?? QUIET, readings[rule.name]];
    next[rule.name] = reading === undefined ? QUIET : step(rule, state, reading === "unknown" ? undefined : reading, at)[0];
  }
  return next;
}

/**
 * Guards that are unknown for so long do not hold: the first figures come some seconds after a
 * start.
 */
const UNKNOWN_FOR = seconds(30);

/** Guards whose reading is unknown, for whatever time. */
export const unknownGuards = (rules: readonly GuardRule[], readings: GuardReadings): readonly GuardName[] =>
  rules.flatMap(({ name }) => (readings[name] === "unknown" ? [name] : []));

/**
 * The guards that do not hold, in the order of the rules.
 * @param now undefined: an unknown reading is no breach.
 */
export function breaches(rules: readonly GuardRule[], states: GuardStates, now?: Instant): readonly Breach[] {
  return rules.flatMap(({ name }): Breach[] => {
    const { raised, blindSince } = states[name] ?? QUIET;
    if (now !== undefined && blindSince !== undefined && between(blindSince, now) >= UNKNOWN_FOR)
      return [{ guard: name, said: said`${name} is not known` }];
    return raised === undefined ? [] : [{ guard: name, said: raised.said ?? said`${raised.text}` }];
  });
}

const percent = (share: number): number => Math.round(share * 1_000) / 10;
const reading = (value: number, words: Said): Reading => ({ value, text: words.text, said: words });

/** What the guards look at besides the snapshot. */
export interface GuardFacts {
  /** Of the last minute's answers; undefined: there were none. */
  readonly p95: Ms | undefined;
  /** DROVER_TOKENS_PER_MINUTE; 0: no limit. */
  readonly tokens: number;
}

export function guardReadings({ machine, upstream, tokensUsed }: Snapshot, { p95, tokens }: GuardFacts): GuardReadings {
  const left = Math.max(0, tokens - (tokensUsed ?? 0));
  return {
    cpu: machine === null ? "unknown" : reading(percent(machine.cpu), said`the CPU is at ${percent(machine.cpu)} %`),
    memory: machine === null ? "unknown" : reading(percent(machine.ram), said`memory is at ${percent(machine.ram)} %`),
    latency: reading(Math.round(p95 ?? 0), said`95 % of the last minute's answers took up to ${Math.round(p95 ?? 0)} ms`),
    ...(tokens <= LEAST_LEFT
      ? {}
      : { tokens: reading(left < LEAST_LEFT ? 1 : 0, said`${left} of ${tokens} rows (DROVER_TOKENS_PER_MINUTE) are left this minute`) }),
    ...(upstream === null ? {} : { feed: feed(upstream) }),
  };
}

/** 1 when rows from Google or writes to it are late, or about to be. */
function feed({ state, message, quota, writes }: NonNullable<Snapshot["upstream"]>): Reading {
  if (state !== "ok" && state !== "never")
    return reading(1, said`Google does not answer: ${(message.split("\n", 1)[0] ?? "").slice(0, 200)}`);
  const left = Math.max(0, quota.limit - quota.used);
  if (left < LEAST_LEFT && quota.limit > LEAST_LEFT)
    return reading(1, said`the feed lags: ${left} of ${quota.limit} calls to Google are left this minute`);
  const oldest = writes?.oldest ?? 0;
  if (oldest > LATE) return reading(1, said`the feed lags: an accepted write has waited for the sheet for ${Math.round(oldest / 1_000)} s`);
  return reading(0, said`the feed is up to date`);
}
