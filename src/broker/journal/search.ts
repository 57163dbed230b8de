/** Reads a journal's rows page by page, without SQLite: damaged files can be read, and files that another process has open. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { DroverError } from "../../base/errors.ts";
import { PAGE, SCHEMA } from "./database.ts";
import { rowsOfPage, type Pages } from "./pages.ts";
import { kindOf, type Kind, type Row } from "./rows.ts";
import { readWal } from "./wal.ts";

/** @throws DroverError DROVER_E_JOURNAL. */
export function refuseNewer(schema: number, path: string): void {
  if (schema > SCHEMA)
    throw new DroverError(
      "DROVER_E_JOURNAL",
      `${path} was written by a newer drover (schema ${schema}; this one knows ${SCHEMA}): run that one, or restore a backup that this one made`,
    );
}

/** A file's pages, the newer ones of its WAL before them. */
export function openPages(path: string): { pages: Pages; count: number; close(): void } {
  const wal = readWal(`${path}-wal`, PAGE);
  const open = (name: string): number | undefined =>
    statSync(name, { throwIfNoEntry: false }) === undefined ? undefined : openSync(name, "r");
  const files = [open(path), wal.pages.size === 0 ? undefined : open(`${path}-wal`)] as const;
  const inFile = Math.ceil((statSync(path, { throwIfNoEntry: false })?.size ?? 0) / PAGE);
  const read = (file: number | undefined, at: number): Uint8Array | undefined => {
    const page = Buffer.alloc(PAGE);
    return file !== undefined && at >= 0 && readSync(file, page, 0, PAGE, at) > 0 ? page : undefined;
  };
  return {
    pages(nr) {
      const newer = wal.pages.get(nr);
      return newer === undefined ? read(files[0], (nr - 1) * PAGE) : read(files[1], newer);
    },
    count: Math.max(inFile, ...wal.pages.keys()),
    close: () => files.forEach((file) => file !== undefined && closeSync(file)),
  };
}

/** Pages that a database has without its WAL, as its header says: https://www.sqlite.org/fileformat2.html#in_header_database_size. */
export function pageCount(path: string): number {
  const header = Buffer.alloc(32);
  const file = openSync(path, "r");
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  return header.readUInt32BE(28);
}

/** Every row that can be believed, with its kind; undefined for a cell that holds none. */
export function* rowsSeen({ pages, count }: ReturnType<typeof openPages>): Generator<{ kind: Kind; row: Row } | undefined> {
  for (let nr = 1; nr <= count; nr += 1)
    for (const row of rowsOfPage(nr, pages)) {
      const kind = row === undefined ? undefined : kindOf(row);
      if (row !== undefined && kind !== undefined) yield { kind, row };
      // The first page has SQLite's own table of tables.
      else if (nr > 1) yield undefined;
    }
}
