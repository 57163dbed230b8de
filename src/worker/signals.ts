import type { EventEmitter } from "node:events";

/** Signals that a terminal or an operator sends to a whole group of processes: the master decides what they mean for its children. */
export const GROUP_SIGNALS = [
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR2",
  "SIGTTIN",
  "SIGTTOU",
  "SIGWINCH",
] as const satisfies readonly NodeJS.Signals[];

/**
 * SIGTERM drains this worker alone; the master replaces it. SIGUSR1 stays Node's: it opens the inspector for an autopsy.
 * @param handled is called once, when the application listens for SIGUSR1: from then on it does not open the inspector, and ends the
 * process if the application removes its listener.
 */
export function installWorkerSignals(on: EventEmitter, terminate: () => void, handled: () => void): void {
  const listens = (event: string | symbol): void => {
    if (event !== "SIGUSR1") return;
    on.off("newListener", listens);
    handled();
  };
  on.on("newListener", listens);
  for (const signal of GROUP_SIGNALS) on.on(signal, () => {});
  on.on("SIGTERM", terminate);
}
