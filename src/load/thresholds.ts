/**
 * What must hold, in the syntax of k6 (https://grafana.com/docs/k6/latest/using-k6/thresholds/): `http_req_duration: p(95)<500`,
 * `http_req_duration{endpoint:login}: p(95)<300`, `http_req_failed: rate<0.01`; and for counts and gauges without a statistic:
 * `timeouts==0`, `target_cpu<80`. Each is judged for each step. No eval: a small grammar.
 */
import { DroverError } from "../base/errors.ts";

type Kind = "trend" | "rate" | "count" | "gauge";

/** Every metric, and what it says. Times are in milliseconds, gauges in per cent. */
export const METRICS = {
  http_req_duration: { kind: "trend", means: "ms from when a request was to be sent until its answer was read whole; good answers only" },
  http_req_failed: { kind: "rate", means: "errors and timeouts among the requests, 0 to 1" },
  http_reqs: { kind: "rate", means: "requests: rate is a second, count is all" },
  errors: { kind: "count", means: "answers from 400 on that are no deliberate refusals, redirects, broken connections" },
  unexpected_503: { kind: "count", means: "503 without X-Drover-Refused; they are errors, too" },
  timeouts: { kind: "count", means: "no answer within --patience" },
  http_req_shed: { kind: "rate", means: "deliberate refusals among the requests, 0 to 1" },
  shed: { kind: "count", means: "deliberate refusals: 503 and 429 with X-Drover-Refused" },
  target_cpu: { kind: "gauge", means: "per cent of the machine's CPUs that the server's processes burnt" },
  target_rss: { kind: "gauge", means: "per cent of the machine's memory that they held at most" },
} as const satisfies Record<string, { kind: Kind; means: string }>;
export type Metric = keyof typeof METRICS;

export type Statistic = "value" | "count" | "rate" | "avg" | "min" | "med" | "max" | { readonly p: number };
const OPERATORS = ["<=", ">=", "===", "==", "!=", "<", ">"] as const;
type Operator = (typeof OPERATORS)[number];

export interface Threshold {
  /** As it was written, blanks left out. */
  readonly text: string;
  readonly metric: Metric;
  /** Of this endpoint alone. */
  readonly endpoint?: string;
  readonly statistic: Statistic;
  readonly operator: Operator;
  readonly limit: number;
}

const STATISTICS: Readonly<Record<Kind, readonly string[]>> = {
  trend: ["avg", "min", "med", "max"],
  rate: ["rate"],
  count: ["count", "value"],
  gauge: ["value"],
};

const usage = (text: string, why: string): DroverError => new DroverError("DROVER_E_USAGE", `threshold "${text.slice(0, 100)}": ${why}`);
const GRAMMAR =
  /^(?:(?<metric>[a-z_0-9]+)(?:\{(?<tag>[a-z]+):(?<value>[^}]*)\})?:?)?(?<statistic>p\(\d+(?:\.\d+)?\)|avg|min|med|max|rate|count|value)?(?<operator><=|>=|===?|!=|<|>)(?<limit>-?\d+(?:\.\d+)?(?:e-?\d+)?)$/;

/** @throws DroverError DROVER_E_USAGE for what can't be read, and for what can never hold or never fail. */
export function parseThreshold(text: string): Threshold {
  const close = text.replaceAll(/\s+/g, "");
  const { metric: name, tag, value, statistic, operator, limit } = splitStatistic(GRAMMAR.exec(close)?.groups ?? {});
  if (operator === undefined)
    throw usage(text, 'expected METRIC: STATISTIC OPERATOR NUMBER, such as "http_req_duration: p(95)<500" or "timeouts==0"');
  const metric = name ?? "http_req_duration";
  if (!Object.hasOwn(METRICS, metric))
    throw usage(text, `no metric is called ${metric}: expected one of ${Object.keys(METRICS).join(", ")}`);
  if (tag !== undefined && (tag !== "endpoint" || value === "")) throw usage(text, `expected {endpoint:NAME}, not {${tag}:${value ?? ""}}`);
  const known = metric as Metric;
  if (tag !== undefined && known !== "http_req_duration" && known !== "http_req_failed")
    throw usage(text, `${metric} is not counted for each endpoint`);
  const made: Threshold = {
    text: close,
    metric: known,
    ...(value === undefined ? {} : { endpoint: value }),
    statistic: statisticOf(text, known, statistic),
    operator: operator as Operator,
    limit: Number(limit),
  };
  possible(made, text);
  return made;
}

/** `count>5` alone is a statistic without a metric; `rate<0.1` too: the grammar's first group takes any word. */
function splitStatistic(groups: Record<string, string | undefined>): Record<string, string | undefined> {
  const { metric, statistic } = groups;
  const alone = metric !== undefined && statistic === undefined && /^(?:avg|min|med|max)$/.test(metric);
  return alone ? { ...groups, metric: undefined, statistic: metric } : groups;
}

function statisticOf(text: string, metric: Metric, written: string | undefined): Statistic {
  const { kind } = METRICS[metric];
  if (written === undefined) {
    if (kind === "trend") throw usage(text, `${metric} needs a statistic: p(95), avg, min, med or max`);
    return kind === "rate" ? "rate" : kind === "count" ? "count" : "value";
  }
  const p = /^p\((.*)\)$/.exec(written)?.[1];
  if (p !== undefined && kind === "trend") {
    if (Number(p) > 100) throw usage(text, `there is no ${p}th percentile: expected 0 to 100`);
    return { p: Number(p) };
  }
  const known = metric === "http_reqs" ? ["rate", "count"] : STATISTICS[kind];
  if (p !== undefined || !known.includes(written))
    throw usage(text, `${metric} has no ${written}: expected ${kind === "trend" ? "p(N), " : ""}${known.join(" or ")}`);
  return written as Statistic;
}

/** What a metric can be: from `least` to `most`. */
interface Range {
  readonly least: number;
  readonly most: number;
  /** Only whole numbers. */
  readonly whole: boolean;
}

function rangeOf({ metric, statistic }: Threshold): Range {
  const { kind } = METRICS[metric];
  const most = kind === "gauge" ? 100 : metric === "http_req_failed" || metric === "http_req_shed" ? 1 : Infinity;
  // An answer takes some time.
  return { least: kind === "trend" ? Number.MIN_VALUE : 0, most, whole: kind === "count" || statistic === "count" };
}

function canBe(limit: number, { least, most, whole }: Range): boolean {
  return limit >= least && limit <= most && limit !== Infinity && (!whole || Number.isInteger(limit));
}

/** Whether some value within the range holds. */
function canHold({ operator, limit }: Pick<Threshold, "operator" | "limit">, range: Range): boolean {
  switch (operator) {
    case "<":
      return range.least < limit;
    case "<=":
      return range.least <= limit;
    case ">":
      return range.most > limit;
    case ">=":
      return range.most >= limit;
    case "==":
    case "===":
      return canBe(limit, range);
    case "!=":
      return true;
    default:
      return operator satisfies never;
  }
}

const OPPOSITE = { "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "===": "!=", "!=": "==" } as const satisfies Record<
  Operator,
  Operator
>;

function possible(threshold: Threshold, text: string): void {
  const { metric, operator, limit } = threshold;
  if (!Number.isFinite(limit)) throw usage(text, "expected a number that can be counted to");
  const range = rangeOf(threshold);
  const span = `${metric} is ${range.whole ? "a whole number " : ""}from 0 to ${range.most === Infinity ? "any number" : range.most}`;
  if (!canHold(threshold, range)) throw usage(text, `it can never hold: ${span}`);
  if (!canHold({ operator: OPPOSITE[operator], limit }, range)) throw usage(text, `it can never fail: ${span}`);
}

export function compares(value: number, { operator, limit }: Pick<Threshold, "operator" | "limit">): boolean {
  switch (operator) {
    case "<":
      return value < limit;
    case "<=":
      return value <= limit;
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
    case "==":
    case "===":
      return value === limit;
    case "!=":
      return value !== limit;
    default:
      return operator satisfies never;
  }
}

/**
 * The pass criteria of those who asked for all this: answers in less than 500 ms, no 503, no timeout, CPU below 80 %, RAM below 50 %. And who is
 * refused is not served: a service that refuses one in a hundred does not hold that many.
 */
export const USUAL: readonly Threshold[] = [
  "http_req_duration: p(95)<500",
  "unexpected_503==0",
  "timeouts==0",
  "errors==0",
  "http_req_shed: rate<0.01",
  "target_cpu<80",
  "target_rss<50",
].map(parseThreshold);

/** One thing counted in two ways. */
const SAME: Partial<Record<Metric, Metric>> = { shed: "http_req_shed" };

/** A metric that is named has only the thresholds that are named for it; the others keep the usual ones. */
export const withUsual = (named: readonly Threshold[]): readonly Threshold[] => [
  ...named,
  ...USUAL.filter((usual) => !named.some(({ metric, endpoint }) => endpoint === undefined && (SAME[metric] ?? metric) === usual.metric)),
];

/** What one threshold came to. `value` undefined: there was nothing to judge by. */
export interface Judgement {
  readonly threshold: Threshold;
  readonly value: number | undefined;
  readonly holds: boolean;
}
