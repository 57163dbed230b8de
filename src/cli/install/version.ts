/** A version's folder in /opt/drover, and the link that says which one counts. */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { readProcStat } from "../../master/shell/procstat.ts";
import { digestOf, type Packed } from "./package.ts";

export const HOME = "/opt/drover";
export const CURRENT = `${HOME}/current`;
const NOTE = ".installed";
const DRAFT = ".new-";

const cant = (why: string, cause?: unknown): DroverError => new DroverError("DROVER_E_INSTALL", why, { cause });

interface Note {
  readonly version: string;
  readonly digest: string;
}

/** @returns undefined when no installation made the folder, or it is not whole. */
export function noteOf(folder: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, NOTE), "utf8")) as Note;
  } catch (e) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(e) ?? "") || e instanceof SyntaxError) return undefined;
    throw e;
  }
}

export type VersionState = "missing" | "same" | "self";

/** What is in a version's place. @throws DroverError when it is somebody else's, or another build of the same version. */
export function judgeVersion(folder: string, packed: Packed, root: string): VersionState {
  if (!existsSync(folder)) return "missing";
  if (realpathSync(folder) === realpathSync(root)) return "self";
  const note = noteOf(folder);
  if (note === undefined) throw cant(`${folder} was not made by drover install: move it away. Nothing was changed`);
  if (note.digest !== digestOf(packed))
    throw cant(
      `${folder} holds another build of ${packed.version}, and a daemon may run from there: give this one a version of its own in package.json, or remove the folder first. Nothing was changed`,
    );
  return "same";
}

/** @throws DroverError when the disk has no room. */
export function judgeRoom(folder: string, bytes: number): void {
  let at = folder;
  while (!existsSync(at)) at = dirname(at);
  const { bavail, bsize } = statfsSync(at);
  const mib = (n: number): string => `${Math.ceil(n / 1_048_576)} MiB`;
  if (bavail * bsize < bytes * 1.05)
    throw cant(`${folder} needs ${mib(bytes)}, and ${at} has ${mib(bavail * bsize)} left. Nothing was changed`);
}

/** A draft's name: version, then pid and start time of the process that writes it. */
const draftOf = (version: string): string => `${DRAFT}${version}.${process.pid}-${readProcStat(process.pid)?.startTicks ?? 0}`;

/** Whether an install that has ended wrote it. */
function isLeftOver(name: string): boolean {
  if (!name.startsWith(DRAFT)) return false;
  const [, pid = "", startTicks = ""] = /\.(\d+)-(\d+)$/.exec(name) ?? [];
  return Number(pid) === process.pid || readProcStat(Number(pid))?.startTicks !== Number(startTicks);
}

/** Copies beside the place and renames: the folder is whole, or not there. What an interrupted one left is removed. */
export function copyVersion(folder: string, packed: Packed): void {
  const home = dirname(folder);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  for (const name of readdirSync(home)) if (isLeftOver(name)) rmSync(join(home, name), { recursive: true, force: true });
  const draft = join(home, draftOf(packed.version));
  const made = new Set<string>();
  const makeFolder = (path: string): void => {
    if (made.has(path)) return;
    mkdirSync(path, { recursive: true, mode: 0o755 });
    made.add(path);
  };
  const mask = process.umask(0o022);
  try {
    for (const { from, to, mode } of packed.files) {
      makeFolder(dirname(join(draft, to)));
      copyFileSync(from, join(draft, to), constants.COPYFILE_FICLONE);
      chmodSync(join(draft, to), mode);
    }
    writeFileSync(join(draft, NOTE), `${JSON.stringify({ version: packed.version, digest: digestOf(packed) } satisfies Note)}\n`);
    renameSync(draft, folder);
  } catch (e) {
    rmSync(draft, { recursive: true, force: true });
    if (errnoOf(e) === "ENOTEMPTY" || errnoOf(e) === "EEXIST")
      throw cant(`${folder} was made by another drover install just now: try again`, e);
    throw e instanceof DroverError ? e : cant(`${folder} can't be written: ${messageOf(e)}`, e);
  } finally {
    process.umask(mask);
  }
}

/** Where a link leads; undefined: it is not there. @throws DroverError when something else stands there. */
export function linkAt(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isSymbolicLink()) throw cant(`${path} is no link, and drover install would make it one: move it away. Nothing was changed`);
  return readlinkSync(path);
}

/** Replaces the link by a rename: at no moment there is none. */
export function pointTo(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const draft = `${path}.new.${process.pid}`;
  rmSync(draft, { force: true });
  symlinkSync(target, draft);
  renameSync(draft, path);
}
