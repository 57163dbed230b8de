/** `drover backup FILE`: all that a data directory holds and Google does not, in one file, also of a daemon that runs. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { syncFolder } from "../../base/wholefile.ts";
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { inspectJournal } from "../../broker/journal/inspect.ts";
import { takeLock, type Lock } from "../../broker/journal/lock.ts";
import { seconds } from "../../base/units.ts";
import { storageError } from "../../base/storage.ts";
import type { Settings } from "../../settings/table.ts";
import { recordResult } from "../../tools/checklist/records.ts";
import { readSettingsOfCaller } from "../options.ts";
import { version } from "../version.ts";
import { writeArchive, type Manifest, type Source } from "./archive.ts";
import { keptFiles } from "./files.ts";
import { copyJournal } from "./journal.ts";
import { asOwnerOf } from "./owner.ts";
import { contentOf } from "./tar.ts";
import { writesThatWait } from "./words.ts";

/** How long a second backup waits for the first. */
const ANOTHER_TAKES = seconds(60);
/** Of a file that is neither a database nor a cache: keys, tokens, a few figures. */
const LARGEST = 16 * 1_048_576;

export async function backup(argv: readonly string[]): Promise<number> {
  const { resolved, positional } = readSettingsOfCaller(argv);
  const [name, ...more] = positional;
  if (name === undefined || more.length > 0)
    throw new DroverError("DROVER_E_USAGE", "drover backup needs one file to write: drover backup /root/drover.backup");
  const began = performance.now();
  const file = resolve(name);
  if (existsSync(file)) throw new DroverError("DROVER_E_USAGE", `${file} is there already: choose another name. Nothing was written`);
  const manifest = await make(resolved.settings, file);
  const bytes = statSync(file).size;
  recordResult(resolved.settings.data_dir, { kind: "backup", file, bytes });
  const waits = manifest.journal === undefined ? "no journal" : `a journal with ${writesThatWait(manifest.journal.waiting)}`;
  process.stdout.write(
    `${file}: ${bytes} bytes, ${manifest.files.length} files, ${waits}, in ${((performance.now() - began) / 1_000).toFixed(2)} s\n`,
  );
  return EXIT.done.code;
}

async function make(settings: Settings, file: string): Promise<Manifest> {
  const { data_dir: dir } = settings;
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new DroverError("DROVER_E_BACKUP", `the data directory ${dir} (DROVER_DATA_DIR) is not there: there is nothing to back up`);
  const lock = asOwnerOf(dir, () => backupLock(dir));
  const kept = keptFiles(dir);
  const copies = new Map<string, string>();
  try {
    // Before the journal: broker.json must not name a write that was accepted after the journal was copied.
    const files = asOwnerOf(dir, () => kept.plain.map((name) => ({ name, open: plain(join(dir, name)) })));
    const journal = await copyJournal(settings);
    if (journal !== undefined) copies.set("journal.db", journal);
    for (const name of kept.databases)
      copies.set(
        name,
        asOwnerOf(dir, () => copyDatabase(dir, name)),
      );
    if (copies.size + kept.plain.length === 0)
      throw new DroverError(
        "DROVER_E_BACKUP",
        `the data directory ${dir} holds nothing that could not be had again: there is nothing to back up`,
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
    return takeLock(join(dir, "backup.lock"), ANOTHER_TAKES);
  } catch (e) {
    if (!(e instanceof DroverError) || e.code !== "DROVER_E_RUNNING") throw e;
    throw new DroverError(
      "DROVER_E_BUSY",
      `another backup of ${dir} is at work for ${ANOTHER_TAKES / 1_000} s: try again when it has ended`,
      {
        cause: e,
      },
    );
  }
}

/** @throws DroverError when whoever has it open lets nobody read it. */
function copyDatabase(dir: string, name: string): string {
  const to = join(dir, `${name}.copy`);
  try {
    rmSync(to, { force: true });
    const database = new DatabaseSync(join(dir, name), { timeout: 5_000 });
    try {
      database.prepare("VACUUM INTO ?").run(to);
    } finally {
      database.close();
    }
    return to;
  } catch (e) {
    rmSync(to, { force: true });
    throw new DroverError(
      "DROVER_E_BACKUP",
      `${join(dir, name)} can't be copied: ${messageOf(e)}. What is damaged is set aside at the next start: back up after it. Nothing was written`,
      { cause: e },
    );
  }
}

function plain(path: string): Source["open"] {
  const { size } = statSync(path);
  if (size > LARGEST)
    throw new DroverError("DROVER_E_BACKUP", `${path} has ${size} bytes: what is that? Move it away. Nothing was written`);
  const bytes = readFileSync(path); // once: it may be replaced meanwhile
  return function* () {
    yield bytes;
  };
}

/** Opens the copies. To be called as the owner of the directory: a file there could be a link to what root alone may read. */
function openSources(copies: ReadonlyMap<string, string>, open: number[]): readonly Source[] {
  return Array.from(copies, ([name, path]) => {
    const fd = openSync(path, "r");
    open.push(fd);
    return { name, open: () => contentOf(fd) };
  });
}

/** The file is whole and on disk, or it is not there. */
function write(file: string, dir: string, copies: ReadonlyMap<string, string>, files: readonly Source[]): Manifest {
  const draft = `${file}.part`;
  const open: number[] = [];
  try {
    const sources = [...asOwnerOf(dir, () => openSources(copies, open)), ...files];
    const copy = copies.get("journal.db");
    const journal = copy === undefined ? undefined : asOwnerOf(dir, () => inspectJournal(copy));
    rmSync(draft, { force: true });
    const target = openSync(draft, "wx", 0o600);
    open.push(target);
    const manifest = writeArchive(target, { drover: version(), at: new Date().toISOString(), journal }, sources);
    fsyncSync(target);
    renameSync(draft, file);
    syncFolder(file);
    return manifest;
  } catch (e) {
    rmSync(draft, { force: true });
    if (e instanceof DroverError) throw e;
    throw storageError(`${file} can't be written, and nothing was left of it`, e, { code: "DROVER_E_BACKUP" });
  } finally {
    for (const fd of open) closeSync(fd);
  }
}
