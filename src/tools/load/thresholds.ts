/**
 * Thresholds in the notation of k6 (https://grafana.com/docs/k6/latest/using-k6/thresholds/):
 * `http_req_duration: p(95)<500`, `http_req_duration{endpoint:login}: p(95)<300`,
 * `http_req_failed: rate<0.01`; counts and gauges need no statistic: `timeouts==0`,
 * `target_cpu<80`. `login:p95<500` is short for the 95th percentile of the endpoint login.
 */
import { DroverError } from "../../base/errors.ts";

type Kind = "trend" | "rate" | "count" | "gauge";

/** `most`: the largest possible value. */
const METRICS = {
  /** ms from when a request was due until its answer was read whole; good answers only. */
  http_req_duration: { kind: "trend", most: Infinity },
  /** Errors and timeouts among the requests. */
  http_req_failed: { kind: "rate", most: 1 },
  /** Requests: rate is per second, count is all. */
  http_reqs: { kind: "rate", most: Infinity },
  /** Status 400 and above that is no deliberate refusal, redirects, broken connections. */
  errors: { kind: "count", most: Infinity },
  /** 503 without X-Drover-Refused; errors, too. */
  unexpected_503: { kind: "count", most: Infinity },
  timeouts: { kind: "count", most: Infinity },
  /** Deliberate refusals (503 and 429 with X-Drover-Refused) among the requests. */
  http_req_shed: { kind: "rate", most: 1 },
  shed: { kind: "count", most: Infinity },
  /** Per cent of the machine's CPUs that the target uses. */
  target_cpu: { kind: "gauge", most: 100 },
  /** Per cent of the machine's memory; shared pages count for each process. */
  target_rss: { kind: "gauge", most: Infinity },
} as const satisfies Record<string, { kind: Kind; most: number }>;
export type Metric = keyof typeof METRICS;

const OPERATORS = {
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
  "==": (value, limit) => value === limit,
  "===": (value, limit) => value === limit,
  "!=": (value, limit) => value !== limit,
} as const satisfies Record<string, (value: number, limit: number) => boolean>;

export type Statistic =
  | "value"
  | "count"
  | "rate"
  | "avg"
  | "min"
  | "med"
  | "max"
  | { readonly p: number };

export interface Threshold {
  /** As it was written, without blanks. */
  readonly text: string;
  readonly metric: Metric;
  /** Undefined: all requests. */
  readonly endpoint?: string;
  readonly statistic: Statistic;
  readonly operator: keyof typeof OPERATORS;
  readonly limit: number;
  /** A default, which the user has not named. */
  readonly usual?: true;
}

export const holds = (value: number, { operator, limit }: Threshold): boolean =>
  OPERATORS[operator](value, limit);

/** CPU or memory of the target's machine. */
export const isOfTarget = ({ metric }: Pick<Threshold, "metric">): boolean =>
  METRICS[metric].kind === "gauge";

const usage = (text: string, why: string): DroverError =>
  new DroverError("DROVER_E_USAGE", `threshold "${text.slice(0, 100)}": ${why}`);

const GRAMMAR =
  /^(?:(?<metric>[a-z_0-9]+)(?:\{(?<tag>[a-z]+):(?<value>[^}]*)\})?:?)?(?<statistic>p\(\d+(?:\.\d+)?\)|avg|min|med|max|rate|count|value)?(?<operator><=|>=|===?|!=|<|>)(?<limit>-?\d+(?:\.\d+)?(?:e-?\d+)?)$/;

/** @throws DroverError DROVER_E_USAGE for an unknown notation, and for what can never hold or fail. */
export function parseThreshold(written: string): Threshold {
  const text = written.replaceAll(/\s+/g, "");
  const groups = splitStatistic(GRAMMAR.exec(spelledOut(text))?.groups ?? {});
  const { metric: name = "http_req_duration", tag, value, statistic, operator, limit } = groups;
  if (operator === undefined)
    throw usage(
      written,
      'expected METRIC: STATISTIC OPERATOR NUMBER, such as "http_req_duration: p(95)<500" or "timeouts==0"',
    );
  if (!isMetric(name)) {
    const known = Object.keys(METRICS).join(", ");
    throw usage(written, `no metric is called ${name}: expected one of ${known}`);
  }
  if (tag !== undefined && (tag !== "endpoint" || value === ""))
    throw usage(written, `expected {endpoint:NAME}, not {${tag}:${value ?? ""}}`);
  if (tag !== undefined && name !== "http_req_duration" && name !== "http_req_failed")
    throw usage(written, `${name} is not counted for each endpoint`);
  const threshold: Threshold = {
    text,
    metric: name,
    ...(value === undefined ? {} : { endpoint: value }),
    statistic: statisticOf(written, name, statistic),
    operator: operator as Threshold["operator"],
    limit: Number(limit),
  };
  const why = whyPointless(threshold);
  if (why !== undefined) throw usage(written, why);
  return threshold;
}

const isMetric = (name: string): name is Metric => Object.hasOwn(METRICS, name);

/** `p95<500` and `login:p95<500` in k6's notation. A name with `_` is a metric, not an endpoint. */
function spelledOut(text: string): string {
  const [, name, p, rest] =
    /^(?:([^:{}<>=!]+|[a-z_]+\{[^}]*\}):)?p\(?(\d+(?:\.\d+)?)\)?([<>=!].*)$/.exec(text) ?? [];
  if (p === undefined) return text;
  if (name === undefined) return `p(${p})${rest}`;
  const isEndpoint = !/[_{]/.test(name) && !isMetric(name);
  return `${isEndpoint ? `http_req_duration{endpoint:${name}}` : name}:p(${p})${rest}`;
}

/** In `avg<5` the grammar's first group takes the statistic for a metric. */
function splitStatistic(groups: Record<string, string | undefined>): typeof groups {
  const { metric, statistic } = groups;
  const isAlone = statistic === undefined && /^(?:avg|min|med|max)$/.test(metric ?? "");
  return isAlone ? { ...groups, metric: undefined, statistic: metric } : groups;
}

const STATISTICS: Readonly<Record<Kind, readonly string[]>> = {
  trend: ["avg", "min", "med", "max"],
  rate: ["rate"],
  count: ["count", "value"],
  gauge: ["value"],
};

function statisticOf(text: string, metric: Metric, written: string | undefined): Statistic {
  const { kind } = METRICS[metric];
  if (written === undefined) {
    if (kind === "trend")
      throw usage(text, `${metric} needs a statistic: p(95), avg, min, med or max`);
    return kind === "gauge" ? "value" : kind;
  }
  const p = /^p\((.*)\)$/.exec(written)?.[1];
  if (p !== undefined && kind === "trend") {
    if (Number(p) > 100) throw usage(text, `there is no ${p}th percentile: expected 0 to 100`);
    return { p: Number(p) };
  }
  const known = metric === "http_reqs" ? ["rate", "count"] : STATISTICS[kind];
  if (p === undefined && known.includes(written)) return written as Statistic;
  const also = kind === "trend" ? "p(N), " : "";
  throw usage(text, `${metric} has no ${written}: expected ${also}${known.join(" or ")}`);
}

/** Evaluates the threshold at the ends of the metric's range, at the limit and around it. */
function whyPointless(threshold: Threshold): string | undefined {
  const { metric, statistic, limit } = threshold;
  if (!Number.isFinite(limit)) return "expected a finite number";
  const { kind, most } = METRICS[metric];
  const isWhole = kind === "count" || statistic === "count";
  const least = kind === "trend" ? Number.MIN_VALUE : 0; // an answer takes some time
  const far = Math.min(most, Math.max(limit, least) + 2);
  const near = isWhole
    ? [-1, 0, 1].map((by) => Math.floor(limit) + by)
    : [(least + limit) / 2, limit];
  const values = [least, ...near, (limit + far) / 2, isWhole ? Math.floor(far) : far].filter(
    (value) => value >= least && value <= most && (!isWhole || Number.isInteger(value)),
  );
  const results = values.map((value) => holds(value, threshold));
  const range = `${metric} is ${isWhole ? "a whole number " : ""}from 0 to ${most === Infinity ? "any number" : most}`;
  if (!results.includes(true)) return `it can never hold: ${range}`;
  return results.includes(false) ? undefined : `it can never fail: ${range}`;
}

/** The default pass criteria. A refused user is not served: 1 % of refusals fails a step. */
export const USUAL: readonly Threshold[] = [
  "http_req_duration: p(95)<500",
  "unexpected_503==0",
  "timeouts==0",
  "errors==0",
  "http_req_shed: rate<0.01",
  "target_cpu<80",
  "target_rss<50",
].map((text) => ({ ...parseThreshold(text), usual: true }));

/** A named metric replaces its default; one of an endpoint does not. */
export const withUsual = (named: readonly Threshold[]): readonly Threshold[] => {
  const replaced = new Set<Metric>(
    named
      .filter(({ endpoint }) => endpoint === undefined)
      .map(({ metric }) => (metric === "shed" ? "http_req_shed" : metric)),
  );
  return [...named, ...USUAL.filter(({ metric }) => !replaced.has(metric))];
};
