/** `checklist.jsonl` in the data directory: results of drills, load runs and backups, and the operator's ticks. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf } from "../../base/errors.ts";
import { appendLines, readLines, type LineRecord } from "../../base/linefile.ts";
import { kibibytes, minutes, ms, type Timestamp } from "../../base/units.ts";
import { actingAsOwnerOf } from "../../base/owner.ts";

export const CHECKLIST_FILE = "checklist.jsonl";
const BOUNDS = { bytes: kibibytes(512), age: ms(400 * 24 * minutes(60)) } as const;
/** Characters. */
export const LONGEST_NOTE = 500;

/** The fields of each kind; of a type by its name. */
const FIELDS = {
  /** `why`: the first step that failed; empty when none did. */
  drill: { name: "string", verdict: "string", version: "string", why: "string" },
  /** `users`: at once, at most; 0: a run at a rate. */
  load: { verdict: "string", target: "string", users: "number", version: "string" },
  backup: { file: "string", bytes: "number" },
  tick: { item: "string", by: "string", note: "string" },
  untick: { item: "string", by: "string" },
} as const;
type Kind = keyof typeof FIELDS;
type Value<T> = T extends "number" ? number : string;
type Fields<K extends Kind> = {
  readonly [F in keyof (typeof FIELDS)[K]]: Value<(typeof FIELDS)[K][F]>;
};

/** A record before it has its time. */
export type NewEntry = { [K in Kind]: { readonly kind: K } & Fields<K> }[Kind];
export type Entry = NewEntry & { readonly at: string };
export type EntryOf<K extends Kind> = Extract<Entry, { readonly kind: K }>;

const hasDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Never throws: a result stands even if its line can't be written. @returns undefined, or why nothing was recorded. */
export function record(
  dataDir: string,
  entries: readonly NewEntry[],
  now: Timestamp,
): string | undefined {
  const file = join(dataDir, CHECKLIST_FILE);
  try {
    if (!hasDirectory(dataDir))
      return `there is no data directory ${dataDir} (DROVER_DATA_DIR): run it in the daemon's folder, with its settings`;
    const lines = entries.map((entry) => ({ at: new Date(now).toISOString(), ...entry }));
    actingAsOwnerOf(dataDir, () => appendLines(file, lines, BOUNDS));
    return undefined;
  } catch (error) {
    const denied = ["EACCES", "EPERM"].includes(errnoOf(error) ?? "");
    const advice = denied ? `. Run it as the user of ${dataDir}, or as root` : "";
    return `${file} can't be written: ${messageOf(error)}${advice}`;
  }
}

/** For commands with a result of their own. Reports on stderr what could not be recorded; without a data directory there is no checklist. */
export function recordResult(dataDir: string, entry: NewEntry): void {
  const problem = record(dataDir, [entry], Date.now() as Timestamp);
  if (problem !== undefined && hasDirectory(dataDir))
    process.stderr.write(`drover: not recorded for drover checklist: ${problem}\n`);
}

/** Oldest first. @throws Error with `code` when the file can't be read. */
export const readRecords = (dataDir: string, now: Timestamp): readonly Entry[] =>
  readLines(join(dataDir, CHECKLIST_FILE), BOUNDS, now).filter(isEntry);

function isEntry(line: LineRecord): line is LineRecord & Entry {
  const { kind } = line;
  if (typeof kind !== "string" || !Object.hasOwn(FIELDS, kind)) return false;
  return Object.entries(FIELDS[kind as Kind]).every(([name, type]) => typeof line[name] === type);
}
