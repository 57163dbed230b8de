/** What is wrong with a tables file, each with its place (a JSON pointer), its value and what was expected. */
import { nearest } from "../settings/nearest.ts";

export type Fields = Readonly<Record<string, unknown>>;
export const isRecord = (v: unknown): v is Fields => typeof v === "object" && v !== null && !Array.isArray(v);

/** A value, cut to fit a line. */
export const show = (v: unknown): string => {
  const text = JSON.stringify(v) ?? String(v);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};

/** One step of a JSON pointer (RFC 6901 §3). */
export const step = (key: string): string => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** Collects everything that is wrong, so that one run of `drover check` names it all. */
export class Problems {
  readonly lines: string[] = [];
  add(pointer: string, value: unknown, expected: string): void {
    this.lines.push(`${pointer === "" ? "/" : pointer} is ${show(value)}: expected ${expected}`);
  }
  unknown(pointer: string, key: string, known: readonly string[]): void {
    const meant = nearest(key, known);
    this.lines.push(
      `${pointer}${step(key)} is not known: ${meant === undefined ? `expected one of ${known.join(", ")}` : `did you mean "${meant}"?`}`,
    );
  }
}
