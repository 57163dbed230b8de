import { DroverError, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { MasterPort } from "../base/port.ts";
import { readableStack } from "../base/sources.ts";

/** Tells the master what it ends of. */
export function sayFatal(port: MasterPort, thrown: unknown): void {
  const code = thrown instanceof DroverError ? thrown.code : "DROVER_E_BOOT";
  const message =
    thrown instanceof Error && !(thrown instanceof DroverError) ? readableStack(thrown.stack ?? thrown.message) : messageOf(thrown);
  port.send({ type: "fatal", exit: exitCodeOf(thrown), code, message: message.slice(0, 65_536) });
}

/** The exit code of a worker that can't go on after this. */
export function exitCodeOf(thrown: unknown): number {
  return thrown instanceof DroverError ? thrown.exit : EXIT.bootFailed.code;
}
