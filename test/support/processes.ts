/** The process table, as Linux shows it. */
import { readdirSync, readFileSync } from "node:fs";

/** What follows the command's name in /proc/PID/stat: state, parent, … */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // ended
  }
}

/** @returns whether the process runs; a zombie does not. */
export function alive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat[0] !== "Z";
}

/** @returns the pids of every process that descends from `pid`, without itself. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((n) => /^\d+$/.test(n))) {
    const stat = statOf(Number(name));
    if (stat !== undefined) parents.set(Number(name), Number(stat[1]));
  }
  const found = new Set([pid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const [child, parent] of parents) if (found.has(parent) && !found.has(child)) grown = Boolean(found.add(child));
  }
  found.delete(pid);
  return [...found];
}

/** Sends a signal. @returns false when the process has ended. */
export function sent(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
