/** Everything that the items of the checklist are evaluated by: plain data. */
import type { Peaks } from "../../admin/peaks.ts";
import type { Told } from "../../admin/timeline-file.ts";
import type { Timestamp } from "../../base/units.ts";
import type { Status } from "../snapshot.ts";
import type { Entry } from "./records.ts";

/** What could be looked at, or why it could not; `brief` for the items, of which many may say it. */
export type Seen<T> = { readonly is: "seen"; readonly value: T } | { readonly is: "unseen"; readonly why: string; readonly brief: string };

export const seen = <T>(value: T): Seen<T> => ({ is: "seen", value });
export const unseen = (why: string, brief = why): Seen<never> => ({ is: "unseen", why, brief });

export interface SettingsFacts {
  /** Why a start would fail; undefined: it would not. */
  readonly problem: string | undefined;
  readonly warnings: readonly string[];
  /** Where alerts go besides the log. */
  readonly sinks: readonly ("webhook" | "command")[];
  /** Percent. */
  readonly diskLimit: number;
  readonly quotaLimit: number;
  /** Of the certificate that drover serves itself. */
  readonly certificateEnds: Timestamp | undefined;
}

/** What the public address answers. */
export interface PageFacts {
  readonly url: string;
  /** Status of `/` and of /api/admin/health. */
  readonly page: number;
  readonly health: number;
  /** Percent of the slots that the public health names; null: none. */
  readonly shown: number | null;
}

export interface DiskFacts {
  readonly path: string;
  /** Percent. */
  readonly used: number;
}

export interface Facts {
  readonly now: Timestamp;
  readonly version: string;
  readonly settings: SettingsFacts;
  readonly status: Seen<Status>;
  readonly page: Seen<PageFacts>;
  readonly records: Seen<readonly Entry[]>;
  readonly told: Seen<Told>;
  /** Of the last minutes, which are not in the file yet. */
  readonly live: Peaks | undefined;
  readonly disks: Seen<readonly DiskFacts[]>;
}
