/**
 * What the master has measured and added up over its life, dead children included: what metrics and alerts are made of, beside the
 * snapshot. Plain data.
 */
import type { NodeFigures, SpanName } from "./figures.ts";
import type { HistogramDelta } from "./histogram.ts";
import type { Role } from "./protocol.ts";
import type { Ms, Timestamp } from "./units.ts";

/** One place's processes: sizes are of all that live, and where there are two the start and Node's own state are the newest one's. */
export interface ProcessMeasured {
  readonly role: Role | "master";
  readonly slot: number;
  readonly startedAt: Timestamp;
  /** Seconds since the daemon started, of the dead too; undefined: never read. */
  readonly cpuUser: number | undefined;
  readonly cpuSystem: number | undefined;
  /** Bytes, and how many files are open; undefined: could not be read. */
  readonly rss: number | undefined;
  readonly virtual: number | undefined;
  readonly data: number | undefined;
  readonly files: number | undefined;
  readonly node: NodeFigures | undefined;
}

/** A file system that the service writes to, in bytes. */
export interface DiskMeasured {
  readonly directory: "data" | "log";
  readonly size: number;
  /** For this user. */
  readonly free: number;
  /** Files and folders; undefined where the file system has no limit of its own for them. */
  readonly inodes?: { readonly total: number; readonly free: number };
}

export interface Measured {
  /** By the names of base/figures.ts. They never fall. */
  readonly counts: Readonly<Record<string, number>>;
  /** Durations of answers. */
  readonly latency: HistogramDelta;
  /** `gc.*` of all processes of a role apart, the others of all together. */
  readonly spans: Readonly<Partial<Record<SpanName, HistogramDelta>>>;
  readonly pauses: readonly { readonly role: Role | "master"; readonly kind: string; readonly times: HistogramDelta }[];
  readonly processes: readonly ProcessMeasured[];
  /** Files that one process may open. */
  readonly mostFiles: number | undefined;
  readonly disks: readonly DiskMeasured[];
  /** 95th percentile of the answers of the last minute. */
  readonly minuteP95: Ms | undefined;
  /** Most bytes of accepted writes that may wait. */
  readonly journalSize: number;
}
