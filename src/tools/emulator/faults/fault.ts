/** Every kind of fault with its fields. Parsing, messages and types follow from this table. */
import { isRead, METHODS } from "../api/discovery.ts";
import { LIMITS } from "../limits.ts";
import { choice, duration, flag, integer, matching, optional, or, size, word } from "./field.ts";
import type { ValuesOf } from "./field.ts";

/**
 * delay, edit: something happens before the call, which then goes on.
 * refusal: Google's own rules refuse this call and later ones.
 * response: another answer than the call's, or none.
 */
type Role = "delay" | "edit" | "refusal" | "response";

const kind = <const R extends Role, F extends object>(
  role: R,
  fields: F,
  value?: keyof F & string,
) => ({
  role,
  fields,
  /** The field that `KIND=…` sets. */
  value,
});

const wait = duration(1, 600_000);
const bytes = size(2, LIMITS.hugeBody);
const title = word(100);
const row = integer(1, 10_000_000);
const column = matching(/^[A-Z]{1,3}$/i, "a column's letters, such as B");
const cell = matching(/^[A-Z]{1,3}[1-9]\d{0,7}$/i, "a cell, such as B2");
const rows = { tab: title, row: or(row, 2), count: or(integer(1, 10_000), 1) };

export const KINDS = {
  /** Google's error envelope with this status. */
  status: kind("response", { status: integer(400, 599), message: optional(word(1_000)) }, "status"),
  /** 403: the spreadsheet is not shared any more. */
  denied: kind("response", {}),
  /** A page instead of JSON: a proxy's 502, the front end's "automated queries". */
  html: kind("response", { status: integer(200, 599) }, "status"),
  /** No answer; the connection stays open until the client closes it. */
  hang: kind("response", {}),
  /** A reset of the connection, before the answer or within it. */
  drop: kind("response", { partial: flag }),
  /** 200 with half of the true answer. */
  malformed: kind("response", {}),
  /** 200 with a JSON string of this many bytes; `gzip`: compressed to a thousandth. */
  huge: kind("response", { bytes, gzip: flag }, "bytes"),
  /** An inconclusive answer now; the call runs `ms` later. */
  late: kind("response", { ms: wait, answer: or(choice("drop", "hang", "503"), "drop") }, "ms"),
  latency: kind("delay", { ms: wait }, "ms"),
  /** The quota of the call's pool is used up for `lockout` ms. */
  quota: kind("refusal", { lockout: or(wait, 60_000) }, "lockout"),
  /** All tokens so far have expired. */
  expired: kind("refusal", {}),
  /** What a person does in the browser. Rows count from 1. */
  rename: kind("edit", { tab: title, to: title }, "tab"),
  /** Sorts the rows below the first `header` ones. */
  sort: kind(
    "edit",
    { tab: title, column: or(column, "A"), descending: flag, header: or(integer(0, 1_000), 1) },
    "tab",
  ),
  /** Inserts empty rows above `row`. */
  insert: kind("edit", rows, "tab"),
  delete: kind("edit", rows, "tab"),
  /** Moves a row to before the row `to`. */
  move: kind("edit", { tab: title, row, to: row }, "tab"),
  type: kind("edit", { tab: title, at: cell, value: or(word(50_000), "") }, "tab"),
};
type Kinds = typeof KINDS;
export type KindName = keyof Kinds;

const PREFIX = "sheets.spreadsheets.";
const GROUPS = ["*", "read", "write", "oauth.token"];
const method = {
  expected: "a method's id, such as values.get, or read, write, oauth.token or *",
  read: (text: string): string | undefined =>
    [...GROUPS, ...METHODS.keys()].find((id) => id === text || id === PREFIX + text),
};
const calls = integer(1, 1_000_000);
const probability = {
  expected: "above 0 and at most 1",
  read: (text: string): number | undefined =>
    /^[\d.]+$/.test(text) && Number(text) > 0 && Number(text) <= 1 ? Number(text) : undefined,
};

/** Which calls a fault affects. Every kind has these fields. */
export const SELECTION = {
  method: or(method, "*"),
  /** The call takes effect before it fails or is delayed. */
  applied: flag,
  /** The number of calls; undefined: no limit. */
  times: optional(calls),
  /** Calls that pass first. */
  skip: optional(calls),
  /** Every nth call after `skip`. */
  every: optional(calls),
  /** With this probability, from a generator with this `seed`. */
  chance: optional(probability),
  seed: optional(integer(0, 2 ** 31)),
  /** Ms until the fault ends. */
  for: optional(duration(1, 86_400_000)),
};
export type Selection = ValuesOf<typeof SELECTION>;

type OfRole<R extends Role> = {
  [K in KindName]: Kinds[K]["role"] extends R
    ? { readonly kind: K } & ValuesOf<Kinds[K]["fields"]>
    : never;
}[KindName];
export type Delay = OfRole<"delay"> & Selection;
export type Edit = OfRole<"edit">;
export type Refusal = OfRole<"refusal"> & Selection;
export type ResponseFault = OfRole<"response"> & Selection;
export type Fault = Delay | (Edit & Selection) | Refusal | ResponseFault;

export const EDITS = (Object.keys(KINDS) as KindName[]).filter(
  (name) => KINDS[name].role === "edit",
);

/** Whether a call of this method is among those that the fault is for. */
export function appliesTo(fault: Fault, id: string): boolean {
  if (fault.method === id) return true;
  const group = isRead(id) ? "read" : "write";
  return id !== "oauth.token" && (fault.method === "*" || fault.method === group);
}

/** Whether the call takes effect, now or later. */
export const runsCall = (fault: Refusal | ResponseFault): boolean =>
  fault.applied || ["quota", "expired", "late", "malformed"].includes(fault.kind);

/** Whether the token endpoint can fail in this way. */
export const isForTokens = ({ kind }: Fault): boolean =>
  KINDS[kind].role !== "edit" && !["quota", "expired", "denied", "late"].includes(kind);
