import { readFileSync } from "node:fs";

/** proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are in user's already. */
const FIELDS = 8;
const [IDLE, IOWAIT] = [3, 4];

/**
 * How much of all CPUs was left over between two calls, from /proc/stat: a read of some 30 µs.
 * @param read gives the file's text; throws where there is none.
 * @returns the share, 0…1, since the call before; 0 at the first one, and where it can't be known.
 */
export function cpuIdle(read = (): string => readFileSync("/proc/stat", "latin1")): () => number {
  let before = { idle: 0, all: 0 };
  return () => {
    const now = times(read);
    const all = now.all - before.all;
    const share = before.all > 0 && all > 0 ? (now.idle - before.idle) / all : 0;
    before = now;
    return Math.max(0, Math.min(1, share));
  };
}

/** In ticks, all CPUs together; nothing where the kernel does not tell. */
function times(read: () => string): { readonly idle: number; readonly all: number } {
  let text: string;
  try {
    text = read();
  } catch {
    return { idle: 0, all: 0 }; // no Linux
  }
  const [, ...ticks] = text
    .slice(0, text.indexOf("\n"))
    .trim()
    .split(/\s+/, FIELDS + 1)
    .map(Number);
  if (ticks.length < FIELDS || ticks.some((n) => !Number.isFinite(n))) return { idle: 0, all: 0 };
  return { idle: (ticks[IDLE] ?? 0) + (ticks[IOWAIT] ?? 0), all: ticks.reduce((sum, n) => sum + n, 0) };
}
