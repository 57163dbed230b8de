/** Every fault there is: what it does, and what it is told. */

/** A change that a person makes in the browser while programs are at work. Rows are counted from 1, as the person sees them. */
export type Edit =
  | { readonly kind: "rename"; readonly tab: string; readonly to: string }
  /** Sorts whole rows below the first `header` ones. `column`: a letter. */
  | {
      readonly kind: "sort";
      readonly tab: string;
      readonly column: string;
      readonly descending: boolean;
      readonly header: number;
    }
  /** Empty rows above `row`. */
  | { readonly kind: "insert"; readonly tab: string; readonly row: number; readonly count: number }
  | { readonly kind: "delete"; readonly tab: string; readonly row: number; readonly count: number }
  /** Drags a row to before the row `to`. */
  | { readonly kind: "move"; readonly tab: string; readonly row: number; readonly to: number }
  /** Types into a cell. `at`: "B2". */
  | { readonly kind: "type"; readonly tab: string; readonly at: string; readonly value: string };

/** Faults that change what the call meets, so that it is refused as Google refuses: it and those that follow. */
export type Refusing =
  /** The caller's pool is shut for so long, as if its quota were used up: 429. */
  | { readonly kind: "quota"; readonly lockout: number }
  /** All tokens given so far are expired: 401 until the client asks for another. */
  | { readonly kind: "expired" };

/** Faults that are seen on the wire. */
export type Breaking =
  /** Google's error envelope with this status. */
  | { readonly kind: "status"; readonly status: number; readonly message?: string }
  /** The spreadsheet is not shared any more. */
  | { readonly kind: "denied" }
  /** A page instead of JSON: a proxy's 502, the front end's "automated queries". */
  | { readonly kind: "html"; readonly status: number }
  /** No answer; the connection stays until the client gives up. */
  | { readonly kind: "hang" }
  /** The connection is reset, before or (with `partial`) within the answer. */
  | { readonly kind: "drop"; readonly partial?: boolean }
  /** The true answer, one byte every `everyMs`. */
  | { readonly kind: "drip"; readonly everyMs: number }
  /** 200 with the true answer cut in the middle, length and all consistent. */
  | { readonly kind: "malformed" }
  /** The true answer gzipped, and the gzip cut in the middle. */
  | { readonly kind: "truncated" }
  /** 200 with a JSON string of this many bytes. */
  | { readonly kind: "huge"; readonly bytes: number }
  /** The same, gzipped: a thousandth of it on the wire. */
  | { readonly kind: "bomb"; readonly bytes: number }
  | { readonly kind: "redirect"; readonly location: string }
  /** Answered now in a way that says nothing, and carried out `ms` later. */
  | { readonly kind: "late"; readonly ms: number; readonly answer: "drop" | "hang" | "503" };

/** Faults that decide what a call is answered: one a call. */
export type Ending = Refusing | Breaking;

/** Faults around a call, which then goes on. */
export type Passing = { readonly kind: "latency"; readonly ms: number } | Edit;

export type FaultKind = Ending | Passing;

/** A fault, which calls it is meant for, and which of those it hits. */
export type Fault = FaultKind & {
  /** A method's id (`sheets.spreadsheets.` may be left out), "read", "write", "oauth.token", or "*" for every method of the API. */
  readonly method: string;
  /** How many calls it hits; left out: as many as come. */
  readonly times?: number;
  /** The call takes effect before it fails, or before it is delayed. Kinds that carry the true answer always do. */
  readonly applied: boolean;
  /** So many calls go by first. */
  readonly skip?: number;
  /** Every so manieth call, counted after `skip`. */
  readonly every?: number;
  /** With this probability, by a generator of this `seed`. */
  readonly chance?: number;
  readonly seed?: number;
  /** Ms from its order on; then it is gone. */
  readonly for?: number;
};

const PASSING: ReadonlySet<string> = new Set([
  "latency",
  "rename",
  "sort",
  "insert",
  "delete",
  "move",
  "type",
]);
/** Kinds that are a person's doing. */
export const EDITS: ReadonlySet<string> = new Set([
  "rename",
  "sort",
  "insert",
  "delete",
  "move",
  "type",
]);

export const isPassing = (fault: FaultKind): fault is Passing => PASSING.has(fault.kind);
export const isRefusing = (fault: FaultKind): fault is Refusing =>
  fault.kind === "quota" || fault.kind === "expired";
export const isEdit = (fault: FaultKind): fault is Edit => EDITS.has(fault.kind);

/** Whether the call is carried out under this fault, or at least begun. */
export const takesEffect = (fault: Fault): boolean =>
  fault.applied ||
  ["quota", "expired", "late", "drip", "malformed", "truncated"].includes(fault.kind);
