/**
 * The first module of every child: names it, and holds its signals. A signal to a whole group of processes (systemd's
 * KillMode=control-group) is the master's to answer: it ends the broker and the emulator after the workers, which still need
 * them. A worker has its own answer to SIGTERM.
 */
import { nameProcess, type TitledRole } from "../base/title.ts";
import { GROUP_SIGNALS } from "../worker/signals.ts";

const [role = "", slot, , name] = process.argv.slice(2);
if (name !== undefined) nameProcess(role as TitledRole, Number(slot), name);
for (const signal of GROUP_SIGNALS) process.on(signal, () => {});
if (role !== "worker") process.on("SIGTERM", () => {});
