/** Which files of a data directory go into a backup: those that can't be fetched or made again. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { NAME } from "./tar.ts";

/** Caches (rows, the feed of changes), files of one process (locks, pids) and copies. */
const NOT_KEPT =
  /^(?:feed\.db|quota\.json|.*\.(?:lock|pid|log|sock|new|unreadable|copy|next|building)|journal\.(?:damaged|schema|reserve).*|.*-(?:wal|shm|journal)|.*\.\d+)$/;

/** Caches that must not outlive the journal they were made from. */
export const CACHES = ["snapshots", "feed.db"] as const;

export interface Kept {
  readonly journal: boolean;
  /** Other databases, which SQLite has to copy. */
  readonly databases: readonly string[];
  readonly plain: readonly string[];
}

/** Folders are left out: caches, logs, sockets, and the demo's spreadsheet. */
export function keptFiles(dir: string): Kept {
  const names = readdirSync(dir)
    .filter(
      (name) => NAME.test(name) && !NOT_KEPT.test(name) && lstatSync(join(dir, name)).isFile(),
    )
    .toSorted();
  const others = names.filter((name) => name !== "journal.db");
  return {
    journal: others.length < names.length,
    databases: others.filter((name) => name.endsWith(".db")),
    plain: others.filter((name) => !name.endsWith(".db")),
  };
}
