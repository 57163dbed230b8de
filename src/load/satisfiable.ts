/** Thresholds that can never hold, that can never fail, and that can never hold together: slips of the pen, told before anybody is sent. */
import { compares, METRICS, type Operator, type Threshold } from "./metrics.ts";

/** What a metric can be: from `least` to `most`. */
interface Range {
  readonly least: number;
  readonly most: number;
  /** Only whole numbers. */
  readonly whole: boolean;
}

function rangeOf({ metric, statistic }: Threshold): Range {
  const { kind } = METRICS[metric];
  // Pages that processes share count in each one's RSS.
  const most = metric === "target_cpu" ? 100 : metric === "http_req_failed" || metric === "http_req_shed" ? 1 : Infinity;
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

/** @returns why nobody should judge by it, or undefined. */
export function whyPointless(threshold: Threshold): string | undefined {
  const { metric, operator, limit } = threshold;
  if (!Number.isFinite(limit)) return "expected a number that can be counted to";
  const range = rangeOf(threshold);
  const span = `${metric} is ${range.whole ? "a whole number " : ""}from 0 to ${range.most === Infinity ? "any number" : range.most}`;
  if (!canHold(threshold, range)) return `it can never hold: ${span}`;
  if (!canHold({ operator: OPPOSITE[operator], limit }, range)) return `it can never fail: ${span}`;
  return undefined;
}

/** What a threshold is about: two of one subject are judged by one number. */
function subjectOf({ metric, endpoint = "", statistic }: Threshold): string {
  const told = statistic === "med" ? { p: 50 } : METRICS[metric].kind === "count" ? "count" : statistic;
  return JSON.stringify([metric, endpoint, told]);
}

/** Between limits that stand side by side nothing changes: who tries each of them, and once between them, has tried all. */
function worthTrying(limits: readonly number[], { least, most, whole }: Range): readonly number[] {
  const ends = [least, ...limits, ...(most === Infinity ? [Math.max(...limits) + 1] : [most])].toSorted((a, b) => a - b);
  const all = whole ? ends.flatMap((end) => [Math.floor(end) - 1, Math.floor(end), Math.floor(end) + 1, Math.floor(end) + 2]) : ends;
  const between = whole ? [] : ends.map((end, i) => (end + (ends[i + 1] ?? end)) / 2);
  return [...all, ...between].filter((value) => value >= least && value <= most);
}

/** @returns those of one subject that no value satisfies together. */
export function contradiction(thresholds: readonly Threshold[]): readonly Threshold[] | undefined {
  return [...Map.groupBy(thresholds, subjectOf).values()].find((all) => {
    const [first] = all;
    if (first === undefined) return false;
    const values = worthTrying(
      all.map(({ limit }) => limit),
      rangeOf(first),
    );
    return !values.some((value) => all.every((threshold) => compares(value, threshold)));
  });
}
