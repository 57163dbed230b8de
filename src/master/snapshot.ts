/**
 * What the world may see of the master: a frozen record that survives JSON, made from the supervisor's state and the facts
 * the shell measured. `drover status`, metrics, alerts and the dashboard read this and never the master itself.
 */
import { impossible } from "../base/never.ts";
import type { ByClass } from "../base/requestclass.ts";
import type { Counters } from "../base/counters.ts";
import type { Address, Beat, Health, Role } from "../base/protocol.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { SessionStoreReport } from "../base/sessionstore.ts";
import type { SlotsState } from "../base/slots.ts";
import { between, ms, type Instant, type Ms, type Timestamp } from "../base/units.ts";
import type { Child, Master, Place, PlaceId, Reason, Roll, RollResult, Slot } from "./core/model.ts";

/** What the shell knows of one living child. CPU is a share of one core (0…1 and above), RSS in bytes. */
export interface ChildFacts {
  readonly startedAt: Instant;
  readonly lastBeat: Beat | undefined;
  readonly lastBeatAt: Instant | undefined;
  readonly cpu?: number | undefined;
  readonly rss?: number | undefined;
}

/** Ratios 0…1 and bytes, of the machine or of the part of it that the cgroup grants. */
export interface MachineFacts {
  readonly cpu: number;
  /** The part of it that drover's own processes use; absent: not known yet. */
  readonly ownCpu?: number;
  readonly ram: number;
  readonly ramUsed: number;
  readonly ramTotal: number;
}

/** All that a snapshot says and the supervisor's state does not hold. */
export interface Facts {
  readonly at: Instant;
  readonly wall: Timestamp;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: Instant;
  readonly addresses: readonly Address[];
  readonly demo: boolean;
  readonly children: ReadonlyMap<number, ChildFacts>;
  /** What a broker reported last of the slots: holds while its successor boots. */
  readonly slots?: SlotsState | undefined;
  readonly counters: Readonly<Counters>;
  /** Milliseconds since the start of the daemon; undefined before the first request. */
  readonly latency: { readonly p50: number | undefined; readonly p95: number | undefined; readonly p99: number | undefined };
  /** The same of the last ten seconds, and requests a second. */
  readonly recent?: { readonly perSecond: number; readonly p50: number | undefined; readonly p95: number | undefined };
  readonly machine: MachineFacts | undefined;
  /** What holds the service back now, in words the docs explain: "memory", "cpu", "quota". */
  readonly limitedBy: readonly string[];
  /** How many children have ended, by the name of their death, and the last of each place. */
  readonly deaths?: ReadonlyMap<string, number>;
  readonly lastDeaths?: ReadonlyMap<PlaceId, LastDeath>;
  /** How often a place's child ended that nobody had asked to. */
  readonly restarts?: ReadonlyMap<PlaceId, number>;
}

/** How the child that was in a place before ended. */
export interface LastDeath {
  /** "stuck", "oom-heap", "crash", "rolled" …: the names of core/death.ts. */
  readonly name: string;
  readonly how: string;
  /** It went because it was told to. */
  readonly expected: boolean;
  readonly pid: number;
  readonly generation: number;
  readonly at: Timestamp;
}

export type MasterState = "starting" | "running" | "reloading" | "stopping" | "stopped";

export interface ChildView {
  readonly pid: number;
  readonly state: Child["is"];
  readonly generation: number;
  readonly why: Reason | null;
  readonly uptime: Ms | null;
  /** Age of the last beat. */
  readonly beatAge: Ms | null;
  /** How long it may be silent: by the settings that it was started with. */
  readonly beatTimeout: Ms | null;
  readonly inFlight: number | null;
  readonly byClass?: ByClass;
  readonly connections: number | null;
  readonly full: boolean | null;
  readonly served: number | null;
  /** Event-loop utilisation 0…1 and delay since the last beat. */
  readonly elu: number | null;
  readonly delay: Ms | null;
  /** 99th percentile of the loop's delay over the last half to whole minute. */
  readonly delayP99: Ms | null;
  readonly heap: number | null;
  readonly rss: number | null;
  readonly cpu: number | null;
}

export interface PlaceView {
  readonly id: PlaceId;
  readonly role: Role;
  readonly slot: number;
  readonly state: Slot["is"];
  readonly generation: number;
  readonly closing: boolean;
  readonly crashes: number;
  /** How often its child ended that nobody had asked to, since the daemon started. */
  readonly restarts: number;
  /** Until the next try, while it backs off. */
  readonly retryIn: Ms | null;
  readonly lastDeath: LastDeath | null;
  readonly child: ChildView | null;
  readonly successor: ChildView | null;
  readonly leaving: readonly ChildView[];
}

export interface RollView {
  readonly generation: number;
  /** Places still to change. */
  readonly left: readonly PlaceId[];
  /** How many there are to change in all. */
  readonly total: number;
  readonly step: "is tried" | "rolls" | "is rolled back";
  /** Why it goes back. */
  readonly back: string | null;
  readonly since: Ms;
}

export interface Snapshot {
  readonly at: Timestamp;
  readonly version: string;
  readonly pid: number;
  readonly state: MasterState;
  readonly uptime: Ms;
  readonly demo: boolean;
  readonly addresses: readonly Address[];
  readonly generation: number;
  readonly workers: { readonly target: number; readonly ready: number };
  readonly roll: RollView | null;
  readonly lastRoll: RollResult | null;
  readonly places: readonly PlaceView[];
  readonly counters: Readonly<Counters>;
  /** How many children have ended, by the name of their death. */
  readonly deaths: Readonly<Record<string, number>>;
  readonly latency: { readonly p50: number | null; readonly p95: number | null; readonly p99: number | null };
  /** The last ten seconds. */
  readonly recent: { readonly perSecond: number; readonly p50: number | null; readonly p95: number | null };
  readonly machine: MachineFacts | null;
  readonly memoryShort: boolean;
  readonly limitedBy: readonly string[];
  readonly upstream: UpstreamReport | null;
  /** How many people are in, of how many; null where nobody logs in. */
  readonly slots: SlotsState | null;
  /** Rows written in the last minute, as DROVER_TOKENS_PER_MINUTE counts them; null: no broker. */
  readonly tokensUsed: number | null;
  /** The engine that keeps sessions; null: the broker does so itself, or is away. */
  readonly sessionStore: SessionStoreReport | null;
  /** What workers answer /healthz from. */
  readonly health: Health;
}

export function snapshotOf(master: Master, facts: Facts): Snapshot {
  const { at, latency } = facts;
  const upstream = upstreamOf(master, facts);
  const slots = slotsOf(master, facts);
  const sessionStore = sessionStoreOf(master, facts);
  return freeze({
    at: facts.wall,
    version: facts.version,
    pid: facts.pid,
    state: stateOf(master),
    uptime: between(facts.startedAt, at),
    demo: facts.demo,
    addresses: facts.addresses.map((address) => ({ ...address })),
    generation: master.generation,
    workers: { target: master.target, ready: readyOf(master, "worker") },
    roll: master.roll ? rollView(master, master.roll, at) : null,
    lastRoll: master.lastRoll ? { ...master.lastRoll } : null,
    places: [...master.places.values()].sort(byRole).map((place) => placeView(place, facts)),
    counters: { ...facts.counters },
    deaths: Object.fromEntries(facts.deaths ?? []),
    latency: { p50: latency.p50 ?? null, p95: latency.p95 ?? null, p99: latency.p99 ?? null },
    recent: { perSecond: facts.recent?.perSecond ?? 0, p50: facts.recent?.p50 ?? null, p95: facts.recent?.p95 ?? null },
    machine: facts.machine ? { ...facts.machine } : null,
    memoryShort: master.memoryShort,
    limitedBy: [...facts.limitedBy],
    upstream: upstream === undefined ? null : copyOfAll(upstream),
    slots: copied(slots),
    tokensUsed: brokerBeat(master, facts)?.tokensUsed ?? null,
    sessionStore: copied(sessionStore),
    health: healthOf(master, {
      demo: facts.demo,
      upstream,
      slots,
      sessionStore,
      brokerLost: brokerLost(facts),
    }),
  });
}

function rollView({ places }: Master, roll: Roll, at: Instant): RollView {
  const { generation, left, since, proven, back } = roll;
  const total = [...places.values()].filter((place) => place.role !== "emulator" && !place.closing).length;
  const step = back !== undefined ? "is rolled back" : proven ? "rolls" : "is tried";
  return { generation, left: [...left], total, step, back: back ?? null, since: between(since, at) };
}

/** What health depends on besides the supervisor's state. */
export interface HealthFacts {
  readonly demo: boolean;
  readonly upstream: UpstreamReport | undefined;
  readonly slots: SlotsState | undefined;
  readonly sessionStore: SessionStoreReport | undefined;
  /** A child reports that workers can't reach the broker. */
  readonly brokerLost: boolean;
}

/** The state of the whole, as it is sent to workers. `away`: the broker does not run, or workers can't reach it. */
export function healthOf(master: Master, { demo, upstream, slots, sessionStore, brokerLost }: HealthFacts): Health {
  const workers = { ready: readyOf(master, "worker"), target: master.target };
  // A place that boots for the first time is no loss: somebody has asked for one more.
  const fresh = workers.ready === 0 ? 0 : [...master.places.values()].filter(isFresh).length;
  const broker = !master.places.has("broker/0") ? "none" : readyOf(master, "broker") > 0 && !brokerLost ? "ready" : "away";
  const sound =
    workers.ready + fresh >= workers.target &&
    broker !== "away" &&
    sessionStore?.problem === undefined &&
    (upstream === undefined ||
      ((upstream.state === "ok" || upstream.state === "never") && upstream.writes?.denied === undefined && upstream.disk === undefined));
  const status = master.mode.is !== "running" ? "stopping" : sound ? "ok" : "degraded";
  return {
    status,
    generation: master.generation,
    workers,
    broker,
    upstream: upstream?.state ?? "never",
    demo,
    ...(slots === undefined ? {} : { slots: { ...slots } }),
  };
}

type Children = Pick<Facts, "children">;

/** Whether a child reports that workers can't reach the broker. */
export const brokerLost = ({ children }: Children): boolean => [...children.values()].some(({ lastBeat }) => lastBeat?.brokerLost === true);

/** What the broker last reported of the session store. */
export const sessionStoreOf = (master: Master, facts: Children): SessionStoreReport | undefined => brokerBeat(master, facts)?.sessionStore;
/** What the broker last reported of Google. */
export const upstreamOf = (master: Master, facts: Children): UpstreamReport | undefined => brokerBeat(master, facts)?.upstream;

/** What the broker reported last of the slots, or the one before it. */
export const slotsOf = (master: Master, facts: Children & Pick<Facts, "slots">): SlotsState | undefined =>
  master.places.has("broker/0") ? (brokerBeat(master, facts)?.slots ?? facts.slots) : undefined;

function brokerBeat(master: Master, { children }: Children): Beat | undefined {
  const broker = master.places.get("broker/0")?.incumbent;
  return broker !== undefined && "pid" in broker ? children.get(broker.pid)?.lastBeat : undefined;
}

const copied = <T extends object>(all: T | undefined): T | null => (all === undefined ? null : { ...all });

function stateOf(master: Master): MasterState {
  switch (master.mode.is) {
    case "running":
      return !master.booted ? "starting" : master.roll === undefined ? "running" : "reloading";
    case "stopping":
    case "stopped":
      return master.mode.is;
    default:
      return impossible(master.mode);
  }
}

/** A worker's place that is being filled for the first time: nothing has died there lately. */
const isFresh = ({ role, incumbent, crashes, kills }: Place): boolean =>
  role === "worker" && (incumbent.is === "starting" || incumbent.is === "vacant") && crashes.length === 0 && kills.length === 0;

const readyOf = (master: Master, role: Role): number =>
  [...master.places.values()].filter((place) => place.role === role && place.incumbent.is === "ready").length;

const ROLE_ORDER: Readonly<Record<Role, number>> = { worker: 0, broker: 1, emulator: 2 };
const byRole = (a: Place, b: Place): number => ROLE_ORDER[a.role] - ROLE_ORDER[b.role] || a.nr - b.nr;

function placeView(place: Place, facts: Facts): PlaceView {
  const { incumbent } = place;
  const view = (slot: Slot): ChildView | null => ("pid" in slot ? childView(slot, facts.children.get(slot.pid), facts.at) : null);
  return {
    id: place.id,
    role: place.role,
    slot: place.nr,
    state: incumbent.is,
    generation: "generation" in incumbent ? incumbent.generation : place.generation,
    closing: place.closing,
    crashes: place.crashes.length,
    restarts: facts.restarts?.get(place.id) ?? 0,
    retryIn: incumbent.is === "waiting" ? ms(Math.max(0, between(facts.at, incumbent.until))) : null,
    lastDeath: copyOf(facts.lastDeaths?.get(place.id)),
    child: view(incumbent),
    successor: view(place.successor),
    leaving: place.leaving.map((slot) => childView(slot, facts.children.get(slot.pid), facts.at)),
  };
}

const copyOf = (death: LastDeath | undefined): LastDeath | null => (death === undefined ? null : { ...death });

function childView(child: Child, facts: ChildFacts | undefined, at: Instant): ChildView {
  const beat = facts?.lastBeat;
  return {
    pid: child.pid,
    state: child.is,
    generation: child.generation,
    why: "why" in child ? child.why : null,
    uptime: facts ? between(facts.startedAt, at) : null,
    beatAge: facts?.lastBeatAt === undefined ? null : between(facts.lastBeatAt, at),
    beatTimeout: "beatTimeout" in child ? child.beatTimeout : null,
    inFlight: beat?.inFlight ?? null,
    ...(beat?.byClass === undefined ? {} : { byClass: { ...beat.byClass } }),
    connections: beat?.connections ?? null,
    full: beat?.full ?? null,
    served: beat?.counters.served ?? null,
    elu: beat?.elu ?? null,
    delay: beat?.delay ?? null,
    delayP99: beat?.delayP99 ?? null,
    heap: beat?.heap ?? null,
    rss: facts?.rss ?? beat?.rss ?? null,
    cpu: facts?.cpu ?? null,
  };
}

/** Of plain data, as a message brings it: structuredClone() serializes it first, at several times the price. */
function copyOfAll<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOfAll) as T;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOfAll(part)])) as T;
}

/** Everything in a snapshot is its own copy, so freezing it freezes nothing of the master's. */
function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}
