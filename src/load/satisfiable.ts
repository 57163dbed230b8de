/** Thresholds that can never hold or never fail are refused before the run. */
import { METRICS, type Operator, type Threshold } from "./metrics.ts";

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

/** @returns why the threshold is refused, or undefined. */
export function whyPointless(threshold: Threshold): string | undefined {
  const { metric, operator, limit } = threshold;
  if (!Number.isFinite(limit)) return "expected a number that can be counted to";
  const range = rangeOf(threshold);
  const span = `${metric} is ${range.whole ? "a whole number " : ""}from 0 to ${range.most === Infinity ? "any number" : range.most}`;
  if (!canHold(threshold, range)) return `it can never hold: ${span}`;
  if (!canHold({ operator: OPPOSITE[operator], limit }, range)) return `it can never fail: ${span}`;
  return undefined;
}
