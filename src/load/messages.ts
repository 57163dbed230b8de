/** What the conductor and the threads say to each other; all of it survives structured cloning. */
import type { RunModel } from "../tools/plan/run/run.ts";
import type { TallyDelta } from "./tally.ts";
import type { Target } from "./target.ts";
import type { Traffic } from "./traffic.ts";

export interface ThreadOptions {
  readonly target: Target;
  readonly traffic: Traffic;
  readonly timeoutMs: number;
  readonly seed: number;
  readonly thread: number;
  readonly threads: number;
  /** A number that tells this run's rows from another's. */
  readonly run: string;
  /** Each user asks from a loopback address of its own. */
  readonly spread: boolean;
  /** Of each thread at most, in the open model. */
  readonly connections: number;
}

/** One thread's part of a step. */
export interface ThreadStep {
  readonly model: RunModel;
  readonly from: number;
  readonly to: number;
  readonly warmMs: number;
  readonly holdMs: number;
  /** Requests; Infinity: as many as there are in its time. */
  readonly most: number;
  /** After it nobody asks until the next one. */
  readonly rests: boolean;
}

export type ToThread =
  | { readonly do: "step"; readonly step: ThreadStep }
  /** The step ends now; what is under way is waited for. */
  | { readonly do: "cut" }
  /** Everybody goes. */
  | { readonly do: "end" };

export type FromThread =
  /** The warm-up is over: from now on it counts. */
  | { readonly type: "open" }
  /** Nothing more is counted; what is under way is waited for. */
  | { readonly type: "close" }
  /** Every second, of the window: also the rest of one as it closes, and while what is under way is waited for. */
  | { readonly type: "second"; readonly tally: TallyDelta }
  | { readonly type: "done"; readonly tally: TallyDelta; readonly report: ThreadReport }
  | { readonly type: "ended" };

export interface ThreadReport {
  /** How long the window was open. */
  readonly ms: number;
  /** 0 to 1: how much of that time the thread's loop was busy. */
  readonly elu: number;
  /** Of an open step. */
  readonly connections: number;
  /** No more of them were allowed, and requests waited for one. */
  readonly capped: boolean;
  /** Requests that were to be sent and had found no connection when the step ended. */
  readonly unsent: number;
  /** Requests that were to be sent and had no answer, in the middle of the time and at its end: whether what waits grows. */
  readonly backlog: { readonly half: number; readonly end: number };
  /** Requests that count and whose answer nobody waited for any longer: the run was interrupted. */
  readonly unanswered: number;
}
