/** The boot of this machine, and the time since: tells time that passed from a clock that was set. */
import { readFileSync } from "node:fs";
import { withReserve } from "./descriptors.ts";
import { ms, type Ms } from "./units.ts";

export interface Boot {
  /** Another one after each boot. Unknown: it is of this process alone. */
  readonly id: string;
  readonly up: Ms;
}

/** Milliseconds; the boot clock runs on while the machine sleeps, as the start times of processes do. */
export function sinceBoot(): number {
  try {
    return Number(withReserve(() => readFileSync("/proc/uptime", "latin1")).split(" ", 1)[0]) * 1_000;
  } catch {
    return performance.now(); // no /proc: the figure is of this process
  }
}

let known: string | undefined;

/** proc_sys_kernel(5): random/boot_id. Never throws. */
export const thisBoot = (): Boot => ({ id: (known ??= bootId()), up: ms(Math.round(sinceBoot())) });

function bootId(): string {
  try {
    return withReserve(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1")).trim();
  } catch {
    return `process ${process.pid} of ${performance.timeOrigin}`; // no /proc: each process counts as a boot
  }
}
