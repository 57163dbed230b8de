import type { Logger } from "../../../base/log.ts";
import { LEVELS, type Level } from "../records.ts";

/** Characters of log within a window: a hook that has more to say writes a file of its own. */
const MOST = 262_144;
/** What a line costs besides its text: time, level, pid … */
const A_LINE = 150;
const WINDOW = 10_000;

/**
 * The log for what a hook prints: within a measure.
 * @param tooMuch told once a window, when the measure is full; the rest of the window's lines are dropped.
 */
export function printing(log: Logger, tooMuch: () => void): Pick<Logger, Level> {
  let since = -Infinity;
  let written = 0;
  const within = (text: string): boolean => {
    const now = performance.now();
    if (now - since > WINDOW) [since, written] = [now, 0];
    const was = written;
    written += text.length + A_LINE;
    if (was <= MOST && written > MOST) tooMuch();
    return written <= MOST;
  };
  const say = (level: Level) => (fields: object, text: string) => void (within(text) && log[level](fields, text));
  return Object.fromEntries(LEVELS.map((level) => [level, say(level)])) as unknown as Pick<Logger, Level>;
}
