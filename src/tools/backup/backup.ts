/** `drover backup FILE`: one file with everything in a data directory that can't be fetched again, also while the daemon runs. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { syncFolder } from "../../base/wholefile.ts";
import { counted } from "../../cli/terminal/figures.ts";
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { inspectJournal } from "../../broker/journal/inspect.ts";
import { takeLock, type Lock } from "../../broker/journal/lock.ts";
import { seconds } from "../../base/units.ts";
import { storageError } from "../../base/storage.ts";
import type { Settings } from "../../settings/table.ts";
import { recordResult } from "../checklist/records.ts";
import { readSettingsOfCaller } from "../../cli/options.ts";
import { version } from "../../cli/version.ts";
import { writeArchive, type Manifest, type Source } from "./archive.ts";
import { keptFiles } from "./kept-files.ts";
import { copyJournal, vacuumInto } from "./journal-copy.ts";
import { actingAsOwnerOf } from "../../base/owner.ts";
import { contentOf } from "./tar.ts";

/** How long a second backup waits for the first. */
const WAIT_FOR_OTHER = seconds(60);
/** Limit of a plain file: keys, tokens and small records. */
const LARGEST = 16 * 1_048_576;

export async function backup(argv: readonly string[]): Promise<number> {
  const { resolved, positional } = readSettingsOfCaller(argv);
  const [name, ...more] = positional;
  if (name === undefined || more.length > 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      "drover backup needs one file to write: drover backup /root/drover.backup",
    );
  const began = performance.now();
  const file = resolve(name);
  if (existsSync(file))
    throw new DroverError(
      "DROVER_E_USAGE",
      `${file} exists already: choose another name. Nothing was written`,
    );
  const manifest = await create(resolved.settings, file);
  const bytes = statSync(file).size;
  recordResult(resolved.settings.data_dir, { kind: "backup", file, bytes });
  const waits =
    manifest.journal === undefined
      ? "no journal"
      : `a journal with ${counted(manifest.journal.waiting, "waiting write")}`;
  process.stdout.write(
    `${file}: ${bytes} bytes, ${manifest.files.length} files, ${waits}, in ${((performance.now() - began) / 1_000).toFixed(2)} s\n`,
  );
  return EXIT.done.code;
}

async function create(settings: Settings, file: string): Promise<Manifest> {
  const { data_dir: dir } = settings;
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new DroverError(
      "DROVER_E_BACKUP",
      `the data directory ${dir} (DROVER_DATA_DIR) does not exist: there is nothing to back up`,
    );
  const lock = actingAsOwnerOf(dir, () => backupLock(dir));
  const kept = keptFiles(dir);
  const copies = new Map<string, string>();
  try {
    // Before the journal: broker.json must not name a write that was accepted after the journal was copied.
    const files = actingAsOwnerOf(dir, () =>
      kept.plain.map((name) => ({ name, open: plain(join(dir, name)) })),
    );
    const journal = await copyJournal(settings);
    if (journal !== undefined) copies.set("journal.db", journal);
    for (const name of kept.databases)
      copies.set(
        name,
        actingAsOwnerOf(dir, () => copyDatabase(dir, name)),
      );
    if (copies.size + kept.plain.length === 0)
      throw new DroverError(
        "DROVER_E_BACKUP",
        `the data directory ${dir} holds nothing that can't be fetched again: there is nothing to back up`,
      );
    return write(file, dir, copies, files);
  } finally {
    for (const copy of copies.values()) rmSync(copy, { force: true });
    lock.release();
  }
}

/** The copies have fixed names in the data directory: one backup at a time. @throws DroverError DROVER_E_BUSY. */
function backupLock(dir: string): Lock {
  try {
    return takeLock(join(dir, "backup.lock"), WAIT_FOR_OTHER);
  } catch (e) {
    if (!(e instanceof DroverError) || e.code !== "DROVER_E_RUNNING") throw e;
    throw new DroverError(
      "DROVER_E_BUSY",
      `another backup of ${dir} has been running for ${WAIT_FOR_OTHER / 1_000} s: try again when it has ended`,
      {
        cause: e,
      },
    );
  }
}

/** @throws DroverError when it is damaged or locked. */
function copyDatabase(dir: string, name: string): string {
  const to = join(dir, `${name}.copy`);
  try {
    vacuumInto(join(dir, name), to, { timeout: 5_000 });
    return to;
  } catch (e) {
    rmSync(to, { force: true });
    throw new DroverError(
      "DROVER_E_BACKUP",
      `${join(dir, name)} can't be copied: ${messageOf(e)}. A damaged database is set aside at the next start: back up after that. Nothing was written`,
      { cause: e },
    );
  }
}

function plain(path: string): Source["open"] {
  const { size } = statSync(path);
  if (size > LARGEST)
    throw new DroverError(
      "DROVER_E_BACKUP",
      `${path} has ${size} bytes, expected at most ${LARGEST}: it is no file of drover's. Move it out of the data directory. Nothing was written`,
    );
  const bytes = readFileSync(path); // read once: it may be replaced between the two passes
  return function* () {
    yield bytes;
  };
}

/** Opens the copies as the directory's owner: a file there could be a link to one that only root may read. */
function openSources(copies: ReadonlyMap<string, string>, open: number[]): readonly Source[] {
  return Array.from(copies, ([name, path]) => {
    const fd = openSync(path, "r");
    open.push(fd);
    return { name, open: () => contentOf(fd) };
  });
}

/** The file is whole and on disk, or it is not there. */
function write(
  file: string,
  dir: string,
  copies: ReadonlyMap<string, string>,
  files: readonly Source[],
): Manifest {
  const draft = `${file}.part`;
  const open: number[] = [];
  try {
    const sources = [...actingAsOwnerOf(dir, () => openSources(copies, open)), ...files];
    const copy = copies.get("journal.db");
    const journal =
      copy === undefined ? undefined : actingAsOwnerOf(dir, () => inspectJournal(copy));
    rmSync(draft, { force: true });
    const target = openSync(draft, "wx", 0o600);
    open.push(target);
    const manifest = writeArchive(
      target,
      { drover: version(), at: new Date().toISOString(), journal },
      sources,
    );
    fsyncSync(target);
    renameSync(draft, file);
    syncFolder(file);
    return manifest;
  } catch (e) {
    rmSync(draft, { force: true });
    if (e instanceof DroverError) throw e;
    throw storageError(`${file} can't be written, and nothing of it was left`, e, {
      code: "DROVER_E_BACKUP",
    });
  } finally {
    for (const fd of open) closeSync(fd);
  }
}
