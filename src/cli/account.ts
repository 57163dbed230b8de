/** The user that the daemon becomes when root starts it (`DROVER_USER`). */
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import { actingAs, enterUser, isRoot, type Owner } from "../base/owner.ts";
import { ownModule } from "../base/place.ts";
import type { Settings } from "../settings/table.ts";
import type { Plan } from "./plan.ts";

export const ROOT_WARNING =
  "drover and all its processes run as root: set DROVER_USER to a user of their own, such as DROVER_USER=drover (useradd --system drover), or start drover as that user";

export interface Account extends Owner {
  readonly name: string;
  readonly home: string;
}

const wrong = (text: string): DroverError => new DroverError("DROVER_E_SETTINGS", `DROVER_USER is ${text}`);

/** @returns the fields of a name's, or a number's, line in /etc/passwd or /etc/group. */
function lookUp(file: string, wanted: string): readonly string[] | undefined {
  const lines = readFileSync(file, "utf8").split("\n");
  const isNumber = /^\d+$/.test(wanted);
  return lines.map((line) => line.split(":")).find((fields) => fields.length > 2 && fields[isNumber ? 2 : 0] === wanted);
}

/**
 * @returns undefined when the daemon keeps the user that started it.
 * @throws DroverError DROVER_E_SETTINGS for a user or group that does not exist, root itself, or a master that may not change users.
 */
export function accountOf({ user: wanted }: Pick<Settings, "user">, root = isRoot()): Account | undefined {
  if (wanted === undefined) return undefined;
  const { user, group } = wanted;
  if (process.platform !== "linux") throw wrong(`${user}, and ${process.platform} can't change users (expected Linux). Leave it out`);
  const entry = lookUp("/etc/passwd", user);
  if (entry === undefined && !/^\d+$/.test(user))
    throw wrong(`${user}, and there is no such user (expected one of /etc/passwd, or a number). Make it: useradd --system ${user}`);
  const groupEntry = group === undefined ? undefined : lookUp("/etc/group", group);
  if (group !== undefined && groupEntry === undefined && !/^\d+$/.test(group))
    throw wrong(
      `${user}:${group}, and there is no such group (expected one of /etc/group, or a number). Make it: groupadd --system ${group}`,
    );
  const uid = Number(entry?.[2] ?? user);
  const gid = Number(group === undefined ? (entry?.[3] ?? user) : (groupEntry?.[2] ?? group));
  if (uid === 0) throw wrong(`${user}, which is root (expected another user). Name a user without rights, or leave it out`);
  if (root) return { name: entry?.[0] ?? user, uid, gid, home: entry?.[5] ?? "/" };
  if (uid === process.getuid?.() && gid === process.getgid?.()) return undefined;
  throw wrong(
    `${user}, and only root may change to another user (this is uid ${process.getuid?.() ?? "?"}). Start drover as root or as ${user}`,
  );
}

/** Takes the account's rights and environment. Root's can be had back, for a socket, until `dropRoot`. */
export function enterAccount(account: Account): void {
  enterUser(account);
  Object.assign(process.env, { HOME: account.home, USER: account.name, LOGNAME: account.name });
}

/** What the daemon must be able to read, now and at a reload. @throws DroverError DROVER_E_SETTINGS naming the first file that the user can't. */
export function checkReadable(
  account: Account,
  { keyFile, tablesFile, app, hooks, demo, settings }: Plan,
  envFile: string | undefined,
): void {
  const files: [string | undefined, string][] = [
    [envFile, "the env file"],
    [settings.tls_cert, "the certificate"],
    [settings.tls_key, "the certificate's key"],
    [process.execPath, "Node.js"],
    [fileURLToPath(ownModule("cli/child")), "drover's own code"],
    [demo ? undefined : keyFile, "the key file"],
    [tablesFile, "the tables file"],
    [app, "the application"],
    [hooks, "the hooks module"],
  ];
  for (const [path, what] of files)
    try {
      if (path !== undefined) actingAs(account, () => closeSync(openSync(path, "r")));
    } catch (e) {
      if (errnoOf(e) === "EACCES")
        throw wrong(`${account.name}, who can't read ${what} ${path}. Give ${account.name} access to it and to the folders above it`);
      if (errnoOf(e) !== "ENOENT") throw wrong(`${account.name}: ${messageOf(e)}`); // what is missing has an error of its own
    }
}
