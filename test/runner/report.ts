/** The end of a run: what was slow, skipped, flaky and red, and the verdict. */
import type { FileResult } from "./queue.ts";

/** More flaky files than these mean that something is wrong with more than chance. */
const MOST_FLAKY = 2;

/** A file that is known to fail by chance: it is printed, and does not make a run of test:full red. */
export interface Quarantined {
  readonly file: string;
  /** Since when, as YYYY-MM-DD. */
  readonly since: string;
  readonly reason: string;
}
export const QUARANTINE_DAYS = 14;

export interface Verdict {
  readonly green: boolean;
  readonly lines: readonly string[];
  /** Files that failed and were green when they were run once more. */
  readonly flaky: readonly string[];
  readonly red: readonly string[];
}

const secondsOf = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

function skipLines(results: readonly FileResult[]): string[] {
  const byReason = new Map<string, number>();
  for (const { skips } of results) for (const { why } of skips) byReason.set(why, (byReason.get(why) ?? 0) + 1);
  return [...byReason].sort(([a], [b]) => (a < b ? -1 : 1)).map(([why, n]) => `SKIPPED ${n}: ${why}`);
}

const failureLines = (word: string, { file, failures }: FileResult): string[] =>
  failures.map(({ test, error }) => `${word} ${file}: ${test}: ${error}`);

const ageInDays = (since: string, now: Date): number => Math.floor((now.getTime() - Date.parse(since)) / 86_400_000);

/**
 * @param results every attempt, the first of a file before the second.
 * @param tookMs the whole run.
 * @param quarantine files that do not decide.
 */
export function judge(results: readonly FileResult[], tookMs: number, quarantine: readonly Quarantined[], now = new Date()): Verdict {
  const last = new Map(results.map((result) => [result.file, result]));
  const firstReds = results.filter(({ attempt, failures }) => attempt === 1 && failures.length > 0);
  const flaky = firstReds.filter(({ file }) => last.get(file)?.failures.length === 0);
  const red = [...last.values()].filter(({ failures }) => failures.length > 0);
  const held = new Set(quarantine.map(({ file }) => file));
  const slowest = [...last.values()].toSorted((a, b) => b.ms - a.ms).slice(0, 10);
  const sum = (of: (result: FileResult) => number): number => [...last.values()].reduce((n, result) => n + of(result), 0);
  const ran = sum(({ passed, failures, skips }) => passed + failures.length + skips.length);
  const old = quarantine.filter(({ since }) => ageInDays(since, now) > QUARANTINE_DAYS);
  const lines = [
    ...slowest.map(({ file, ms }) => `SLOW ${secondsOf(ms).padStart(7)} ${file}`),
    ...skipLines([...last.values()]),
    ...old.map(({ file, since }) => `QUARANTINED for more than ${QUARANTINE_DAYS} days: ${file} (since ${since})`),
    ...flaky.flatMap((result) => failureLines("FLAKY", result)),
    ...(flaky.length > MOST_FLAKY ? [`RED: ${flaky.length} flaky files (at most ${MOST_FLAKY})`] : []),
    ...red.flatMap((result) => failureLines(held.has(result.file) ? "QUARANTINED" : "RED", result)),
    ...(ran === 0 ? ["RED: no test was run"] : []),
    `${last.size} files in ${secondsOf(tookMs)}`,
    `${sum(({ passed }) => passed)} passed, ${sum(({ failures }) => failures.length)} failed, ${sum(({ skips }) => skips.length)} skipped`,
  ];
  return {
    green: ran > 0 && flaky.length <= MOST_FLAKY && red.every(({ file }) => held.has(file)),
    lines,
    flaky: flaky.map(({ file }) => file),
    red: red.map(({ file }) => file),
  };
}
