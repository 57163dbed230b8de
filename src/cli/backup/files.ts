/** What of a data directory goes into a backup: all that can't be had again. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { NAME } from "./tar.ts";

/** What is made anew (rows, the feed of changes), is of this one life (locks, pids), or is a copy already. */
const NOT_KEPT =
  /^(?:feed\.db|quota\.json|.*\.(?:lock|pid|log|sock|new|unreadable|copy|next|building)|journal\.(?:damaged|schema|reserve).*|.*-(?:wal|shm|journal)|.*\.\d+)$/;

/** Caches that must not outlive the journal that they show. */
export const CACHES = ["snapshots", "feed.db"] as const;

export interface Kept {
  readonly journal: boolean;
  /** Other databases, which need SQLite to be copied. */
  readonly databases: readonly string[];
  readonly plain: readonly string[];
}

/** Names of the files that a data directory would lose with itself. Folders are caches, logs, sockets, or the demo's spreadsheet. */
export function keptFiles(dir: string): Kept {
  const names = readdirSync(dir)
    .filter((name) => NAME.test(name) && !NOT_KEPT.test(name) && lstatSync(join(dir, name)).isFile())
    .toSorted();
  const others = names.filter((name) => name !== "journal.db");
  return {
    journal: others.length < names.length,
    databases: others.filter((name) => name.endsWith(".db")),
    plain: others.filter((name) => !name.endsWith(".db")),
  };
}
