/**
 * All that master and children ever say to each other over the IPC channel. JSON, small, one record a message; sheet
 * data never travels here. The receiver stamps the time. A worker runs application code, so what it says is input:
 * a message that is not exactly one of these is counted and dropped (fromchild.ts reads them).
 */
import type { AdminKeys } from "./adminkeys.ts";
import type { Counters } from "./counters.ts";
import { record } from "./fields.ts";
import type { BeatFigures } from "./figures.ts";
import type { HistogramDelta } from "./histogram.ts";
import type { ByClass } from "./requestclass.ts";
import type { RequestInFlight } from "./requests.ts";
import type { SessionStoreReport } from "./sessionstore.ts";
import type { Shortage, SlotsState } from "./slots.ts";
import type { Ms } from "./units.ts";
import type { UpstreamReport } from "./upstreamreport.ts";

export type Role = "worker" | "broker" | "emulator";
export const ROLES = ["worker", "broker", "emulator"] as const satisfies readonly Role[];

/** An address the daemon listens on, as the operator wrote it and as it was bound. */
export interface Address {
  /** `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/x.sock` or `fd://3`. */
  readonly name: string;
  readonly kind: "tcp" | "unix";
}

/** Where a further server of an application listens. */
export interface SocketAddress {
  /** A unix socket's path; null: TCP. */
  readonly path: string | null;
  /** An IP address; null: every address. */
  readonly host: string | null;
  readonly port: number;
  readonly ipv6Only: boolean;
  /** Counts the servers of one worker that name the same address (port 0), from 0. */
  readonly nth: number;
}

/** The state of the whole, pushed to workers whenever it changes (at most once a second): /healthz answers from it. */
export interface Health {
  readonly status: "ok" | "degraded" | "stopping";
  readonly generation: number;
  readonly workers: { readonly ready: number; readonly target: number };
  readonly broker: "ready" | "away" | "none";
  readonly upstream: UpstreamReport["state"];
  readonly demo: boolean;
  /** How full it is; null where nobody logs in. */
  readonly slots?: SlotsState | null;
}

/**
 * What an operator may want of sessions and counts. `list`: sessions with a slot, or only those that do not use it; `reap`: free expired slots; `end`: end sessions;
 * `reset-day`: count daily quotas by the clock's day, after a clock that was ahead was set back.
 */
export type SlotsQuestion =
  | { readonly do: "list"; readonly zombies?: true }
  | { readonly do: "reap" }
  | { readonly do: "reset-day" }
  | { readonly do: "end"; readonly who: string };
/** What an operator may want of writes that Google has refused for good. `ids` null: all, the oldest first, as many as one order takes. */
export type WritesQuestion =
  | { readonly do: "aside"; readonly most: number }
  | { readonly do: "retry"; readonly ids: readonly string[] | null }
  | { readonly do: "discard"; readonly ids: readonly string[] | null };
/**
 * All that the master may ask of the broker. `max`: how many slots there are from now on.
 * `close`: refuse new sessions, or (null) admit them.
 * `purge`: ask again for rows of a table, or of all.
 */
export type Question =
  | SlotsQuestion
  | { readonly do: "max"; readonly max: number }
  | { readonly do: "close"; readonly why: Shortage | null }
  | { readonly do: "purge"; readonly table: string | null }
  | WritesQuestion;

export type ToChild =
  | {
      type: "configure";
      role: Role;
      slot: number;
      generation: number;
      masterPid: number;
      beatEvery: Ms;
      addresses: readonly Address[];
      config: unknown;
    }
  /** Comes with a handle: accept from it. */
  | { type: "handle"; address: number }
  /** Answers `bind`, with a handle when `errno` is 0; else a negative errno of libuv. */
  | { type: "bound"; id: number; errno: number }
  /** `last`: the whole service stops, and nobody accepts in your place. */
  | { type: "drain"; within: Ms; last?: boolean }
  /** Ask your own server for the probe path; `probed` answers it. */
  | { type: "probe"; within: Ms }
  | { type: "retune"; config: unknown }
  | { type: "reopen" }
  /** To the broker, for the operator; `told` answers it. */
  | { type: "ask"; id: number; question: Question }
  /**
   * How many connections that stay a worker has on the average: one with more lets its neighbours accept. null: it has no neighbours.
   * `room`: one of them is below its cap; said every second as long as another is at its own. `standby`: connections come and
   * go, and as many others as there are CPUs take them; said every second as long as it is so.
   */
  | { type: "share"; connections: number | null; room: boolean; standby: boolean }
  | { type: "health"; health: Health }
  /** Who may administer, as digests. */
  | { type: "admin"; keys: AdminKeys };

export interface Beat {
  readonly type: "beat";
  readonly seq: number;
  readonly inFlight: number;
  readonly connections: number;
  /** Event-loop utilisation since the last beat, 0…1. */
  readonly elu: number;
  /** How late this beat's timer was: the loop's delay. */
  readonly delay: Ms;
  /** 99th percentile of the loop's delay over the last half to whole minute. */
  readonly delayP99?: Ms;
  readonly heap: number;
  /** Resident bytes; absent when the child could not read them. */
  readonly rss?: number;
  /** True while the connection cap keeps the worker from accepting. */
  readonly full: boolean;
  readonly counters: Counters;
  /** Durations of answered requests since the last beat. */
  readonly latency: HistogramDelta;
  readonly upstream?: UpstreamReport;
  /** Of the broker: how many people are in. */
  readonly slots?: SlotsState;
  /** Of the broker: rows written in the last minute, as DROVER_TOKENS_PER_MINUTE counts them. */
  readonly tokensUsed?: number;
  /** Of the broker: the engine that keeps sessions; absent: it does so itself. */
  readonly sessionStore?: SessionStoreReport;
  /** Counts by name, durations, Node's own state: for metrics. */
  readonly figures?: BeatFigures;
  /** How many requests of each class are in flight; absent when there are none. */
  readonly byClass?: ByClass;
  /** The oldest requests in flight; absent when there are none. */
  readonly requests?: readonly RequestInFlight[];
  /** Of a worker: it can't reach the broker. Of the broker: its socket is not where workers look for it. Absent when all is well. */
  readonly brokerLost?: true;
}

/** Who asked a worker that has drained: the master, a SIGTERM from somebody else, or its application by closing the server. */
export type DrainedBy = "master" | "operator" | "application";

export type FromChild =
  /** The child can do its work: a worker listens, the broker and the emulator answer. `where` is for the log. */
  | { type: "ready"; where: string }
  | Beat
  | { type: "drained"; served: number; by?: DrainedBy }
  /** What this worker's own server answered to a request for the probe path: `ok` with 2xx and 3xx. */
  | { type: "probed"; ok: boolean; message: string }
  /** The child can't go on and says why before it exits with `exit`. */
  | { type: "fatal"; exit: number; code: string; message: string }
  /** The application has asked for tables: start the broker (and, in demo, the emulator) if there is none. */
  | { type: "wants"; what: "tables" }
  /** It has served as many requests as it should (DROVER_MAX_REQUESTS); said once, and it serves on until its replacement is ready. */
  | { type: "worn"; served: number }
  /** The application handles the signal that would open the inspector; said once. */
  | { type: "handles"; signal: "SIGUSR1" }
  /** The application opens another server: give it a copy of the socket that listens there; `bound` answers it. */
  | { type: "bind"; id: number; address: SocketAddress }
  /** That server has been closed. */
  | { type: "unbind"; address: SocketAddress }
  /** The broker's answer to `ask`: a text for a terminal. */
  | { type: "told"; id: number; ok: boolean; text: string }
  /**
   * Connections that came to stay, and whether the worker is at its cap, said when that has changed: the beat comes too seldom to balance
   * by, and counts those that leave at once. `churns`: many of these come; said every 200 ms as long as they do.
   */
  | { type: "holds"; connections: number; full: boolean; churns: boolean };

/** The master is trusted: its messages are only told from what an application sends itself through the same channel. */
export function isFromMaster(raw: unknown): raw is ToChild {
  if (!record(raw)) return false;
  const type = raw["type"] as ToChild["type"];
  switch (type) {
    case "configure":
    case "handle":
    case "bound":
    case "drain":
    case "probe":
    case "retune":
    case "reopen":
    case "ask":
    case "share":
    case "health":
    case "admin":
      return true;
    default:
      return (type satisfies never, false);
  }
}
