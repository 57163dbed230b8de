/** `drover restore FILE`: replaces the content of a data directory by a backup. The former content is set aside, not deleted. */
import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { counted } from "../../cli/terminal/figures.ts";
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { inspectJournal } from "../../broker/journal/inspect.ts";
import { verifyJournal } from "../../broker/journal/verify.ts";
import { lockDataDir } from "../../master/shell/lock.ts";
import type { Settings } from "../../settings/table.ts";
import { readOptions } from "../../cli/options.ts";
import { readArchive, type Manifest } from "./archive.ts";
import { actingAsOwnerOf } from "../../base/owner.ts";
import { accept, finishRestore, NEW } from "./swap.ts";

export async function restore(argv: readonly string[]): Promise<number> {
  const { resolved, own, positional } = readOptions(argv, [{ name: "anyway" }]);
  const [name, ...more] = positional;
  if (name === undefined || more.length > 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      "drover restore needs one file, which drover backup wrote",
    );
  const { settings } = resolved;
  const file = resolve(name);
  const fd = open(file);
  try {
    mkdirSync(settings.data_dir, { recursive: true, mode: 0o700 });
    const manifest = actingAsOwnerOf(settings.data_dir, () =>
      replace(settings, { file, fd, anyway: own.has("anyway") }),
    );
    process.stdout.write(summary(settings, file, manifest));
    return EXIT.done.code;
  } finally {
    closeSync(fd);
  }
}

function open(file: string): number {
  try {
    return openSync(file, "r");
  } catch (e) {
    throw new DroverError("DROVER_E_BACKUP", `${file} can't be read: ${messageOf(e)}`, {
      cause: e,
    });
  }
}

interface Archive {
  readonly file: string;
  readonly fd: number;
  readonly anyway: boolean;
}

/** Replaces everything, or nothing. */
function replace(settings: Settings, archive: Archive): Manifest {
  const { data_dir: dir } = settings;
  const lock = lockDataDir(dir);
  try {
    finishRestore(dir, new Date()); // an earlier restore that was killed
    const staged = join(dir, NEW);
    try {
      mkdirSync(staged, { mode: 0o700 });
      const manifest = readArchive(archive.fd, archive.file, staged);
      if (manifest.journal !== undefined)
        checkJournal(settings, archive, join(staged, "journal.db"));
      if (!archive.anyway) refuseLoss(dir, archive.file);
      accept(dir);
      finishRestore(dir, new Date());
      return manifest;
    } catch (e) {
      rmSync(staged, { recursive: true, force: true });
      if (e instanceof DroverError) throw e;
      throw new DroverError(
        "DROVER_E_BACKUP",
        `${archive.file} can't be restored: ${messageOf(e)}`,
        { cause: e },
      );
    }
  } finally {
    lock.release();
  }
}

/** @throws DroverError when the backup's journal is damaged or has waiting writes for another spreadsheet. */
function checkJournal({ spreadsheet_id: ours }: Settings, { file }: Archive, path: string): void {
  const { spreadsheet, waiting } = verifyJournal(path, file);
  if (waiting === 0 || spreadsheet === undefined || ours === undefined || spreadsheet === ours)
    return;
  throw new DroverError(
    "DROVER_E_BACKUP",
    `${file} holds ${counted(waiting, "waiting write")} for the spreadsheet ${spreadsheet}, and DROVER_SPREADSHEET_ID is ${ours}: set it to ${spreadsheet} first. Nothing was changed`,
  );
}

/** @throws DroverError when the journal that would be set aside has acknowledged writes that were not sent. */
function refuseLoss(dir: string, file: string): void {
  const there = inspectJournal(join(dir, "journal.db"));
  if (there === undefined || there.waiting === 0) return;
  throw new DroverError(
    "DROVER_E_BACKUP",
    `${join(dir, "journal.db")} holds ${counted(there.waiting, "acknowledged write")} that did not reach the spreadsheet yet; ${file} would take its place. ` +
      "Start drover until drover status shows no waiting writes, then stop it and restore; or set them aside unsent: drover restore --anyway. Nothing was changed",
  );
}

function summary(
  { data_dir: dir }: Settings,
  file: string,
  { drover, at, journal, files }: Manifest,
): string {
  const waiting = journal?.waiting ?? 0;
  const sent =
    waiting === 0
      ? "It holds no waiting writes."
      : `It holds ${counted(waiting, "waiting write")} for ${journal?.spreadsheet ?? "the spreadsheet"}: drover looks up which of them the sheet has, and sends the others.`;
  const sessions = files.some(({ name }) => name === "ledger.db")
    ? `Sessions are as they were: a session that was ended since is valid again for a browser that kept its cookie. To end them all: rm ${join(dir, "session.key")}\n`
    : "";
  const keys = files.some(({ name }) => name === "admin-tokens.json")
    ? "Admin tokens are as they were too: repeat drover dashboard --revoke NAME for those that were revoked since.\n"
    : "";
  return `${dir} is as it was at ${at} (${file}, drover ${drover}). ${sent}\n${sessions}${keys}The former state is in ${dir}/before-restore-…; start drover now.\n`;
}
