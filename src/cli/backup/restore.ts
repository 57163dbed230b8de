/** `drover restore FILE`: puts a backup in the place of what a data directory holds. What was there is put aside, not deleted. */
import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { inspectJournal } from "../../broker/journal/inspect.ts";
import { verifyJournal } from "../../broker/journal/verify.ts";
import { lockDataDir } from "../../master/shell/lock.ts";
import type { Settings } from "../../settings/table.ts";
import { readOptions } from "../options.ts";
import { readArchive, type Manifest } from "./archive.ts";
import { asOwnerOf } from "./owner.ts";
import { accept, finishRestore, NEW } from "./place.ts";
import { writesThatWait } from "./words.ts";

export async function restore(argv: readonly string[]): Promise<number> {
  const { resolved, own, positional } = readOptions(argv, [{ name: "anyway" }]);
  const [name, ...more] = positional;
  if (name === undefined || more.length > 0)
    throw new DroverError("DROVER_E_USAGE", "drover restore needs one file, which drover backup wrote");
  const { settings } = resolved;
  const file = resolve(name);
  const fd = open(file);
  try {
    mkdirSync(settings.data_dir, { recursive: true, mode: 0o700 });
    const manifest = asOwnerOf(settings.data_dir, () => replace(settings, { file, fd, anyway: own.has("anyway") }));
    process.stdout.write(words(settings, file, manifest));
    return EXIT.done.code;
  } finally {
    closeSync(fd);
  }
}

function open(file: string): number {
  try {
    return openSync(file, "r");
  } catch (e) {
    throw new DroverError("DROVER_E_BACKUP", `${file} can't be read: ${messageOf(e)}`, { cause: e });
  }
}

interface Archive {
  readonly file: string;
  readonly fd: number;
  readonly anyway: boolean;
}

/** All of it, or nothing. */
function replace(settings: Settings, archive: Archive): Manifest {
  const { data_dir: dir } = settings;
  const lock = lockDataDir(dir);
  try {
    finishRestore(dir, new Date()); // of one that was killed
    const staged = join(dir, NEW);
    try {
      mkdirSync(staged, { mode: 0o700 });
      const manifest = readArchive(archive.fd, archive.file, staged);
      if (manifest.journal !== undefined) judge(settings, archive, join(staged, "journal.db"));
      if (!archive.anyway) refuseLoss(dir, archive.file);
      accept(dir);
      finishRestore(dir, new Date());
      return manifest;
    } catch (e) {
      rmSync(staged, { recursive: true, force: true });
      if (e instanceof DroverError) throw e;
      throw new DroverError("DROVER_E_BACKUP", `${archive.file} can't be restored: ${messageOf(e)}`, { cause: e });
    }
  } finally {
    lock.release();
  }
}

/** @throws DroverError when the backup's journal could not be used. */
function judge({ spreadsheet_id: ours }: Settings, { file }: Archive, path: string): void {
  const { spreadsheet, waiting } = verifyJournal(path, file);
  if (waiting === 0 || spreadsheet === undefined || ours === undefined || spreadsheet === ours) return;
  throw new DroverError(
    "DROVER_E_BACKUP",
    `${file} holds ${writesThatWait(waiting)} for the spreadsheet ${spreadsheet}, and DROVER_SPREADSHEET_ID is ${ours}: set it to ${spreadsheet} first. Nothing was changed`,
  );
}

/** @throws DroverError while acknowledged writes wait in the journal that would be put aside. */
function refuseLoss(dir: string, file: string): void {
  const there = inspectJournal(join(dir, "journal.db"));
  if (there === undefined || there.waiting === 0) return;
  throw new DroverError(
    "DROVER_E_BACKUP",
    `${join(dir, "journal.db")} holds ${writesThatWait(there.waiting)} and ${there.waiting === 1 ? "was" : "were"} acknowledged; ${file} would take its place. ` +
      "Start drover until drover status says that none waits, then stop it and restore; or put them aside unsent: drover restore --anyway. Nothing was changed",
  );
}

function words({ data_dir: dir }: Settings, file: string, { drover, at, journal, files }: Manifest): string {
  const waiting = journal?.waiting ?? 0;
  const sent =
    waiting === 0
      ? "No write waits in it."
      : `It holds ${writesThatWait(waiting)} for ${journal?.spreadsheet ?? "the spreadsheet"}: drover looks what of that is there, and sends the rest.`;
  const sessions = files.some(({ name }) => name === "ledger.db")
    ? `Sessions are as they were: who logged out or was put out since is in again, with a cookie that was kept. To end them all: rm ${join(dir, "session.key")}\n`
    : "";
  const keys = files.some(({ name }) => name === "admin-tokens.json")
    ? "Keys of the administration are as they were too: drover dashboard --revoke NAME takes back what was revoked since.\n"
    : "";
  return `${dir} is as it was at ${at} (${file}, drover ${drover}). ${sent}\n${sessions}${keys}What was there before is in ${dir}/before-restore-…; start drover now.\n`;
}
