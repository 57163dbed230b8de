/**
 * The control socket of a running daemon: there from its start to its end, even when somebody cleans up its folder. Where it can't be made
 * the daemon serves all the same: signals still reach it.
 */
import { existsSync } from "node:fs";
import type { Server } from "node:http";
import { DroverError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { serveControl, type ControlHandlers } from "../master/shell/control.ts";
import { clearStale } from "../master/shell/listeners.ts";
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

/** A unix socket of the daemon's that is made again when somebody removes it. @throws DroverError DROVER_E_PORT when another daemon serves it. */
export async function openSocket({ settings, log, path, name, serve }: SocketParts): Promise<ControlSocket> {
  let server: Server | undefined;
  let busy = false;
  let said = "";
  const open = async (): Promise<void> => {
    server?.close(); // first: closing a socket removes what stands at its path
    server = undefined;
    prepareRunDirectory(settings);
    await clearStale(path);
    server = await serve(path);
    said = "";
  };
  /** Said once, not at every try. */
  const unmade = (error: unknown): void => {
    const why = messageOf(error);
    if (why === said) return;
    said = why;
    log.info({ path, why }, `there is no ${name}: ${why}. The service runs; commands can't reach it, signals can`);
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
      if (busy || (server !== undefined && existsSync(path))) return;
      busy = true;
      again()
        .catch(unmade)
        .finally(() => (busy = false));
    },
    close: () => void server?.close(),
  };
}
