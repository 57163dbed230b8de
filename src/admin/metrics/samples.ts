/** What one metric's lines are made of, and the metrics' text: Prometheus' exposition format 0.0.4. */
import { middleOf, upperBound, type HistogramDelta } from "../../base/histogram.ts";
import { METRICS, type MetricName } from "./table.ts";

export type Labels = Readonly<Record<string, string>>;

/** One line. `suffix` is a histogram's: `_bucket`, `_sum`, `_count`. */
export interface Sample {
  readonly name: MetricName;
  readonly value: number;
  readonly labels?: Labels | undefined;
  readonly suffix?: string;
}

/** A line; none when there is no value. */
export function sample(name: MetricName, value: number | null | undefined, labels?: Labels): readonly Sample[] {
  return value === undefined || value === null || Number.isNaN(value) ? [] : [{ name, value, labels }];
}

/** One line for each word, 1 for the one that holds. */
export const oneOf = (name: MetricName, label: string, words: readonly string[], is: string): readonly Sample[] =>
  words.flatMap((word) => sample(name, word === is ? 1 : 0, { [label]: word }));

/** Seconds: from what stands ready in memory to what a client gives up on. */
export const REQUEST_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const;
/** prom-client's for garbage collection. */
export const PAUSE_BUCKETS = [0.001, 0.01, 0.1, 1, 2, 5] as const;
export const SHEET_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 86_400] as const;

/**
 * A histogram's lines. Ours is finer than the buckets: what falls into a bucket of ours that a bound cuts through counts as beyond it, so a
 * bound is off by at most a sixteenth; the sum is made of the middles of ours and is off by at most 1/32.
 */
export function histogram(
  name: MetricName,
  counts: HistogramDelta | undefined,
  bounds: readonly number[],
  labels: Labels = {},
): readonly Sample[] {
  if (counts === undefined) return [];
  const below = bounds.map(() => 0);
  let [count, sum] = [0, 0];
  for (const [bucket, n] of counts) {
    count += n;
    sum += (middleOf(bucket) / 1_000) * n;
    const first = bounds.findIndex((bound) => upperBound(bucket) <= bound * 1e6);
    if (first >= 0) below[first] = (below[first] ?? 0) + n;
  }
  let all = 0;
  const buckets = bounds.map((bound, i): Sample => {
    all += below[i] ?? 0;
    return { name, suffix: "_bucket", value: all, labels: { ...labels, le: String(bound) } };
  });
  return [
    ...buckets,
    { name, suffix: "_bucket", value: count, labels: { ...labels, le: "+Inf" } },
    { name, suffix: "_sum", value: Number(sum.toFixed(6)), labels },
    { name, suffix: "_count", value: count, labels },
  ];
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", '"': '\\"' };
/** A label's value as it may stand between quotes. */
const escaped = (text: string): string => (/[\\\n"]/.test(text) ? text.replaceAll(/[\\\n"]/g, (char) => ESCAPES[char] ?? char) : text);

const valueText = (value: number): string =>
  Number.isInteger(value) ? String(value) : Number.isFinite(value) ? String(Number(value.toPrecision(12))) : value > 0 ? "+Inf" : "-Inf";

/** Lines of one process share their labels: a scrape has thousands of lines, and few that differ in these. */
const texts = new WeakMap<Labels, string>();

function labelText(labels: Labels): string {
  const known = texts.get(labels);
  if (known !== undefined) return known;
  let pairs = "";
  for (const label in labels) pairs += `${pairs === "" ? "" : ","}${label}="${escaped(labels[label] ?? "")}"`;
  const text = pairs === "" ? "" : `{${pairs}}`;
  texts.set(labels, text);
  return text;
}

const line = ({ name, suffix = "", labels, value }: Sample): string =>
  `${name}${suffix}${labels === undefined ? "" : labelText(labels)} ${valueText(value)}\n`;

/** Lines of one metric together, under its help and type; metrics without a line are left out. */
export function exposition(samples: readonly Sample[]): string {
  const lines = new Map<MetricName, string>();
  for (const one of samples) lines.set(one.name, (lines.get(one.name) ?? "") + line(one));
  return METRICS.map(({ name, help, type }) => {
    const text = lines.get(name);
    return text === undefined ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${text}`;
  }).join("");
}

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
