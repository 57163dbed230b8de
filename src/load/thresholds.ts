/**
 * What must hold, in the syntax of k6 (https://grafana.com/docs/k6/latest/using-k6/thresholds/): `http_req_duration: p(95)<500`,
 * `http_req_duration{endpoint:login}: p(95)<300`, `http_req_failed: rate<0.01`; and for counts and gauges without a statistic:
 * `timeouts==0`, `target_cpu<80`. `login:p95<500` is short for the 95th percentile of the endpoint login. Each is evaluated for each step. No eval:
 * a small grammar.
 */
import { DroverError } from "../base/errors.ts";
import { METRICS, type Kind, type Metric, type Operator, type Statistic, type Threshold } from "./metrics.ts";
import { whyPointless } from "./satisfiable.ts";

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
  const { metric: name, tag, value, statistic, operator, limit } = splitStatistic(GRAMMAR.exec(spelledOut(close))?.groups ?? {});
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
  const why = whyPointless(made);
  if (why !== undefined) throw usage(text, why);
  return made;
}

/** `p95<500` and `login:p95<500` in k6's notation. What has a `_` is meant as a metric, and no endpoint. */
function spelledOut(text: string): string {
  const [, name, p, rest] = /^(?:([^:{}<>=!]+|[a-z_]+\{[^}]*\}):)?p\(?(\d+(?:\.\d+)?)\)?([<>=!].*)$/.exec(text) ?? [];
  if (p === undefined) return text;
  const endpoint = name !== undefined && !/[_{]/.test(name) && !Object.hasOwn(METRICS, name);
  return `${name === undefined ? "" : endpoint ? `http_req_duration{endpoint:${name}}:` : `${name}:`}p(${p})${rest}`;
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
].map((text) => ({ ...parseThreshold(text), usual: true }));

/** One thing counted in two ways. */
const SAME: Partial<Record<Metric, Metric>> = { shed: "http_req_shed" };

/** A metric that is named has only the thresholds that are named for it; the others keep the usual ones. */
export const withUsual = (named: readonly Threshold[]): readonly Threshold[] => [
  ...named,
  ...USUAL.filter((usual) => !named.some(({ metric, endpoint }) => endpoint === undefined && (SAME[metric] ?? metric) === usual.metric)),
];
