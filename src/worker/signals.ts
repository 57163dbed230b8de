import type { EventEmitter } from "node:events";

/** What a terminal or an operator sends to whole groups of processes: the master decides what it means for its workers. */
const IGNORED = ["SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR2", "SIGTTIN", "SIGTTOU", "SIGWINCH"] as const satisfies readonly NodeJS.Signals[];

/** SIGTERM drains this worker alone; the master replaces it. SIGUSR1 stays Node's: it opens the inspector for an autopsy. */
export function installWorkerSignals(on: EventEmitter, terminate: () => void): void {
  for (const signal of IGNORED) on.on(signal, () => {});
  on.on("SIGTERM", terminate);
}
