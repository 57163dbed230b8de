/**
 * The first module of every child. A signal to a whole group of processes (systemd's
 * KillMode=control-group) is the master's to answer: it ends the broker and the emulator after the workers, which still need
 * them. A worker has its own answer to SIGTERM.
 */
import { GROUP_SIGNALS } from "../worker/signals.ts";

const [role] = process.argv.slice(2);
for (const signal of GROUP_SIGNALS) process.on(signal, () => {});
if (role !== "worker") process.on("SIGTERM", () => {});
