/**
 * The control socket of a running daemon: there from its start to its end, even when somebody cleans up its folder. Where it can't be made
 * the daemon serves all the same: signals still reach it.
 */
import type { Server } from "node:http";
import { DroverError, messageOf } from "../base/errors.ts";
import type { FileLock } from "../base/filelock.ts";
import type { Logger } from "../base/log.ts";
import { clearStale, identify, reserve, standing, takenText, type Placed } from "../base/socketfile.ts";
import { serveControl, type ControlHandlers } from "../master/shell/control.ts";
import type { Settings } from "../settings/table.ts";
import { controlSocket, prepareRunDirectory } from "./places.ts";

export interface ControlSocket {
  /** Makes the socket if it is not there, or no longer: else only signals would reach the daemon. Never throws. */
  check(): void;
  close(): void;
}

/** @throws DroverError DROVER_E_PORT when another daemon serves it. */
export const openControl = (settings: Settings, handlers: ControlHandlers, log: Logger): Promise<ControlSocket> =>
  openSocket({
    settings,
    log,
    path: controlSocket(settings.run_dir),
    name: "control socket",
    serve: (path) => serveControl(path, handlers),
  });

export interface SocketParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly path: string;
  /** For the log. */
  readonly name: string;
  /** Listens at the path, whose directory exists and whose stale file was removed. */
  serve(path: string): Promise<Server>;
}

/** A unix socket of the daemon's that is made again when it is removed. @throws DroverError DROVER_E_PORT when another daemon serves it. */
export async function openSocket({ settings, log, path, name, serve }: SocketParts): Promise<ControlSocket> {
  let server: Server | undefined;
  let placed: Placed | undefined;
  let lock: FileLock | undefined;
  let busy = false;
  let said = "";
  /** Ends the server. Closing its handle removes the file at its path: not when that is another's. */
  const close = (): void => {
    if (placed !== undefined && standing(placed) === "foreign") server?.unref();
    else server?.close();
    server = undefined;
  };
  const open = async (): Promise<void> => {
    close();
    prepareRunDirectory(settings);
    lock?.release(); // its file may have been removed
    lock = undefined;
    lock = reserve(path);
    await clearStale(path);
    server = await serve(path);
    placed = identify(path);
    said = "";
  };
  /** Reported once, not at every try. */
  const report = (why: string, text: string): void => {
    if (why === said) return;
    said = why;
    log.info({ path, why }, text);
  };
  const unmade = (error: unknown): void => {
    const why = messageOf(error);
    report(why, `there is no ${name}: ${why}. The service runs; commands can't reach it, signals can`);
  };
  const again = async (): Promise<void> => {
    const lost = server !== undefined;
    await open();
    log.warn({ path }, lost ? `the ${name} ${path} had been removed: it is there again` : `the ${name} ${path} is there now`);
  };
  try {
    await open();
  } catch (error) {
    if (error instanceof DroverError && error.code === "DROVER_E_PORT") throw error;
    unmade(error);
  }
  return {
    check() {
      const is = server === undefined || placed === undefined ? "missing" : standing(placed);
      if (is === "foreign") report("foreign", takenText(`the ${name}`, path));
      if (busy || is !== "missing") return;
      busy = true;
      again()
        .catch(unmade)
        .finally(() => (busy = false));
    },
    close() {
      close();
      lock?.remove();
      lock = undefined;
    },
  };
}
