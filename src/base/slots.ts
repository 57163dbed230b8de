/** How full the service is: slots that people hold, of those there are. */
import { count, type Fields } from "./fields.ts";
import type { Bytes } from "./units.ts";

/** What holds a slot, by language and number, for sentences such as "200/200 bots actifs". */
export type SlotNoun = Readonly<Record<"fr" | "en", { readonly one: string; readonly many: string }>>;
export const SLOT_NOUN: SlotNoun = {
  fr: { one: "place occupée", many: "places occupées" },
  en: { one: "place taken", many: "places taken" },
};

/** Half-open bands of what is used: below 50 %, below 80 %, below 100 %, and all of it or more. */
export type SlotStatus = "LOW" | "HEALTHY" | "WARNING" | "FULL";
export const SLOT_STATUSES = ["LOW", "HEALTHY", "WARNING", "FULL"] as const satisfies readonly SlotStatus[];

/** Why new sessions are refused although there are slots: CPU or memory is short, or answers are slow. */
export type Shortage = "cpu" | "memory" | "latency";
export const SHORTAGES = ["cpu", "memory", "latency"] as const satisfies readonly Shortage[];

export interface SlotsState {
  /** May be more than `max`, after that was lowered. */
  readonly used: number;
  readonly max: number;
  readonly status: SlotStatus;
  /** Absent: new sessions are admitted while there are slots. */
  readonly closed?: Shortage;
}

/** How full `used` of `max` is. */
export function slotsState(used: number, max: number, closed?: Shortage): SlotsState {
  const status = used * 2 < max ? "LOW" : used * 10 < max * 8 ? "HEALTHY" : used < max ? "WARNING" : "FULL";
  return { used, max, status, ...(closed === undefined ? {} : { closed }) };
}

/** A state that another process has sent. @returns undefined when it is none. */
export function readSlotsState({ used, max, status, closed }: Fields): SlotsState | undefined {
  const known = SLOT_STATUSES.find((name) => name === status);
  const shortage = SHORTAGES.find((name) => name === closed);
  if (!count(used) || !count(max) || known === undefined || (closed !== undefined && shortage === undefined)) return undefined;
  return { used, max, status: known, ...(shortage === undefined ? {} : { closed: shortage }) };
}

/** The same in figures. `percentUsed` with one decimal; `available` is negative when more are in than there are slots now. */
export function capacityOf({ used, max }: SlotsState): { readonly percentUsed: number; readonly available: number } {
  return { percentUsed: Math.round((used / max) * 1_000) / 10, available: max - used };
}

/** The limit that holds now: while new sessions are refused, no more than are in. */
export const effectiveMax = ({ used, max, closed }: SlotsState): number => (closed === undefined ? max : Math.min(used, max));

/** What machines of these sizes were found to carry, in GiB of memory. */
const BY_MEMORY = [
  { gib: 2, slots: 50 },
  { gib: 4, slots: 150 },
  { gib: 8, slots: 300 },
  { gib: 16, slots: 500 },
] as const;

/** The next larger machine of the table; undefined: there is none. */
export function nextMachine(memory: Bytes): { readonly gib: number; readonly slots: number } | undefined {
  const now = slotsForMemory(memory);
  return BY_MEMORY.find(({ slots }) => slots > now);
}

/** The slots that a machine of so much memory should offer: those of the nearest size in the table, of two as near the smaller. */
export function slotsForMemory(memory: Bytes): number {
  const gib = memory / 1_073_741_824;
  const [first, ...others] = BY_MEMORY;
  return others.reduce<{ gib: number; slots: number }>(
    (best, row) => (Math.abs(row.gib - gib) < Math.abs(best.gib - gib) ? row : best),
    first,
  ).slots;
}

/** Of a worker's connections: the rest is for requests that read and write. */
const STREAMS = 0.75;

/** Event streams that one worker holds. @param connections its cap. */
export const streamsOf = (connections: number): number => Math.max(1, Math.floor(connections * STREAMS));
