/** The directories a daemon needs, and the note that says a daemon runs from this folder. */
import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { privateDirectory } from "../base/socketfile.ts";
import { expectKind, storageError, type Kind } from "../base/storage.ts";
import { readProcStat } from "../master/shell/procstat.ts";
import { socketDirectory } from "../master/shell/shortpath.ts";
import type { Settings } from "../settings/table.ts";
import { narrow } from "./directories.ts";
import { PACKAGE } from "./plan.ts";

/** Where the commands find the daemon. */
export const controlSocket = (runDir: string): string => join(socketDirectory(runDir), "control.sock");

/** Where workers find the admin API. */
export const adminSocket = (runDir: string): string => join(socketDirectory(runDir), "admin.sock");

/** What stands in the data directory. */
const DATA: Readonly<Record<string, readonly [Kind, string]>> = {
  "drover.lock": ["file", "the daemon's lock"],
  "drover.pid": ["file", "the daemon's pid"],
  "journal.db": ["file", "the journal of writes"],
  "journal.db-wal": ["file", "the journal's log"],
  "journal.lock": ["file", "the journal's lock"],
  "journal.reserve": ["file", "the room that is kept for emptying the journal"],
  "ledger.db": ["file", "the ledger of sessions and counts"],
  "feed.db": ["file", "the change feed"],
  "timeline.jsonl": ["file", "the timeline"],
  "checklist.jsonl": ["file", "the records of the checklist"],
  "broker.json": ["file", "the broker's state"],
  "quota.json": ["file", "the broker's counts of calls"],
  "tabs.json": ["file", "the list of tabs"],
  "session.key": ["file", "the keys of sessions"],
  "admin-tokens.json": ["file", "the administrators' tokens"],
  "admin-token": ["file", "the first administrator's token"],
  snapshots: ["directory", "the tables' snapshots"],
};
/** What stands in the directory of the sockets. */
const SOCKETS: Readonly<Record<string, string>> = {
  "control.sock": "the commands' way to the daemon",
  "admin.sock": "the workers' way to the admin API",
  "broker.sock": "the workers' way to the broker",
};

/** An application is served without our sockets: what is in their way is logged, and they are tried for again. */
function expectKinds({ data_dir: data, run_dir: run, log_file: log, app }: Settings): void {
  for (const [name, [kind, what]] of Object.entries(DATA)) expectKind(join(data, name), kind, what);
  if ("file" in log && statSync(log.file, { throwIfNoEntry: false })?.isDirectory() === true)
    expectKind(log.file, "file", "the log, DROVER_LOG_FILE");
  if (app !== undefined) return;
  for (const [name, what] of Object.entries(SOCKETS)) expectKind(join(socketDirectory(run), name), "socket", what);
}

/**
 * Makes the data and log directories, and the run directory of what can't do without, where they are missing. Refuses what is there and of
 * the wrong kind, and takes what is there from other users.
 * @returns what the log should say.
 * @throws DroverError DROVER_E_DATA_DIR or DROVER_E_DISK naming directory, setting and user.
 */
export function prepareDirectories(settings: Settings, container: boolean): readonly string[] {
  writable(settings.data_dir, "DROVER_DATA_DIR", 0o700);
  // An application needs no socket of ours to serve; the built-in service has its broker behind one.
  if (settings.app === undefined) prepareRunDirectory(settings);
  // One that exists (a device, a file that logrotate makes) needs no right to its directory; opening it has an error of its own.
  if ("file" in settings.log_file && !existsSync(settings.log_file.file))
    writable(dirname(settings.log_file.file), "DROVER_LOG_FILE", 0o750);
  expectKinds(settings);
  const run =
    statSync(settings.run_dir, { throwIfNoEntry: false })?.isDirectory() === true
      ? narrow(settings.run_dir, "DROVER_RUN_DIR", container)
      : undefined;
  const narrowed = [narrow(settings.data_dir, "DROVER_DATA_DIR", container), run].filter((text) => text !== undefined);
  return narrowed;
}

/** Makes the directory of the sockets. @throws DroverError DROVER_E_DATA_DIR or DROVER_E_DISK naming directory, setting and user. */
export function prepareRunDirectory({ run_dir: directory }: Pick<Settings, "run_dir">): void {
  writable(directory, "DROVER_RUN_DIR", 0o700);
  privateDirectory(socketDirectory(directory));
}

function writable(directory: string, setting: string, mode: number): void {
  try {
    mkdirSync(directory, { recursive: true, mode });
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = errnoOf(error) === "EACCES" ? `this user (uid ${process.geteuid?.() ?? "?"}) may not write there` : error;
    throw storageError(`${setting}: ${directory} can't be used`, why, { advice: `Make it writable, or set ${setting} to another path` });
  }
}

/** Says to bin/setup.mjs that what runs here must not be replaced. A folder we may not write is nobody's to rebuild either. */
export function noteRunning(): () => void {
  const note = join(PACKAGE, "dist", ".running", String(process.pid));
  try {
    mkdirSync(dirname(note), { recursive: true });
    writeFileSync(note, `${readProcStat(process.pid)?.startTicks ?? 0}\n`);
  } catch {
    return () => {};
  }
  return () => rmSync(note, { force: true });
}
