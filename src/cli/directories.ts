/** Access to drover's own directories: its user alone. */
import { chmodSync, lstatSync, readdirSync, statSync } from "node:fs";
import { DroverError, errnoOf } from "../base/errors.ts";
import { give, giveTree, type Owner } from "../base/owner.ts";
import { storageError } from "../base/storage.ts";

/** Names that drover gives: a directory with others in it is not drover's own. */
const OWN =
  /^(?:(?:journal|ledger|feed)\..*|drover\..*|(?:broker|tabs|admin-tokens)\.json.*|session\.key.*|admin-token|snapshots|emulator|run|log|log\.jsonl|restore\..*|before-restore-.*|.*\.sock|\.b\w+|\.probe-\d+|lost\+found)$/;

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

/** Gives drover's directories and the log to the children's user. @throws DroverError when that is not allowed. */
export function giveAll(owner: Owner, { trees, single }: { readonly trees: readonly string[]; readonly single: readonly string[] }): void {
  let at = "";
  try {
    for (const path of trees) {
      at = path;
      if (lstatSync(path).isSymbolicLink()) throw new Error("it is a symlink (expected a directory)");
      giveTree(path, owner);
    }
    for (const path of single) if (lstatSync((at = path), { throwIfNoEntry: false }) !== undefined) give(path, owner);
  } catch (e) {
    throw storageError(`DROVER_USER: ${at} can't be given to uid ${owner.uid}`, e, { advice: "Let root change owners there (CAP_CHOWN)" });
  }
}
