import { EXIT } from "../base/exit.ts";
import type { MasterPort } from "../base/port.ts";

/**
 * Nobody outlives the master: exits at once when the parent is not the master any more (it died before this process could
 * ask for anything), and whenever the channel closes, draining included. A process that is blocked or stopped can't do this;
 * for that the master spawns with a parent-death signal.
 * @param parent this process's parent, read as its first act: process.ppid.
 */
export function diesWithMaster(
  port: MasterPort,
  masterPid: number,
  parent = process.ppid,
  exit = (code: number): void => process.exit(code),
): void {
  if (parent !== masterPid) exit(EXIT.done.code);
  else port.onLost(() => exit(EXIT.done.code));
}
