/** Puts back what something else removes from under a running daemon: cleaners of temporary folders remove old files. */
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { send, type Child } from "../master/shell/children.ts";
import type { Listener, RawHandle } from "../master/shell/listeners.ts";
import type { Lock } from "../master/shell/lock.ts";
import type { ControlSocket } from "./control-socket.ts";

export interface UpkeepParts {
  readonly log: Logger;
  readonly lock: Lock;
  readonly sockets: readonly ControlSocket[];
  /** The addresses that workers accept from. */
  readonly listeners: readonly Listener[];
  /** The administration's own addresses. */
  readonly own: readonly Listener[];
  workers(): Iterable<Child>;
  /** The administration's own server accepts from the new handle instead. */
  adopt(listener: Listener, former: RawHandle): void;
  logIsRemoved(): boolean;
  /** Opens the log files again, in every process. */
  reopen(): void;
  readonly logFile: string;
}

/** @returns one look at every file, to be called every second. It never throws. */
export function createUpkeep(parts: UpkeepParts): () => void {
  const { log } = parts;
  let said = "";
  const tries = (look: () => void): void => {
    try {
      look();
    } catch (error) {
      const text = messageOf(error);
      if (text !== said) log.error({ err: error }, `a file that was removed can't be made again: ${text}`);
      said = text;
    }
  };
  return () => {
    tries(() => {
      if (!parts.logIsRemoved()) return;
      parts.reopen();
      if (!parts.logIsRemoved()) log.warn({ path: parts.logFile }, `the log file ${parts.logFile} had been removed: it is there again`);
    });
    for (const socket of parts.sockets) socket.check();
    for (const [address, listener] of parts.listeners.entries()) {
      const former = listener.check();
      if (former === undefined) continue;
      for (const worker of parts.workers()) send(worker, { type: "handle", address }, listener.handle);
      former.close(); // workers have copies: they still take the connections that wait there
    }
    for (const listener of parts.own) {
      const former = listener.check();
      if (former !== undefined) tries(() => parts.adopt(listener, former));
    }
    tries(() => {
      for (const path of parts.lock.check()) log.warn({ path }, `${path} had been removed: it is there again`);
    });
  };
}
