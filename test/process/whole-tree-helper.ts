/** Signals to every process of a daemon at once, as `kill -- -PGID`, a terminal's Ctrl-C or KillMode=control-group send them. */
import { sent } from "../support/cleanup.ts";
import { descendants, type Daemon } from "./harness.ts";

/** The broker first: it must not be gone when its workers need it. */
export async function signalAll(daemon: Daemon, signal: NodeJS.Signals): Promise<void> {
  const broker = (await daemon.place("broker/0")).child?.pid;
  const pids = [...descendants(daemon.pid), daemon.pid].sort((a, b) => Number(b === broker) - Number(a === broker));
  for (const pid of pids) sent(pid, signal);
}
