/** Figures as the pages show them. */
import type { Round } from "../measure.ts";
import type { Results, Scenario } from "../results.ts";
import type { StackName } from "../stack.ts";

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const at = (i: number): number => sorted[i] ?? Number.NaN;
  return sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
}

/** Three digits that mean something, and all before the point. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  const digits = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return Number(value.toFixed(digits)).toLocaleString("en-US");
}

/** Median and spread; one round has no spread. */
export function spread(values: readonly number[], unit = ""): string {
  if (values.length === 0) return "—";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${short(median(values))}${unit}${values.length > 1 ? ` (${short(low)}–${short(high)})` : ""}`;
}

export const of = (rounds: readonly Round[] | undefined, key: keyof Round): number[] => (rounds ?? []).map((round) => round[key]);
export const total = (rounds: readonly Round[] | undefined, key: keyof Round): number => of(rounds, key).reduce((a, b) => a + b, 0);

/** Round by round, so that the machine's mood falls on both. */
export function ratios(a: readonly Round[] | undefined, b: readonly Round[] | undefined, key: keyof Round): number[] {
  const others = b ?? [];
  return (a ?? []).flatMap((round, i) => {
    const other = others[i];
    return other === undefined || other[key] === 0 ? [] : [round[key] / other[key]];
  });
}

export const scenario = (results: Results, key: string): Scenario | undefined => results.throughput.find((one) => one.key === key);
export const rounds = (results: Results, key: string, stack: StackName): readonly Round[] | undefined =>
  scenario(results, key)?.rounds[stack];

/** A Markdown table. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [`| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");

export const seconds = (value: number | null): string => (value === null ? "—" : `${short(value)} s`);
export const sentence = (parts: readonly (string | undefined)[]): string => parts.filter((part) => part !== undefined).join(" ");
