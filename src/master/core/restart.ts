/**
 * When a place is filled again whose child ended without being asked to.
 *
 *   it crashed               → at once, until it crashed too often; then after base × 2^n, up to max
 *   it was killed by others  → at once, but not within base of its start; after too many kills, base × 2^n
 *   no process of the role   → the place that waits least starts `base` after the role's latest start, after a few failed tries `alone`
 *                              after it; the other places are held until `alone` after that start
 *
 * A crash that follows soon after a start counts as a failed start: the next child will hardly fare better. One that served for
 * `served` before resets n.
 */
import { EXIT } from "../../base/exit.ts";
import { ROLES, type Role } from "../../base/protocol.ts";
import { after, between, type Instant, type Ms } from "../../base/units.ts";
import { backoff, doubled } from "./backoff.ts";
import { intensity, recent } from "./intensity.ts";
import { put, VACANT } from "./places.ts";
import { nameOf, say, sayOf, span } from "./say.ts";
import { acts, each, steps, unchanged } from "./steps.ts";
import { stop } from "./stop.ts";
import type { Child, Decision, Event, Master, Place, Policy, Slot } from "./model.ts";

/** What is known of a crash besides its time. */
interface Crash {
  readonly at: Instant;
  /** Before the first boot is over: the exit code it ends the master with, whatever the intensity. */
  readonly fatal?: number | undefined;
  /** Before the first boot is over: the exit code after too many crashes. */
  readonly last?: number;
  /** Starting again at once can't help. */
  readonly wait?: boolean;
  /** What crashed; undefined: fork was refused. */
  readonly child?: Child;
}

/** Counts a crash of a place whose seat is empty now. Before the first boot is over the master ends after too many, with 3 unless `last` is given. */
export function crashed(master: Master, place: Place, crash: Crash, policy: Policy): Decision {
  const { at, child } = crash;
  const { crashes, exceeded } = intensity(place.crashes, at, policy.crashLimit);
  const backoffs = child !== undefined && hasServed(child, at, policy) ? 0 : place.backoffs;
  const counted: Place = { ...place, crashes, backoffs };
  const exit = master.booted ? undefined : (crash.fatal ?? (exceeded ? (crash.last ?? EXIT.bootFailed.code) : undefined));
  if (exit !== undefined) {
    const told = say("fatal", `${nameOf(place)} can't be started: drover ends with exit code ${exit}`, { place: place.id, exit });
    return steps(put(master, counted), acts(told), (m) => stop(m, { at, quick: true, exit }, policy));
  }
  const hopeful = master.booted && child !== undefined && isNew(child, at, policy) ? crashes.length <= policy.crashLimit.unborn : !exceeded;
  if (hopeful && crash.wait !== true && backoffs === 0) return [put(master, counted), []];
  const { wait, seed } = backoff(backoffs, policy.backoff, master.seed);
  const text = `waits ${span(wait)} before the next try: ${crashes.length} failures within ${span(policy.crashLimit.within)}`;
  const [waiting, told] = waitUntil({ ...counted, backoffs: backoffs + 1 }, after(at, wait), text);
  return [{ ...put(master, waiting), seed }, told];
}

/** When it became ready. */
const sinceOf = (child: Child): Instant | undefined => ("since" in child ? child.since : undefined);

/** Long enough for its end to have another cause than its start. */
export function hasServed(child: Child, at: Instant, { backoff: { served } }: Policy): boolean {
  const since = sinceOf(child);
  return since !== undefined && between(since, at) >= served;
}

function isNew(child: Child, at: Instant, policy: Policy): boolean {
  return child.is === "starting" || (sinceOf(child) !== undefined && !hasServed(child, at, policy));
}

/** Signals that the kernel sends a process for its own fault, or that it sends itself (abort). */
const FAULTS: ReadonlySet<string> = new Set([
  "SIGSEGV",
  "SIGBUS",
  "SIGILL",
  "SIGFPE",
  "SIGTRAP",
  "SIGSYS",
  "SIGABRT",
  "SIGXCPU",
  "SIGXFSZ",
]);

/**
 * Whether a child that the master did not kill was ended by somebody else: an operator, the kernel's OOM killer. Before the first boot is
 * over this is not asked: a start that is always killed has to end.
 */
export const killedByOthers = (master: Master, child: Child, { signal, gentle }: Extract<Event, { type: "exited" }>): boolean =>
  master.booted && child.is !== "killed" && (gentle === true || (signal !== null && !FAULTS.has(signal)));

/** The code has not crashed, so nothing is counted against it. But what is killed over and over must not cost a boot's CPU each time. */
export function killed(master: Master, place: Place, at: Instant, policy: Policy): Decision {
  const { crashLimit, backoff: range } = policy;
  const kills = [...recent(place.kills, at, crashLimit), at].slice(-(crashLimit.crashes + MOST_DOUBLINGS));
  const counted: Place = { ...place, kills };
  const until = after(place.startedAt ?? at, doubled(Math.max(0, kills.length - crashLimit.crashes), range));
  if (until <= at) return [put(master, counted), []];
  const text = `waits ${span(between(at, until))} before the next try: it was killed ${kills.length} times within ${span(crashLimit.within)}`;
  const [waiting, told] = waitUntil(counted, until, text);
  return [put(master, waiting), told];
}

/** Kills beyond these change nothing. */
const MOST_DOUBLINGS = 8;

function waitUntil(place: Place, until: Instant, text: string) {
  const waiting: Place = { ...place, incumbent: { is: "waiting", until } };
  return [waiting, [sayOf("warn", waiting, VACANT, text)]] as const;
}

/**
 * Keeps the service up, and its boots cheap, while every place of a role waits: one place is started early and the others wait until it
 * has had time to serve. After a few failed tries in a row the pace of those starts falls from `base` to `alone`.
 */
export const relieve = (master: Master, at: Instant, policy: Policy): Decision =>
  each(master, ROLES, (m, role) => relieveRole(m, role, at, policy));

/** How many back-offs in a row, of all places together and beyond the first of each, keep the fast pace. */
const FAST_TRIES = 3;

function relieveRole(master: Master, role: Role, at: Instant, policy: Policy): Decision {
  const { alone } = policy.backoff;
  const places = [...master.places.values()].filter((place) => place.role === role && !place.closing);
  const waits = places.flatMap((place) => (isWaiting(place) ? [place] : []));
  const [first] = waits.toSorted((a, b) => a.incumbent.until - b.incumbent.until);
  if (first === undefined || waits.length < places.length) return unchanged(master);
  const latest = Math.max(...waits.map(({ startedAt = -Infinity }) => startedAt));
  const early = Math.max(at, latest + pace(waits, at, policy)) as Instant;
  const start = Math.min(first.incumbent.until, early) as Instant;
  const held = waits.filter(({ id }) => id !== first.id).reduce((m, place) => holdUntil(m, place, after(start, alone)), master);
  if (start === first.incumbent.until) return [held, []];
  const place: Place = { ...first, incumbent: start <= at ? VACANT : { is: "waiting", until: start } };
  const when = start <= at ? "now" : `in ${span(between(at, start))}`;
  return [put(held, place), [sayOf("warn", place, VACANT, `is started ${when}, before its time: no other ${role} is left`)]];
}

/** How far apart the starts are while every place of a role waits. */
function pace(waits: readonly Place[], at: Instant, { backoff: { base, alone }, crashLimit }: Policy): Ms {
  const tries = waits.reduce((sum, { backoffs }) => sum + Math.max(0, backoffs - 1), 0);
  const killed = waits.some(({ kills }) => recent(kills, at, crashLimit).length > crashLimit.crashes);
  return tries < FAST_TRIES && !killed ? base : alone;
}

type Waiting = Place & { readonly incumbent: Extract<Slot, { readonly is: "waiting" }> };

const isWaiting = (place: Place): place is Waiting => place.incumbent.is === "waiting" && place.successor.is === "vacant";

const holdUntil = (master: Master, place: Waiting, until: Instant): Master =>
  place.incumbent.until >= until ? master : put(master, { ...place, incumbent: { is: "waiting", until } });
