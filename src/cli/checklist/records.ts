/** What drills, load runs, backups and the operator leave for `drover checklist`: one line each in the data directory. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf } from "../../base/errors.ts";
import { appendLines, readLines, type LineRecord } from "../../base/linefile.ts";
import { kibibytes, minutes, ms, type Timestamp } from "../../base/units.ts";
import { asOwnerOf } from "../backup/owner.ts";

/** In the data directory. */
export const CHECKLIST_FILE = "checklist.jsonl";
const BOUNDS = { bytes: kibibytes(512), age: ms(400 * 24 * minutes(60)) } as const;
export const LONGEST_NOTE = 500;

export type Entry = { readonly at: string } & (
  | {
      readonly kind: "drill";
      readonly name: string;
      readonly verdict: "pass" | "fail";
      readonly version: string;
      /** The first step that failed; empty when none did. */
      readonly why: string;
    }
  | {
      readonly kind: "load";
      readonly verdict: "PASS" | "FAIL" | "INVALID";
      readonly target: string;
      /** At once, at the most; 0: the run was by a rate. */
      readonly users: number;
      readonly version: string;
    }
  | { readonly kind: "backup"; readonly file: string; readonly bytes: number }
  | { readonly kind: "tick"; readonly item: string; readonly by: string; readonly note: string }
  | { readonly kind: "untick"; readonly item: string; readonly by: string }
);

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type NewEntry = Without<Entry, "at">;

/** `nowhere`: there is no data directory, so no daemon to keep a checklist of. */
export type Recorded = { readonly is: "kept" | "nowhere" } | { readonly is: "failed"; readonly why: string };

/** Never throws: what is recorded has happened, whether the line can be written or not. */
export function recordEntries(dataDir: string, entries: readonly NewEntry[], now: Timestamp): Recorded {
  try {
    if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory() !== true) return { is: "nowhere" };
    const lines = entries.map((entry) => ({ at: new Date(now).toISOString(), ...entry }));
    asOwnerOf(dataDir, () => appendLines(join(dataDir, CHECKLIST_FILE), lines, BOUNDS));
    return { is: "kept" };
  } catch (error) {
    const denied = ["EACCES", "EPERM"].includes(errnoOf(error) ?? "");
    const advice = denied ? `. Run it as the user of ${dataDir}, or as root` : "";
    return { is: "failed", why: `${join(dataDir, CHECKLIST_FILE)} can't be written: ${messageOf(error)}${advice}` };
  }
}

/** The same for a command whose own result counts: says on stderr what was not recorded. */
export function recordResult(dataDir: string, entry: NewEntry): void {
  const recorded = recordEntries(dataDir, [entry], Date.now() as Timestamp);
  if (recorded.is === "failed") process.stderr.write(`drover: not recorded for drover checklist: ${recorded.why}\n`);
}

/** Oldest first. @throws Error with `code` when the file can't be read. */
export const readRecords = (dataDir: string, now: Timestamp): readonly Entry[] =>
  readLines(join(dataDir, CHECKLIST_FILE), BOUNDS, now).filter(isEntry);

const FIELDS: Readonly<Record<Entry["kind"], Readonly<Record<string, "string" | "number">>>> = {
  drill: { name: "string", verdict: "string", version: "string", why: "string" },
  load: { verdict: "string", target: "string", users: "number", version: "string" },
  backup: { file: "string", bytes: "number" },
  tick: { item: "string", by: "string", note: "string" },
  untick: { item: "string", by: "string" },
};

function isEntry(line: LineRecord): line is LineRecord & Entry {
  const { kind } = line;
  if (typeof kind !== "string" || !Object.hasOwn(FIELDS, kind)) return false;
  return Object.entries(FIELDS[kind as Entry["kind"]]).every(([name, type]) => typeof line[name] === type);
}
