/** What a run leaves behind: raw rounds, so that every figure on a page can be traced. No hostname, no path. */
import type { RunStep } from "../../src/tools/plan/run/run.ts";
import type { Round } from "./measure.ts";
import type { Size } from "./size.ts";
import type { StackName } from "./stack.ts";

export interface Machine {
  readonly cpus: number;
  /** As /proc/cpuinfo names it. */
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly kernel: string;
}

export interface Skipped {
  readonly what: string;
  readonly install: string;
}

/** Rounds of each stack, in turns. */
export interface Scenario {
  readonly key: string;
  readonly connections: number;
  readonly keepAlive: boolean;
  readonly rounds: Readonly<Partial<Record<StackName, readonly Round[]>>>;
}

export interface Footprint {
  readonly stack: StackName;
  readonly workers: number;
  /** From exec to the last worker that serves, each start. */
  readonly startSeconds: readonly number[];
  readonly startCpuSeconds: readonly number[];
  /** Proportional set size of the tree in MiB. */
  readonly idle: number;
  /** After keep-alive, `ab` and 2,000 connections. */
  readonly loaded: number;
}

export interface Reload {
  readonly stack: StackName;
  readonly reloads: number;
  /** The longest, until the last worker was replaced; null: it tells nobody. */
  readonly reloadSeconds: number | null;
  readonly keepAlive: Pick<Round, "requests" | "errors" | "max">;
  readonly fresh: Pick<Round, "requests" | "errors" | "max">;
}

export interface Probes {
  readonly asked: number;
  readonly answered: number;
  /** After more than half a second. */
  readonly late: number;
  readonly failed: number;
  /** Without an answer when the test ended. */
  readonly hanging: number;
  readonly max: number;
}

export interface Stuck {
  readonly stack: StackName;
  readonly timeoutSeconds: number;
  readonly watchedSeconds: number;
  /** Until another worker served in its place; null: not while it was watched. */
  readonly replacedAfter: number | null;
  readonly fresh: Probes;
  readonly kept: Probes;
}

export interface UpstreamCalls {
  readonly stack: StackName;
  readonly ttlSeconds: number;
  readonly seconds: number;
  readonly calls: number;
  readonly reads: number;
  readonly failed: number;
}

export interface Expiry {
  readonly stack: StackName;
  readonly ttlSeconds: number;
  readonly upstreamMs: number;
  readonly expiring: readonly Round[];
  readonly hot: readonly Round[];
}

export interface Herd {
  readonly stack: StackName;
  readonly clients: number;
  readonly upstreamMs: number;
  readonly answered: number;
  readonly failed: number;
  readonly calls: number;
  readonly p50: number;
  readonly p99: number;
  /** Until the last client had its rows. */
  readonly seconds: number;
}

export interface Held {
  readonly workers: number;
  readonly perWorker: number;
  readonly wanted: number;
  readonly opened: number;
  readonly addresses: number;
  readonly openSeconds: number;
  /** Still open when the test ended. */
  readonly alive: number;
  readonly requests: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Of the tree with all of them open, in MiB; and before the first. */
  readonly pss: number;
  readonly pssBefore: number;
  /** CPUs of the tree while it held them and answered. */
  readonly cpus: number;
}

export interface Question {
  readonly system: string;
  readonly stack: StackName;
  readonly workers: number;
  readonly ttlSeconds: number;
  readonly upstreamMs: number;
  readonly thinkMs: number;
  /** Within the whole run. */
  readonly upstreamCalls: number;
  readonly steps: readonly RunStep[];
  readonly verdict: string;
}

export interface Sources {
  /** `ab -n N -c C`, as the documents have it. */
  readonly ab: readonly { readonly connections: number; readonly round: Round }[];
  /** 10, 100 and 500 users: the system before, after, and drover. */
  readonly questions: readonly Question[];
  /** drover alone: the ladder of 5 to 200 users, and the campaign of 300. */
  readonly ladder: Question | null;
  readonly campaign: (Question & { readonly compressed: string }) | null;
}

export interface Results {
  readonly format: "drover-bench";
  readonly version: 1;
  readonly mode: "full" | "quick" | "trial";
  readonly command: string;
  readonly day: string;
  readonly minutes: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly skipped: readonly Skipped[];
  /** A fixed piece of work, in ms, before each part: how fast the machine was. And the CPUs others took then. */
  readonly mood: readonly { readonly part: string; readonly calibrationMs: number; readonly others: number }[];
  /** Measurements that were done again because others took CPU. */
  readonly repeated: number;
  /** Parts that were measured again later, by themselves. */
  readonly again?: readonly string[];
  /** Parts that could not be measured, and why. */
  readonly failed: readonly { readonly part: string; readonly why: string }[];
  readonly workers: number;
  readonly answerBytes: number;
  readonly size: Size;
  readonly throughput: readonly Scenario[];
  /** The same, drover alone: CPU × 1 beside CPU × 4. */
  readonly workersBesideCpus: readonly {
    readonly workers: number;
    readonly idle: number;
    readonly loaded: number;
    readonly keepAlive: readonly Round[];
    readonly fresh: readonly Round[];
  }[];
  readonly footprint: readonly Footprint[];
  readonly reload: readonly Reload[];
  readonly stuck: readonly Stuck[];
  readonly upstream: readonly UpstreamCalls[];
  readonly expiry: readonly Expiry[];
  readonly herd: readonly Herd[];
  readonly held: Held | null;
  readonly sources: Sources;
}
