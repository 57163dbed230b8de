/** Reads faults and edits as they come in JSON: every field known, and of its kind and range. */
import { METHODS } from "./api/discovery.ts";
import { EDITS, isEdit, type Edit, type Fault, type FaultKind } from "./fault-kinds.ts";
import { LIMITS } from "./limits.ts";

type Fields = Readonly<Record<string, unknown>>;
/** A fault's own fields, or what is wrong with them in words. */
type Reader<K extends FaultKind["kind"]> = (f: Fields) => Extract<FaultKind, { kind: K }> | string;

const isInteger = (v: unknown, least: number, most: number): v is number =>
  typeof v === "number" && Number.isInteger(v) && v >= least && v <= most;
const isText = (v: unknown, longest: number): v is string =>
  typeof v === "string" && v.length > 0 && v.length <= longest;

const LONGEST_WAIT = 600_000;
/** As Google has them, in rows. */
const MOST_ROWS = 10_000_000;
const LONGEST_TITLE = 100;

const TAB = "must name a tab";
const ROW = `must be 1…${MOST_ROWS}`;
const isRow = (v: unknown): v is number => isInteger(v, 1, MOST_ROWS);

const READERS: {
  readonly [K in FaultKind["kind"]]: {
    readonly read: Reader<K>;
    readonly main?: string;
    readonly fields: readonly string[];
  };
} = {
  status: {
    main: "status",
    fields: ["message"],
    read: ({ status, message }) => {
      if (!isInteger(status, 400, 599)) return "status must be 400…599";
      if (message !== undefined && typeof message !== "string") return "message must be a string";
      return { kind: "status", status, ...(message === undefined ? {} : { message }) };
    },
  },
  denied: { fields: [], read: () => ({ kind: "denied" }) },
  html: {
    main: "status",
    fields: [],
    read: ({ status }) =>
      isInteger(status, 200, 599) ? { kind: "html", status } : "status must be 200…599",
  },
  hang: { fields: [], read: () => ({ kind: "hang" }) },
  drop: {
    fields: ["partial"],
    read: ({ partial }) => (partial === true ? { kind: "drop", partial } : { kind: "drop" }),
  },
  drip: {
    main: "everyMs",
    fields: [],
    read: ({ everyMs }) =>
      isInteger(everyMs, 1, 60_000) ? { kind: "drip", everyMs } : "everyMs must be 1…60000",
  },
  malformed: { fields: [], read: () => ({ kind: "malformed" }) },
  truncated: { fields: [], read: () => ({ kind: "truncated" }) },
  huge: {
    main: "bytes",
    fields: [],
    read: ({ bytes }) =>
      isInteger(bytes, 2, LIMITS.hugeBody)
        ? { kind: "huge", bytes }
        : `bytes must be 2…${LIMITS.hugeBody}`,
  },
  bomb: {
    main: "bytes",
    fields: [],
    read: ({ bytes }) =>
      isInteger(bytes, 2, LIMITS.hugeBody)
        ? { kind: "bomb", bytes }
        : `bytes must be 2…${LIMITS.hugeBody}`,
  },
  redirect: {
    main: "location",
    fields: [],
    read: ({ location }) =>
      typeof location === "string" && /^[\x21-\x7e]{1,2000}$/.test(location)
        ? { kind: "redirect", location }
        : "location must be a URL",
  },
  late: {
    main: "ms",
    fields: ["answer"],
    read: ({ ms, answer = "drop" }) => {
      if (!isInteger(ms, 1, LONGEST_WAIT)) return `ms must be 1…${LONGEST_WAIT}`;
      const how = String(answer);
      return how === "drop" || how === "hang" || how === "503"
        ? { kind: "late", ms, answer: how }
        : "answer must be drop, hang or 503";
    },
  },
  latency: {
    main: "ms",
    fields: [],
    read: ({ ms }) =>
      isInteger(ms, 1, LONGEST_WAIT) ? { kind: "latency", ms } : `ms must be 1…${LONGEST_WAIT}`,
  },
  quota: {
    main: "lockout",
    fields: [],
    read: ({ lockout = 60_000 }) =>
      isInteger(lockout, 1, LONGEST_WAIT)
        ? { kind: "quota", lockout }
        : `lockout must be 1…${LONGEST_WAIT} ms`,
  },
  expired: { fields: [], read: () => ({ kind: "expired" }) },
  rename: {
    main: "tab",
    fields: ["to"],
    read: ({ tab, to }) => {
      if (!isText(tab, LONGEST_TITLE)) return `tab ${TAB}`;
      return isText(to, LONGEST_TITLE)
        ? { kind: "rename", tab, to }
        : "to must be the tab's new name";
    },
  },
  sort: {
    main: "tab",
    fields: ["column", "descending", "header"],
    read: ({ tab, column = "A", descending = false, header = 1 }) => {
      if (!isText(tab, LONGEST_TITLE)) return `tab ${TAB}`;
      if (typeof column !== "string" || !/^[A-Za-z]{1,3}$/.test(column))
        return "column must be a letter, such as B";
      if (typeof descending !== "boolean") return "descending must be true or false";
      if (!isInteger(header, 0, 1_000)) return "header must be 0…1000 rows";
      return { kind: "sort", tab, column: column.toUpperCase(), descending, header };
    },
  },
  insert: { main: "tab", fields: ["row", "count"], read: (f) => rowsOf("insert", f) },
  delete: { main: "tab", fields: ["row", "count"], read: (f) => rowsOf("delete", f) },
  move: {
    main: "tab",
    fields: ["row", "to"],
    read: ({ tab, row, to }) => {
      if (!isText(tab, LONGEST_TITLE)) return `tab ${TAB}`;
      if (!isRow(row)) return `row ${ROW}`;
      return isRow(to) ? { kind: "move", tab, row, to } : `to ${ROW}`;
    },
  },
  type: {
    main: "tab",
    fields: ["at", "value"],
    read: ({ tab, at, value = "" }) => {
      if (!isText(tab, LONGEST_TITLE)) return `tab ${TAB}`;
      if (typeof at !== "string" || !/^[A-Za-z]{1,3}[1-9]\d{0,7}$/.test(at))
        return "at must be a cell, such as B2";
      return { kind: "type", tab, at: at.toUpperCase(), value: String(value) };
    },
  },
};

function rowsOf<K extends "insert" | "delete">(kind: K, { tab, row = 2, count = 1 }: Fields) {
  if (!isText(tab, LONGEST_TITLE)) return `tab ${TAB}`;
  if (!isRow(row)) return `row ${ROW}`;
  return isInteger(count, 1, 10_000) ? { kind, tab, row, count } : "count must be 1…10000";
}

const COMMON = ["kind", "method", "times", "applied", "skip", "every", "chance", "seed", "for"];

/** The field that a kind's `=` means in the spec language; undefined: it takes none. */
export const mainField = (kind: string): string | undefined => readerOf(kind)?.main;

export const KINDS = Object.keys(READERS);

const readerOf = (kind: string) =>
  Object.hasOwn(READERS, kind) ? READERS[kind as FaultKind["kind"]] : undefined;

/** Reads an edit as it comes over HTTP. @returns it, or what is wrong with it in words. */
export function readEdit(raw: unknown): Edit | string {
  const kind = typeof raw === "object" && raw !== null ? (raw as Fields)["kind"] : undefined;
  if (typeof kind !== "string" || !EDITS.has(kind))
    return `kind must be one of ${[...EDITS].join(", ")}`;
  const unknown = unknownField(kind, raw as Fields, ["kind"]);
  return unknown ?? READERS[kind as Edit["kind"]].read(raw as Fields);
}

function unknownField(kind: string, fields: Fields, common: readonly string[]): string | undefined {
  const reader = READERS[kind as FaultKind["kind"]];
  const known = [...(reader.main === undefined ? [] : [reader.main]), ...reader.fields, ...common];
  const stray = Object.keys(fields).find((name) => !known.includes(name));
  return stray === undefined
    ? undefined
    : `${kind} has no ${stray}: it takes ${known.filter((name) => name !== "kind").join(", ")}`;
}

/** Reads an order as it comes over HTTP. @returns the fault, or what is wrong with it in words. */
export function readFault(raw: unknown): Fault | string {
  if (typeof raw !== "object" || raw === null)
    return "a fault is an object with kind, method and times";
  const fields = raw as Fields;
  const { kind, applied = false } = fields;
  if (typeof kind !== "string" || readerOf(kind) === undefined)
    return `kind must be one of ${KINDS.join(", ")}`;
  const unknown = unknownField(kind, fields, COMMON);
  if (unknown !== undefined) return unknown;
  const method = readMethod(fields["method"] ?? "*");
  if (method === undefined)
    return "method must be a method's id, such as values.get, or read, write, oauth.token or *";
  if (typeof applied !== "boolean") return "applied must be true or false";
  const which = readWhich(fields);
  if (typeof which === "string") return which;
  const read = READERS[kind as FaultKind["kind"]].read(fields);
  if (typeof read === "string") return read;
  if (
    method === "oauth.token" &&
    (isEdit(read) || ["quota", "expired", "denied", "late"].includes(read.kind))
  )
    return `${read.kind} is nothing for the token endpoint: name methods of the API`;
  return { ...read, method, applied, ...which };
}

const PREFIX = "sheets.spreadsheets.";

/** The method's whole id, or one of the words for several. */
function readMethod(method: unknown): string | undefined {
  if (typeof method !== "string") return undefined;
  if (["*", "read", "write", "oauth.token"].includes(method)) return method;
  return (METHODS.get(method) ?? METHODS.get(PREFIX + method))?.id;
}

type Which = Pick<Fault, "times" | "skip" | "every" | "chance" | "seed" | "for">;

const MOST_CALLS = 1_000_000;

/** Without a word on it a fault hits one call; with one, as many as the word means. */
function readWhich({ times, skip, every, chance, seed, for: span }: Fields): Which | string {
  if (times !== undefined && !isInteger(times, 1, MOST_CALLS))
    return `times must be 1…${MOST_CALLS}`;
  if (skip !== undefined && !isInteger(skip, 1, MOST_CALLS)) return `skip must be 1…${MOST_CALLS}`;
  if (every !== undefined && !isInteger(every, 1, MOST_CALLS))
    return `every must be 1…${MOST_CALLS}`;
  if (chance !== undefined && !(typeof chance === "number" && chance > 0 && chance <= 1))
    return "chance must be above 0, and 1 at most";
  if (seed !== undefined && !isInteger(seed, 0, 2 ** 31))
    return "seed must be a whole number from 0 on";
  if (span !== undefined && !isInteger(span, 1, 86_400_000)) return "for must be 1…86400000 ms";
  const once = every === undefined && chance === undefined && span === undefined;
  return {
    ...(times !== undefined ? { times } : once ? { times: 1 } : {}),
    ...(skip === undefined ? {} : { skip }),
    ...(every === undefined ? {} : { every }),
    ...(chance === undefined ? {} : { chance }),
    ...(seed === undefined ? {} : { seed }),
    ...(span === undefined ? {} : { for: span }),
  };
}
