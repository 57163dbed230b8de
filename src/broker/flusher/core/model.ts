/**
 * The words of the flusher's core. It does one thing at a time, so its life is one job after another:
 *
 *   opening → (holding → opening) → what the last life left → idle ⇄ naming, heading, locating, batch, rows, undoing
 *
 *   batch:  sealing → sending ─ 200 ────────────────────────────→ settling: landed
 *                       ↑  └── no answer, 5xx, nonsense ─┐ (the same bytes again)
 *                       └────────────────────────────────┘
 *                     sending ─ 400 → looking ─ our value ──────→ settling: landed
 *                                        │ ─── another value ───→ settling: again, under a new id
 *                                        └ none → voiding ──────→ settling: again in halves; one write alone: parked
 *   rows:   writing → recording
 *
 * `voiding` puts the fence there without the batch, so that no earlier attempt can land any more: only then is a refusal believed.
 */
import type { Instant, Timestamp } from "../../../base/units.ts";
import type { Delivery } from "../../../sheets/writes.ts";
import type { Batch, Entry, Settlement } from "../../journal/journal.ts";
import type { Outcome } from "../../upstream.ts";
import type { FoundMetadata, WriteOutcome } from "../port.ts";
import type { Layout } from "../../../sheets/layout.ts";
import type { Queue } from "./queue.ts";
import type { Located, RowChange, Stray, Tag, Trouble, Undo } from "./tagged.ts";
import type { Stats } from "./stats.ts";

/** What the core may know of the world while it takes one step. */
export interface World {
  readonly now: Instant;
  readonly wall: Timestamp;
  /** 0 ≤ random < 1. */
  readonly random: number;
  /** When the next call of each quota is allowed: now, or later. */
  readonly mayWrite: Instant;
  /** The next write that can't wait for its turn in the minute: within the quota, not paced. */
  readonly mayUndo: Instant;
  readonly mayRead: Instant;
  layout(table: string): Layout | undefined;
  /** The row of a key as the table's last reading showed it, counted from the tab's first. */
  rowOf(table: string, key: string): number | undefined;
}

/** A row that a batch pins: the tag `id` on the row where the key was last seen. */
export interface Pin {
  readonly id: number;
  readonly table: string;
  readonly key: string;
  readonly sheetId: number;
  readonly row: number;
}

/** The guards of a table's columns, by name. */
export interface Guard {
  readonly sheetId: number;
  readonly ids: ReadonlyMap<string, number>;
  /** They were seen where the columns are. */
  readonly stands: boolean;
}

/** A sealed batch on its way. */
export interface Flight {
  batch: Batch;
  readonly fields: string;
  /** Writes that land together or not at all, row by row: what a refused batch is cut into. */
  readonly units: readonly (readonly number[])[];
  readonly pins: readonly Pin[];
  /** Metadata that it removes. */
  readonly removed: readonly number[];
  /** Its fence is in it. Without one nothing tells whether it has landed but the rows themselves. */
  readonly fenced: boolean;
  /** An attempt was made whose end is not known. */
  unsure: boolean;
  /** When the last attempt was made. */
  triedAt: Instant;
  /** An empty batch that is sent twice, to see the second one refused. */
  proof: "no" | "first" | "second";
  refusal: string;
  /** Answers that were none. */
  odd: number;
  /** The tables whose columns it was made by. */
  readonly layouts: readonly Layout[];
  /** The tables whose columns it checks before it lands: those, and tables whose guards it creates. */
  readonly guards: readonly Layout[];
  /** The header rows were read after it was refused. */
  checked: boolean;
  /** Its answer shows their header rows. */
  readonly shows: boolean;
  /** Their columns stand elsewhere now: it must not land. */
  moved: boolean;
}

/** A look at a table's header row: whether it was that of the layout. */
export interface Seen {
  readonly layout: Layout;
  readonly holds: boolean;
  readonly at: Instant;
}

export type Job =
  /** Wants to know which metadata of ours stand. `held`: for the second time, after the writes of a later life have ended. */
  | { readonly is: "opening"; readonly held: boolean }
  | { readonly is: "holding"; readonly until: Instant }
  | { readonly is: "idle" }
  | { readonly is: "naming" }
  /** Header rows are looked at; then the flight goes on, if there is one: to where a refusal is looked into, or to be sent. */
  | { readonly is: "heading"; readonly layouts: readonly Layout[]; readonly flight?: Flight; readonly refused?: boolean }
  | { readonly is: "locating"; readonly table: string; readonly keys: ReadonlySet<string> }
  | { readonly is: "sealing"; readonly flight: Flight }
  | { readonly is: "sending"; readonly flight: Flight }
  | { readonly is: "looking"; readonly flight: Flight; readonly after: "sending" | "voiding" }
  | { readonly is: "confirming"; readonly flight: Flight; readonly after: "sending" | "voiding" }
  | { readonly is: "voiding"; readonly flight: Flight }
  /** Without a fence that holds: an attempt without an answer may land until then. */
  | { readonly is: "waiting"; readonly flight: Flight; readonly until: Instant }
  /** Appends that may be in the sheet already are looked for by their keys. */
  | {
      readonly is: "readingBack";
      readonly flight: Flight | undefined;
      readonly tables: readonly string[];
      readonly entries: readonly Entry[];
      readonly landed: readonly number[];
    }
  | { readonly is: "settling"; readonly flight: Flight | undefined; readonly how: Settlement; readonly gone: readonly number[] }
  | { readonly is: "writing"; readonly rows: readonly RowChange[]; readonly body: Uint8Array }
  /** Cells that were overwritten are put back. */
  | { readonly is: "undoing"; readonly rows: readonly Undo[]; readonly body: Uint8Array; readonly tries: number };

/** Owned and changed by the core alone. */
export interface State {
  readonly mark: string;
  readonly queue: Queue;
  readonly stats: Stats;
  job: Job;
  /** Tables whose first write waits until it is known whether the account may write. */
  readonly wanted: Set<string>;
  /** Done before anything else. */
  next: Job[];
  /** What the last life left, until it is known what became of it. */
  left: { readonly entries: readonly Entry[]; readonly batches: readonly Batch[] } | undefined;
  nextId: number;
  delivery: Delivery | "unproven";
  proveAt: Instant;
  /** Fences that stand, and from when on each may be removed. */
  readonly fences: Map<number, Instant>;
  /** Tags that must go: with the next batch that pins anything, at the latest. */
  readonly drops: Set<number>;
  /** By row name, the longest unused first. */
  readonly tags: Map<string, Tag>;
  ids: ReadonlyMap<string, number> | undefined;
  readonly lostTabs: Map<string, Instant>;
  readonly located: Map<string, Located>;
  readonly headers: Map<string, Seen>;
  readonly guards: Map<string, Guard>;
  /** Appends go without guards until then. */
  guardsFrom: Instant;
  /** By row name. */
  readonly strays: Map<string, Stray>;
  /** When a table's last stray was settled, and by which columns it was written last: readings that were asked for earlier may show wrong cells. */
  readonly cleared: Map<string, Instant>;
  readonly wrote: Map<string, { readonly layout: Layout; readonly at: Instant }>;
  /** Whether answers of changes show header rows, as far as it is known. */
  headersShown: "unknown" | "yes";
  /** Changes go without a look at header rows until then. */
  headersFrom: Instant;
  /** Tables that must be read anew: the shell tells the broker. */
  readonly moved: Set<string>;
  /** Tables whose range is there, as an answer of Google shows: the shell tells the broker. */
  readonly found: Set<string>;
  readonly troubles: Map<string, Trouble>;
  /** Rows whose append was parked, and why. */
  readonly parkedRows: Map<string, string>;
  /** Parts of batches that were refused. */
  pieces: (readonly number[])[];
  /** Nothing but appends is put into batches until then, because a batch with more was refused. */
  ridersFrom: Instant;
  riderFailures: number;
  /** What was chosen last. */
  turn: "piece" | "fresh";
  lastWas: "batch" | "rows";
  quiet: { readonly first: Instant; readonly last: Instant } | undefined;
  failures: number;
  notBefore: Instant;
}

/** One thing for the shell to do; its result is the next event. */
export type Op =
  /** Until then, or until more is accepted. */
  | { readonly do: "sleep"; readonly until: Instant | undefined }
  | { readonly do: "search" }
  | { readonly do: "tabs" }
  | { readonly do: "look"; readonly id: number }
  | { readonly do: "locate"; readonly range: string }
  | { readonly do: "headers"; readonly ranges: readonly string[] }
  | { readonly do: "seal"; readonly batch: Batch; readonly nextId: number }
  | { readonly do: "mark"; readonly nr: number; readonly lsns: readonly number[] }
  | { readonly do: "send"; readonly body: Uint8Array; readonly fields: string }
  | { readonly do: "write"; readonly body: Uint8Array; readonly lsns: readonly number[] }
  | { readonly do: "settle"; readonly nr: number | undefined; readonly how: Settlement; readonly gone: readonly number[] };

export type Event =
  | { readonly type: "woke" }
  | { readonly type: "kept" }
  | { readonly type: "failed" }
  | { readonly type: "searched"; readonly outcome: WriteOutcome<readonly FoundMetadata[]> }
  | { readonly type: "named"; readonly outcome: WriteOutcome<ReadonlyMap<string, number>> }
  | { readonly type: "looked"; readonly outcome: WriteOutcome<string | undefined> }
  | { readonly type: "located"; readonly outcome: Outcome<readonly unknown[]> }
  | { readonly type: "headed"; readonly outcome: Outcome<readonly unknown[]> }
  | { readonly type: "answered"; readonly outcome: WriteOutcome<unknown> };

/** How one kind of job goes on: `go` gives the next thing to do, or undefined when the job has become another; `on` takes a result. */
export interface Handler<J extends Job> {
  go(job: J, state: State, world: World): Op | undefined;
  on(job: J, event: Event, state: State, world: World): void;
}
export type HandlerOf<K extends Job["is"]> = Handler<Extract<Job, { is: K }>>;
