/** What a run counts and measures, and what may be demanded of it. */

export type Kind = "trend" | "rate" | "count" | "gauge";

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
export type Operator = (typeof OPERATORS)[number];

export interface Threshold {
  /** As it was written, blanks left out. */
  readonly text: string;
  readonly metric: Metric;
  /** Of this endpoint alone. */
  readonly endpoint?: string;
  readonly statistic: Statistic;
  readonly operator: Operator;
  readonly limit: number;
  /** drover's own: the user has not named it. */
  readonly usual?: true;
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

/** What one threshold came to. `value` undefined: there was nothing to judge by. */
export interface Judgement {
  readonly threshold: Threshold;
  readonly value: number | undefined;
  readonly holds: boolean;
}
