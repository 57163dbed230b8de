/** A unix socket to listen on: bound at its path, and bound again when its file was removed. */
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import type { FileLock } from "../../base/filelock.ts";
import type { Logger } from "../../base/log.ts";
import { clearStale, identify, privateDirectory, removePlaced, reserve, standing, takenText } from "../../base/socketfile.ts";
import type { Listener, RawHandle } from "./listeners.ts";
import { fits, socketDirectory } from "./shortpath.ts";

type Bind = (path: string) => RawHandle;

/** @throws DroverError DROVER_E_SETTINGS, DROVER_E_PORT when another process listens there. */
export async function bindUnix(path: string, log: Logger, bind: Bind): Promise<Listener> {
  const real = fits(path) ? path : join(socketDirectory(dirname(path)), "http.sock");
  if (real !== path) {
    privateDirectory(dirname(real));
    log.warn({ wanted: path, used: real }, `unix:${path} is over 107 bytes, which no socket's path may be: listening on ${real} instead`);
  }
  let lock: FileLock | undefined;
  try {
    lock = reserve(real);
    await clearStale(real);
    return listener(real, lock, log, bind);
  } catch (error) {
    lock?.remove();
    if (error instanceof DroverError && error.code !== "DROVER_E_DATA_DIR") throw error;
    throw new DroverError("DROVER_E_SETTINGS", `bind = unix:${real}: ${whyNot(dirname(real), error)}`, { cause: error });
  }
}

/** libuv reports a missing folder as EACCES, too. */
function whyNot(folder: string, error: unknown): string {
  if (!existsSync(folder)) return `there is no folder ${folder}`;
  const { cause } = error as { cause?: unknown };
  if (errnoOf(error) !== "EACCES" && errnoOf(cause) !== "EACCES") return messageOf(error);
  return `this user (uid ${process.geteuid?.() ?? "?"}) may not make a socket in ${folder}. Make the folder writable for it, or use another one`;
}

function listener(path: string, lock: FileLock, log: Logger, bind: Bind): Listener {
  let handle = bind(path);
  let placed = identify(path);
  const folder = statSync(dirname(path)).mode & 0o7777;
  let said = "";
  const report = (text: string): void => {
    if (text !== said) log.error({ path }, text); // once, not at every look
    said = text;
  };
  const bindAgain = (): RawHandle => {
    const former = handle;
    if (mkdirSync(dirname(path), { recursive: true }) !== undefined) chmodSync(dirname(path), folder);
    handle = bind(path); // refused when anything is at the path
    placed = identify(path);
    said = "";
    log.warn({ path }, `the listening socket ${path} had been removed: it is bound again`);
    return former;
  };
  return {
    address: { name: `unix:${path}`, kind: "unix" },
    port: undefined,
    url: `unix:${path}`,
    get handle() {
      return handle;
    },
    remove() {
      removePlaced(placed);
      lock.remove();
    },
    check() {
      try {
        const is = standing(placed);
        if (is === "foreign") report(takenText("the listening socket", path));
        return is === "missing" ? bindAgain() : undefined;
      } catch (error) {
        report(`the listening socket ${path} can't be bound again, new clients can't connect: ${messageOf(error)}`);
        return undefined;
      }
    },
  };
}
