/** Which files belong to which tier. A file's name says it; docs/contributing/tests.md says when to use which. */
import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

export type Command = "check" | "test" | "full" | "soak";
export type Tier = "check" | "unit" | "component" | "process" | "full" | "soak";

/** What is checked of the repository itself: no promise of the product hangs on it. */
const CHECKS = ["test/*.test.ts", "test/requirements/*.test.ts", "test/cli/reference.test.ts"];

const FILES: Readonly<Record<Command, readonly string[]>> = {
  check: CHECKS,
  test: ["test/**/*.unit.ts", "test/**/*.test.ts"],
  full: ["test/**/*.full.ts"],
  soak: ["test/**/*.soak.ts"],
};

let known: ReadonlySet<string> | undefined;
const checks = (): ReadonlySet<string> => (known ??= new Set(globSync(CHECKS)));

/** @returns the files of a command, by path from the repository's folder. */
export function filesOf(command: Command): readonly string[] {
  return globSync(FILES[command])
    .filter((file) => command === "check" || !checks().has(file))
    .sort();
}

export function tierOf(file: string): Tier {
  if (file.endsWith(".unit.ts")) return "unit";
  if (file.endsWith(".full.ts")) return "full";
  if (file.endsWith(".soak.ts")) return "soak";
  if (checks().has(file)) return "check";
  return file.startsWith("test/process/") ? "process" : "component";
}

/** A file whose first line is `// alone` runs with no other file beside it. */
export const isAlone = (file: string): boolean => /^\/\/ alone\b/.test(readFileSync(file, "utf8"));

/** Only a real process depends on the machine so much that a second try is fair. */
export const isRetried = (file: string): boolean => ["process", "full"].includes(tierOf(file));

/** @returns unit tests by the process that runs them: as many as there are CPUs, at most four, none of them without a test. */
export function shardsOf(units: readonly string[], cpus: number): string[][] {
  const count = Math.min(4, cpus, units.length);
  return Array.from({ length: count }, (_, shard) => units.filter((_, nr) => nr % count === shard));
}

/** How many files run at the same time: more than there are CPUs where most of them wait now and then, few where they are timed. */
export const concurrencyOf = (command: Command): number =>
  ({
    check: availableParallelism(),
    test: Math.min(16, availableParallelism() + 2),
    full: Math.min(4, availableParallelism() + 1),
    soak: 1,
  })[command];
