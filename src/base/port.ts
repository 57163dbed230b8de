import { isFromMaster, type FromChild, type ToChild } from "./protocol.ts";

/** A child's end of the channel to the master. */
export interface MasterPort {
  /** Never throws and never blocks: a master that is gone is noticed by `onLost`. */
  send(message: FromChild): void;
  /** Messages that are not the master's (an application talking to itself) do not arrive here. */
  onMessage(handler: (message: ToChild, handle: unknown) => void): void;
  /** The channel closed: the master is dead. */
  onLost(handler: () => void): void;
}

/** The port over this process's IPC channel (node:cluster or child_process.fork). */
export function processPort(from: NodeJS.Process = process): MasterPort {
  return {
    send(message) {
      if (from.connected) from.send?.(message, undefined, undefined, () => {});
    },
    onMessage(handler) {
      from.on("message", (raw, handle) => {
        if (isFromMaster(raw)) handler(raw, handle);
      });
    },
    onLost: (handler) => void from.once("disconnect", handler),
  };
}
