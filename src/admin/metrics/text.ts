/**
 * What the text of /metrics is made of: Prometheus' exposition format 0.0.4, written straight away. A scrape of 16 workers has 1,600 lines,
 * and the master has other work: so no object is made for a line, and labels that every scrape needs again are kept as text.
 */
import type { HistogramDelta } from "../../base/histogram.ts";
import { countsBelow, type Bounds } from "./buckets.ts";

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Labels as they stand in a line: `{role="worker",slot="3"}`, or empty. */
export type LabelText = string;

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", '"': '\\"' };
/** A label's value as it may stand between quotes. */
const escaped = (text: string): string => (/[\\\n"]/.test(text) ? text.replaceAll(/[\\\n"]/g, (char) => ESCAPES[char] ?? char) : text);

export function labelText(labels: Readonly<Record<string, string>>): LabelText {
  let pairs = "";
  for (const label in labels) pairs += `${pairs === "" ? "" : ","}${label}="${escaped(labels[label] ?? "")}"`;
  return pairs === "" ? "" : `{${pairs}}`;
}

/** Twelve digits at most. What is no longer than these and a point has no more: most values, at a fifth of the price. */
function valueText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const text = String(value);
  return text.length <= 13 || Number.isInteger(value) ? text : String(Number(value.toPrecision(12)));
}

/** A line; none when there is no value. @param start all that stands before the value, the space too. */
export const lineOf = (start: string, value: number | null | undefined): string =>
  value === undefined || value === null || Number.isNaN(value) ? "" : start + valueText(value) + "\n";

export const line = (name: string, value: number | null | undefined, labels: LabelText = ""): string => lineOf(`${name}${labels} `, value);

/** One line for each word, 1 for the one that holds. */
export function oneOf(name: string, labels: ReadonlyMap<string, LabelText>, is: string): string {
  let text = "";
  for (const [word, label] of labels) text += line(name, word === is ? 1 : 0, label);
  return text;
}

/** The labels of a family of words that are known beforehand. */
export const labelsOf = (label: string, words: readonly string[]): ReadonlyMap<string, LabelText> =>
  new Map(words.map((word) => [word, labelText({ [label]: word })]));

/**
 * A histogram's lines. Ours is finer than the buckets: what falls into a bucket of ours that a bound cuts through counts as beyond it, so a
 * bound is off by at most a sixteenth; the sum is made of the middles of ours and is off by at most 1/32.
 */
export function histogram(name: string, counts: HistogramDelta | undefined, bounds: Bounds, labels: LabelText = ""): string {
  if (counts === undefined) return "";
  const { below, count, sum } = countsBelow(counts, bounds);
  const bucket = `${name}_bucket${labels === "" ? "{" : `${labels.slice(0, -1)},`}le="`;
  let text = "";
  let all = 0;
  for (const [i, bound] of bounds.texts.entries()) {
    all += below[i] ?? 0;
    text += line(bucket, all, `${bound}"}`);
  }
  return text + line(bucket, count, '+Inf"}') + line(`${name}_sum`, Number(sum.toFixed(6)), labels) + line(`${name}_count`, count, labels);
}
