import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { withReserve } from "../base/descriptors.ts";

/** proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are in user's already. */
const FIELDS = 8;
const [IDLE, IOWAIT] = [3, 4];

/**
 * How much of all CPUs was left over between two calls, from /proc/stat.
 * @param read gives the file's text; throws where there is none.
 * @param cpus that this process may use: where the machine has others too, their idleness is none of ours.
 * @returns the share, 0…1, since the call before; 1 where it can't be known.
 */
export function cpuIdle(
  read = (): string => withReserve(() => readFileSync("/proc/stat", "latin1")),
  cpus = availableParallelism(),
): () => number {
  let before: Times | undefined;
  return () => {
    const now = times(read, cpus);
    const share = before === undefined || now === undefined ? 1 : (now.idle - before.idle) / Math.max(1, now.all - before.all);
    before = now;
    return Math.max(0, Math.min(1, share));
  };
}

/** In ticks, all CPUs together. */
interface Times {
  readonly idle: number;
  readonly all: number;
}

function times(read: () => string, cpus: number): Times | undefined {
  let text: string;
  try {
    text = read();
  } catch {
    return undefined; // no Linux, or no descriptor is left
  }
  if (text.match(/^cpu\d/gm)?.length !== cpus) return undefined;
  const [, ...ticks] = text
    .slice(0, text.indexOf("\n"))
    .trim()
    .split(/\s+/, FIELDS + 1)
    .map(Number);
  if (ticks.length < FIELDS || ticks.some((n) => !Number.isFinite(n))) return undefined;
  return { idle: (ticks[IDLE] ?? 0) + (ticks[IOWAIT] ?? 0), all: ticks.reduce((sum, n) => sum + n, 0) };
}
