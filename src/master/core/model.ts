/**
 * The supervisor's vocabulary: plain data. decide(state, event, policy) → [state, actions] is all of the master's judgement;
 * the shell turns the world into events and actions into system calls, and judges nothing.
 *
 *   vacant          ─ spawn → spawning ─ spawned ─→ starting      waiting ─ until → vacant
 *   starting        ─ ready ──────────────────────────→ ready; the canary of a roll → trial, and ready when it has lived through it
 *                                                                     killed  ─ exit ─→ vacant, or waiting when crashes exceed the intensity (restart.ts)
 *   starting        ─ roll · shrink · recycle · stop, SIGKILL → killed: it serves nobody yet
 *   ready, examined ─ roll · shrink · recycle · stop ─→ draining      starting, ready ─ exit → the same: a crash
 *   draining        ─ exit ───────────────────────────→ vacant, or the place goes (shrink, stop)
 *   ready ≥ beatBy  ─ examine → examined (examineBy) ─ report or examineBy, SIGKILL → killed; ─ beat → ready: it recovered;
 *                     ─ report that it is starved → ready, spared once, for one beat period
 *   trial           ─ exit · a failed probe · silence → the roll goes back; ≥ settleBy, probe passed → ready, in its place's seat
 *   starting ≥ readyBy · draining ≥ exitBy ─ SIGKILL → killed ─ reapBy → said aloud, watched on
 */
import type { Role } from "../../base/protocol.ts";
import type { Instant, Ms } from "../../base/units.ts";

export type Pid = number & { readonly pid: unique symbol };

/** One place for one child: "worker/0", "broker/0". Stays the same whatever process fills it. */
export type PlaceId = `${Role}/${number}`;
export const placeId = (role: Role, nr: number): PlaceId => `${role}/${nr}`;

/** Why a child is asked to go, or was killed. */
export type Reason = "roll" | "shrink" | "recycle" | "stop" | "stuck" | "boot-timeout" | "drain-timeout" | "abandoned";

/** What one seat of a place holds. Every state that holds a pid holds a deadline: nothing can wait for ever. */
export type Slot =
  | { readonly is: "vacant" }
  | { readonly is: "waiting"; readonly until: Instant } // backing off after crashes
  | { readonly is: "spawning"; readonly generation: number } // asked for; the shell answers before it takes another event
  | Starting
  | Trial
  | Ready
  | Examined
  | { readonly is: "draining"; readonly pid: Pid; readonly generation: number; readonly exitBy: Instant; readonly why: Reason }
  | { readonly is: "killed"; readonly pid: Pid; readonly generation: number; readonly reapBy: Instant; readonly why: Reason };

export interface Starting {
  readonly is: "starting";
  readonly pid: Pid;
  readonly generation: number;
  readonly beatTimeout: Ms;
  readonly readyBy: Instant;
  /** Until then it keeps its share of the boots that may go on side by side; undefined: it waits for something else than the CPU. */
  readonly crowdsUntil: Instant | undefined;
}

export interface Ready {
  readonly is: "ready";
  readonly pid: Pid;
  readonly generation: number;
  /** How long it may be silent: by the settings that it was started with, which give its heartbeat's interval too. */
  readonly beatTimeout: Ms;
  readonly since: Instant;
  readonly beatBy: Instant;
  /** It was silent because the machine starved it, and was let live: once, until it beats again. */
  readonly spared?: true;
}

export interface Examined {
  readonly is: "examined";
  readonly pid: Pid;
  readonly generation: number;
  readonly beatTimeout: Ms;
  readonly since: Instant;
  readonly examineBy: Instant;
  readonly spared?: true;
}

/** The canary of a roll: it serves beside its place's incumbent until it has shown that it lives, and answers. */
export interface Trial {
  readonly is: "trial";
  readonly pid: Pid;
  readonly generation: number;
  readonly beatTimeout: Ms;
  readonly since: Instant;
  readonly beatBy: Instant;
  readonly settleBy: Instant;
  /** By when the probe must have been answered; undefined: it was, or none was asked for. */
  readonly probeBy: Instant | undefined;
}

/** A slot with a process in it. */
export type Child = Extract<Slot, { readonly pid: Pid }>;
/** A child that has left its seat and is still there. */
export type Leaving = Extract<Slot, { readonly is: "draining" | "killed" }>;

/** A place holds an incumbent and, during a roll or a recycle, the successor that will take its seat. */
export interface Place {
  readonly id: PlaceId;
  readonly role: Role;
  readonly nr: number;
  readonly incumbent: Slot;
  /** What its next child runs: a crash brings back the generation that crashed. */
  readonly generation: number;
  /** Children that have left their seat and are still going: an old generation that drains. */
  readonly leaving: readonly Leaving[];
  readonly successor: Slot;
  /** The place itself goes when its last child has (shrink). */
  readonly closing: boolean;
  /** Times of recent crashes, oldest first, no more than the policy's window. */
  readonly crashes: readonly Instant[];
  /** Times at which a child was killed from outside, as `crashes`. */
  readonly kills: readonly Instant[];
  /** Back-offs in a row: the n of base × 2^n. */
  readonly backoffs: number;
  /** When its latest child was started, or fork was refused. */
  readonly startedAt: Instant | undefined;
}

export type Mode =
  | { readonly is: "running" }
  /** `by`: when whatever is left gets SIGKILL. `exit`: the master's exit code when the last child is gone. */
  | { readonly is: "stopping"; readonly quick: boolean; readonly by: Instant; readonly since: Instant; readonly exit: number }
  | { readonly is: "stopped" };

export type RollResult =
  | { readonly is: "done"; readonly generation: number; readonly took: Ms }
  | { readonly is: "rolledBack"; readonly generation: number; readonly why: string };

/** A change of generation under way: the broker first, then a canary, then the other workers one at a time, new before old. */
export interface Roll {
  readonly generation: number;
  /** What served before, and what the roll goes back to when the new generation fails. */
  readonly from: number;
  readonly since: Instant;
  /** The canary has lived through its trial. */
  readonly proven: boolean;
  /** Children of the new generation that failed since then; once it goes back, of the old one. */
  readonly failures: number;
  /** Why it goes back; undefined while it goes forward. */
  readonly back: string | undefined;
  /** Places to change, in this order. */
  readonly left: readonly PlaceId[];
  /** Set while the place at the head of `left` has its successor starting. */
  readonly current: PlaceId | undefined;
  /** Asked for again meanwhile: start over when this one ends. */
  readonly again: boolean;
}

/** A place whose child is to be replaced, new before old, by one of the same generation. */
export interface Recycle {
  readonly place: PlaceId;
  readonly pid: Pid | undefined;
  readonly why: string;
}

export interface Master {
  readonly mode: Mode;
  /** The newest generation that proved itself: what new places get. */
  readonly generation: number;
  /** Workers wanted. */
  readonly target: number;
  readonly places: ReadonlyMap<PlaceId, Place>;
  readonly roll: Roll | undefined;
  readonly lastRoll: RollResult | undefined;
  /** Waiting their turn, at most one a place; the first is under way while its place has a successor and no roll runs. */
  readonly recycles: readonly Recycle[];
  /** Everything was ready at least once: before that a failure to boot ends the master. */
  readonly booted: boolean;
  /** During the first boot: until then the first worker boots alone, and after it few at a time. */
  readonly ahead: Instant | undefined;
  /** The machine is short of memory: no surge, no recycle. */
  readonly memoryShort: boolean;
  /** Fire was held until then, because the master's own loop had been late: not twice for one incident. */
  readonly heldUntil: Instant | undefined;
  /** State of the jitter's generator, so that decide() stays pure. */
  readonly seed: number;
}

export interface Policy {
  readonly bootTimeout: Ms;
  /** How much longer a child is waited for, which says itself at the end of that time what it waits for: unless it hangs. */
  readonly bootGrace: Ms;
  /** How long, at the first boot, workers wait for those before them; 0: not at all. */
  readonly headStart: Ms;
  /** How many workers boot side by side, once the first is ready: at the start, after `scale` and when many died. */
  readonly bootsAtOnce: number;
  /** For how long a boot counts among these: one that takes longer waits for something, and must not keep the others out. */
  readonly bootPace: Ms;
  /** Silence of a ready child's loop after which it is examined and killed. Children that run are judged by their own: see Ready. */
  readonly beatTimeout: Ms;
  readonly gracefulTimeout: Ms;
  /** How long the canary of a roll must live before the others follow. */
  readonly rollSettle: Ms;
  /** Whether the canary is asked for an answer, and how long that may take. */
  readonly probe: Ms | undefined;
  /** How long the examination before a kill may take. */
  readonly examineBudget: Ms;
  /** An examination ends by itself, on a busy machine later: one that has not by then is not waited for. */
  readonly examineLongest: Ms;
  /** How long a killed child may take to be reaped before that is said aloud. */
  readonly reapTimeout: Ms;
  /** Quick stop: how long children get to leave by themselves. */
  readonly quickTimeout: Ms;
  /** More crashes of one place within this window than `crashes` means waiting: base × 2^n up to max, with jitter. */
  readonly crashLimit: {
    readonly crashes: number;
    readonly within: Ms;
    /** The same for one that died while it booted, or soon after: each try costs a boot's CPU. */
    readonly unborn: number;
  };
  readonly backoff: {
    readonly base: Ms;
    readonly max: Ms;
    /** The longest pause between two starts of a role of which no process is left. */
    readonly alone: Ms;
    /** A child that was ready for so long resets the back-off of its place. */
    readonly served: Ms;
  };
  /** Fewest and most workers that `grow`, `shrink` and `scale` may reach. */
  readonly minWorkers: number;
  readonly maxWorkers: number;
}

/** What a child said before it left: its exit code's meaning in words. */
export interface Fatal {
  readonly exit: number;
  readonly code: string;
  readonly message: string;
}

export type Event = { readonly at: Instant } & (
  | { readonly type: "start"; readonly roles: readonly Role[]; readonly workers: number }
  | {
      readonly type: "spawned";
      readonly place: PlaceId;
      readonly seat: Seat;
      readonly pid: Pid;
      readonly generation: number;
      readonly beatTimeout: Ms;
    }
  /** fork() failed (EAGAIN, ENOMEM): counts as a crash. */
  | { readonly type: "spawnFailed"; readonly place: PlaceId; readonly seat: Seat; readonly message: string }
  | { readonly type: "ready"; readonly pid: Pid }
  | { readonly type: "beat"; readonly pid: Pid }
  /** The answer to `probe`: what the child's own server said to a request. */
  | { readonly type: "probed"; readonly pid: Pid; readonly ok: boolean; readonly message: string }
  /** `starved`: it wants to run, and the machine does not let it. */
  | { readonly type: "report"; readonly pid: Pid; readonly verdict: string; readonly starved?: boolean }
  | {
      readonly type: "exited";
      readonly pid: Pid;
      readonly code: number | null;
      readonly signal: string | null;
      readonly fatal: Fatal | undefined;
      /** It drained by itself because somebody sent SIGTERM to it alone: no crash. */
      readonly gentle?: boolean;
    }
  /** `late`: by how much the master's own loop missed the timer. */
  | { readonly type: "tick"; readonly late: Ms }
  | { readonly type: "stop"; readonly quick: boolean; readonly exit?: number }
  /** `workers`: the new target when the setting itself changed; otherwise scaling survives. */
  | { readonly type: "reload"; readonly workers: number | undefined }
  | { readonly type: "scale"; readonly to: number }
  | { readonly type: "grow" }
  | { readonly type: "shrink" }
  /** `pid`: only this process, which may have been replaced meanwhile; undefined: whichever is in the seat. */
  | { readonly type: "recycle"; readonly place: PlaceId; readonly pid?: Pid; readonly why: string }
  /** A role is needed that was not started: the application asks for tables. */
  | { readonly type: "need"; readonly role: Role }
  | { readonly type: "memory"; readonly short: boolean }
);

export type Seat = "incumbent" | "successor";

export type Action =
  | {
      readonly do: "spawn";
      readonly place: PlaceId;
      readonly role: Role;
      readonly nr: number;
      readonly seat: Seat;
      readonly generation: number;
    }
  | { readonly do: "drain"; readonly pid: Pid; readonly within: Ms; readonly why: Reason }
  | { readonly do: "kill"; readonly pid: Pid; readonly why: Reason }
  /** Have the child ask its own server for an answer, then feed `probed`. */
  | { readonly do: "probe"; readonly pid: Pid; readonly within: Ms }
  /** Look at a silent child from outside (/proc), then feed `report`. */
  | { readonly do: "examine"; readonly pid: Pid; readonly budget: Ms }
  | { readonly do: "announce"; readonly what: "ready" | "reloading" | "stopping" }
  | {
      readonly do: "log";
      readonly level: "debug" | "info" | "warn" | "error" | "fatal";
      readonly text: string;
      readonly fields?: Readonly<Record<string, unknown>>;
    }
  | { readonly do: "exit"; readonly code: number };

export type Decision = readonly [Master, readonly Action[]];

export const initialMaster = (seed: number): Master => ({
  mode: { is: "running" },
  generation: 1,
  target: 0,
  places: new Map(),
  roll: undefined,
  lastRoll: undefined,
  recycles: [],
  booted: false,
  ahead: undefined,
  memoryShort: false,
  heldUntil: undefined,
  seed,
});
