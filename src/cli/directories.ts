/** Access to drover's own directories: its user alone. */
import { chmodSync, closeSync, lstatSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DroverError, errnoOf } from "../base/errors.ts";
import { openToAppend } from "../base/logfile.ts";
import { actingAs, giveTree } from "../base/owner.ts";
import { storageError } from "../base/storage.ts";
import { socketDirectory } from "../master/shell/shortpath.ts";
import type { Settings } from "../settings/table.ts";
import type { Account } from "./account.ts";

/** Names that drover gives: a directory with others in it is not drover's own. */
const OWN =
  /^(?:(?:journal|ledger|feed|timeline|checklist)\..*|drover\..*|(?:broker|quota|tabs|admin-tokens|slot-schedule|slot-usage)\.json.*|session\.key.*|admin-token|snapshots|emulator|run|log|log\.jsonl|backup\.lock|restore\..*|before-restore-.*|.*\.sock|\.b\w+|\.probe-\d+|lost\+found)$/;

/** Files that only drover makes: their directory is drover's, whatever else an operator keeps in it. */
const MARKS: readonly string[] = [
  "drover.lock",
  "journal.db",
  "broker.json",
  "session.key",
  "control.sock",
  "restore.ready",
  "restore.placing",
];

const shown = (mode: number): string => `0${mode.toString(8)}`;

/**
 * Takes a directory from everyone but its owner.
 * @param setting names it.
 * @param container no other user is expected there, and volumes such as a Kubernetes emptyDir have mode 0777: what would be refused is a warning.
 * @returns what the log should say; undefined: it was private.
 * @throws DroverError DROVER_E_DATA_DIR when it is shared with others, or belongs to another user.
 */
export function narrow(path: string, setting: string, container: boolean): string | undefined {
  try {
    return takeFromOthers(path, setting);
  } catch (e) {
    if (container && e instanceof DroverError && e.code === "DROVER_E_DATA_DIR") return e.message;
    throw e;
  }
}

function takeFromOthers(path: string, setting: string): string | undefined {
  const mode = statSync(path).mode & 0o1777;
  if ((mode & 0o077) === 0) return undefined;
  const refuse = (why: string): DroverError =>
    new DroverError(
      "DROVER_E_DATA_DIR",
      `${setting}: ${path} has mode ${shown(mode)} (expected 0700) and ${why}. chmod 700 it, or set ${setting} to a directory of drover's own`,
    );
  const names = readdirSync(path);
  const foreign = names.find((name) => !OWN.test(name));
  const isOurs = (mode & 0o022) === 0 && names.some((name) => MARKS.includes(name));
  if (foreign !== undefined && !isOurs) throw refuse(`holds what is not drover's, such as ${foreign}`);
  try {
    chmodSync(path, 0o700);
  } catch (e) {
    if (errnoOf(e) !== "EPERM") throw storageError(`${setting}: ${path} can't be used`, e);
    throw refuse("belongs to another user");
  }
  return `${path} was open to others (mode ${shown(mode)}): it is 0700 now`;
}

/**
 * Makes what is missing, and gives drover's directories and its log to the user that the daemon becomes. For root.
 * @throws DroverError DROVER_E_DATA_DIR when a directory is another user's, or root's and not drover's alone; DROVER_E_DISK.
 */
export function handOver({ data_dir: data, run_dir: run, log_file: log }: Settings, account: Account): void {
  handDirectory(data, "DROVER_DATA_DIR", account);
  handDirectory(run, "DROVER_RUN_DIR", account);
  const sockets = socketDirectory(run);
  if (sockets !== run && lstatSync(sockets, { throwIfNoEntry: false })?.uid === 0) giveTree(sockets, account);
  if (!("file" in log)) return;
  makeAs(dirname(log.file), "DROVER_LOG_FILE", { account, mode: 0o750 });
  handLog(log.file, account);
}

function handDirectory(path: string, setting: string, account: Account): void {
  makeAs(path, setting, { account, mode: 0o700 });
  const { uid } = lstatSync(path);
  if (uid !== account.uid && uid !== 0) throw notGiven(setting, path, account, `it belongs to uid ${uid}`);
  if (lstatSync(path).isSymbolicLink()) throw notGiven(setting, path, account, "it is a symlink (expected the directory itself)");
  const names = uid === 0 ? readdirSync(path) : [];
  const foreign = names.find((name) => !OWN.test(name));
  if (foreign !== undefined && !names.some((name) => MARKS.includes(name)))
    throw notGiven(setting, path, account, `it belongs to root and holds what is not drover's, such as ${foreign}`);
  attempt(setting, path, account, () => giveTree(path, account));
}

/** As the user where that is possible: a folder of the user's may lead anywhere. */
function makeAs(path: string, setting: string, { account, mode }: { readonly account: Account; readonly mode: number }): void {
  const make = (): string | undefined => mkdirSync(path, { recursive: true, mode });
  try {
    actingAs(account, make);
  } catch (e) {
    if (errnoOf(e) !== "EACCES") throw storageError(`${setting}: ${path} can't be made`, e);
    attempt(setting, path, account, () => {
      const first = make();
      if (first !== undefined) giveTree(first, account);
    });
  }
}

function handLog(file: string, account: Account): void {
  try {
    actingAs(account, () => closeSync(openToAppend(file)));
  } catch (e) {
    if (errnoOf(e) !== "EACCES") return; // opening the log has an error of its own
    attempt("DROVER_LOG_FILE", file, account, () => {
      if (lstatSync(file, { throwIfNoEntry: false }) === undefined) closeSync(openToAppend(file));
      giveTree(file, account);
    });
  }
}

function attempt(setting: string, path: string, { name, uid }: Account, work: () => void): void {
  try {
    work();
  } catch (e) {
    throw storageError(`${setting}: ${path} can't be given to ${name} (uid ${uid})`, e, {
      advice: `chown it, or set ${setting} to another path`,
    });
  }
}

const notGiven = (setting: string, path: string, { name }: Account, why: string): DroverError =>
  new DroverError(
    "DROVER_E_DATA_DIR",
    `${setting}: ${path} can't be used by DROVER_USER ${name}: ${why}. chown ${name} it, or set ${setting} to a directory of drover's own`,
  );
