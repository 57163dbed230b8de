/**
 * Hooks: functions that a user's module exports and that hear what happens to the service. They run in a process of their own, one
 * call after the other, and whatever they do there the master only hears how a call ended. This file is the contract between the two.
 */

/** What every event begins with. */
interface Happened {
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** Everything serves for the first time. */
export interface ReadyEvent extends Happened {
  /** The master's pid. */
  readonly master: number;
  readonly generation: number;
  readonly workers: number;
  /** Where clients connect: `http://127.0.0.1:8080`, `unix:/run/app.sock`. */
  readonly addresses: readonly string[];
}

/** A worker serves. */
export interface WorkerReadyEvent extends Happened {
  readonly slot: number;
  readonly pid: number;
  readonly generation: number;
}

/** A worker has ended. */
export interface WorkerExitEvent extends Happened {
  readonly slot: number;
  readonly pid: number;
  readonly generation: number;
  /** The death's name: `stuck`, `oom-heap`, `crash`, `rolled`, `signal:SIGKILL` … */
  readonly death: string;
  /** In words: how it ended, where it was stuck. */
  readonly reason: string;
  /** It went because it was told to. */
  readonly expected: boolean;
}

/** One setting that a reload found changed. Secrets are `***`. */
export interface SettingChange {
  readonly setting: string;
  readonly before: string;
  readonly after: string;
  /** `live`: in force now. `roll`: with the new generation. `restart`: not before a restart. */
  readonly reload: "live" | "roll" | "restart";
}

/** A reload begins. */
export interface ReloadEvent extends Happened {
  /** The generation that is tried. */
  readonly generation: number;
  readonly changes: readonly SettingChange[];
}

/** The service begins to stop. */
export interface StopEvent extends Happened {
  readonly master: number;
  /** The exit code that drover will leave with. */
  readonly exit: number;
  readonly quick: boolean;
}

export interface HookEvents {
  readonly onReady: ReadyEvent;
  readonly onWorkerReady: WorkerReadyEvent;
  readonly onWorkerExit: WorkerExitEvent;
  readonly onReload: ReloadEvent;
  readonly onStop: StopEvent;
}

export type HookName = keyof HookEvents;

/** What a hooks module may export. */
export type Hooks = { readonly [N in HookName]?: (event: HookEvents[N]) => unknown };

/** Every hook there is. */
export const HOOK_NAMES = ["onReady", "onWorkerReady", "onWorkerExit", "onReload", "onStop"] as const satisfies readonly HookName[];

/** A hook with its event: what waits to be called. */
export type HookCall = { readonly [N in HookName]: { readonly hook: N; readonly event: HookEvents[N] } }[HookName];

export type ToHooks = { readonly type: "load"; readonly file: string } | ({ readonly type: "call"; readonly id: number } & HookCall);

export type FromHooks =
  /** `strange`: exports that look like hooks and are none. */
  | { readonly type: "loaded"; readonly hooks: readonly HookName[]; readonly strange: readonly string[] }
  /** The module could not be loaded. */
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "done"; readonly id: number }
  /** The hook threw, or rejected. */
  | { readonly type: "threw"; readonly id: number; readonly message: string }
  /** Something outside of a call threw: the process ends. */
  | { readonly type: "fault"; readonly message: string };

/** Longer messages and names are cut. */
const LONGEST_TEXT = 4_000;
const MOST_STRANGE = 8;

const text = (raw: unknown): string => (typeof raw === "string" ? raw.slice(0, LONGEST_TEXT) : "");
const isHook = (raw: unknown): raw is HookName => (HOOK_NAMES as readonly unknown[]).includes(raw);

/** Reads a message of the hooks' process, which runs a user's code. @returns undefined when it is none. */
export function readFromHooks(raw: unknown): FromHooks | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { type, id, message, hooks, strange } = raw as Record<string, unknown>;
  switch (type) {
    case "loaded":
      if (!Array.isArray(hooks) || !Array.isArray(strange)) return undefined;
      return { type, hooks: hooks.filter(isHook), strange: strange.slice(0, MOST_STRANGE).map(text) };
    case "failed":
    case "fault":
      return { type, message: text(message) };
    case "done":
      return Number.isSafeInteger(id) ? { type, id: id as number } : undefined;
    case "threw":
      return Number.isSafeInteger(id) ? { type, id: id as number, message: text(message) } : undefined;
    default:
      return undefined;
  }
}
