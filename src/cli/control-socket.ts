/** The control socket of a running daemon: there from its start to its end, even when somebody cleans up its folder. */
import { existsSync } from "node:fs";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { serveControl, type ControlHandlers } from "../master/shell/control.ts";
import { clearStale } from "../master/shell/listeners.ts";
import type { Settings } from "../settings/table.ts";
import { controlSocket, prepareDirectories } from "./places.ts";

export interface ControlSocket {
  /** Makes the socket again if its file was removed: else only signals would reach the daemon. Never throws. */
  check(): void;
  close(): void;
}

/** @throws DroverError when another process serves it, or when it can't be made. */
export async function openControl(settings: Settings, handlers: ControlHandlers, log: Logger): Promise<ControlSocket> {
  const path = controlSocket(settings.run_dir);
  await clearStale(path);
  let server = await serveControl(path, handlers);
  let busy = false;
  const again = async (): Promise<void> => {
    server.close(); // first: closing a socket removes what stands at its path
    prepareDirectories(settings);
    server = await serveControl(path, handlers);
    log.warn({ path }, `the control socket ${path} had been removed: it is there again`);
  };
  return {
    check() {
      if (busy || existsSync(path)) return;
      busy = true;
      again()
        .catch((error: unknown) =>
          log.error({ err: error }, `the control socket ${path} was removed and can't be made again: ${messageOf(error)}`),
        )
        .finally(() => (busy = false));
    },
    close: () => void server.close(),
  };
}
