/**
 * What `drover top` knows and shows: plain data. update(model, event) → [model, wishes] is all of its judgement, render(model)
 * all of its drawing; screen and socket are the shell's.
 *
 *   table ─ ? → help ─ any key → table
 *   table ─ r · - · R N → confirm ─ y → an order is sent; any other key → table
 *   table ─ R · s → slot ─ Enter → confirm (R), an order is sent (s); Esc → table
 *   an answer to s → text ─ Esc, q → table
 */
import type { Tone } from "../terminal/line.ts";
import { printable } from "../terminal/printable.ts";
import type { Status } from "../snapshot.ts";
import type { ColumnName } from "./columns.ts";
import type { Rates } from "./rates.ts";

/** What is asked of the daemon. */
export type Order =
  | { readonly verb: "reload" }
  | { readonly verb: "scale"; readonly to: number }
  | { readonly verb: "recycle"; readonly slot: number | undefined }
  | { readonly verb: "stack"; readonly slot: number };

export type Mode =
  | { readonly is: "table" }
  | { readonly is: "help" }
  | { readonly is: "confirm"; readonly question: string; readonly order: Order }
  | { readonly is: "slot"; readonly of: "recycle" | "stack"; readonly typed: string }
  | { readonly is: "text"; readonly title: string; readonly lines: readonly string[]; readonly scroll: number };

export interface Message {
  readonly text: string;
  readonly tone: Tone;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Model {
  readonly size: Size;
  /** The last one that came. */
  readonly status: Status | undefined;
  readonly rates: Rates;
  /** Why no answer came to the last question. */
  readonly away: string | undefined;
  readonly mode: Mode;
  readonly sort: { readonly by: ColumnName; readonly down: boolean };
  /** Rows of the table above the first one shown. */
  readonly scroll: number;
  /** The last result; the next key takes it away. */
  readonly message: Message | undefined;
  /** The generation whose reload was asked for here and has not ended. */
  readonly awaits: number | undefined;
}

export const firstModel = (size: Size): Model => ({
  size,
  status: undefined,
  rates: new Map(),
  away: undefined,
  mode: { is: "table" },
  sort: { by: "slot", down: false },
  scroll: 0,
  message: undefined,
  awaits: undefined,
});

export const say = (model: Model, tone: Tone, text: string): Model => ({ ...model, message: { tone, text: printable(text) } });

/** The numbers of the workers there are, ascending. */
export const workersOf = (status: Status | undefined): readonly number[] =>
  (status?.places ?? []).filter((place) => place.role === "worker").map((place) => place.slot);
