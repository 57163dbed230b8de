/** One step of a load run, read from its JSON. */
import type { Reader } from "../fields.ts";
import type { RunLatency, RunStep } from "./run.ts";

/** One machine opens no more connections than this. */
const MOST_USERS = 1_000_000;
/** A step that claims another rate than its own counts and duration give is damaged; rounding and a cut last second are not. */
const SLACK = 0.1;
/** `drover load` names what writes so: `write TABLE` by itself, in a profile by method and path. */
const WRITES = /^(?:write|POST|PUT|PATCH|DELETE) /;

/** @throws DroverError naming the place, the value and what was expected. */
export function readStep(at: Reader): RunStep {
  const step: RunStep = {
    label: at.text("label"),
    model: at.word("model", ["closed", "open"]),
    users: at.whole("users", 1, MOST_USERS),
    thinkMs: at.number("thinkMs", 0),
    offeredPerSecond: at.number("offeredPerSecond", 0),
    achievedPerSecond: at.number("achievedPerSecond", 0),
    seconds: at.number("seconds", 0.001),
    requests: at.whole("requests", 0),
    ...readLatency(at),
    errors: at.whole("errors", 0),
    timeouts: at.whole("timeouts", 0),
    refused: at.whole("refused", 0),
    valid: at.flag("valid"),
    ...at.maybe("cpuSeconds", 0),
    ...at.maybe("rssBytes", 0),
    ...at.maybe("hitRatio", 0, 1),
    ...at.maybe("upstreamCalls", 0),
  };
  checkRate(at, step);
  const bad = step.errors + step.timeouts + step.refused;
  if (bad > step.requests)
    at.fail("errors", bad, `with timeouts and refused at most the ${step.requests} requests`);
  return { ...step, ...readWrites(at, step) };
}

/** A step without a good answer has no percentiles: they are left out one by one, or with the whole object. */
function readLatency(step: Reader): Pick<RunStep, "latencyMs"> {
  if (!step.has("latencyMs")) return {};
  const at = step.child("latencyMs");
  if (!["p50", "p95", "p99"].some((name) => at.has(name))) return {};
  const latencyMs: RunLatency = {
    p50: at.number("p50", 0),
    p95: at.number("p95", 0),
    p99: at.number("p99", 0),
    max: at.number("max", 0),
  };
  const { p50, p95, p99, max } = latencyMs;
  if (!(p50 <= p95 && p95 <= p99 && p99 <= max)) at.fail("", latencyMs, "p50 ≤ p95 ≤ p99 ≤ max");
  return { latencyMs };
}

/** Answers that came when the time was over are in no rate, so that there is no least. Those to requests from before it may be in it. */
function checkRate(at: Reader, { achievedPerSecond, users, seconds, requests }: RunStep): void {
  const most = (requests / seconds) * (1 + SLACK) + (1 + users) / seconds;
  if (achievedPerSecond <= most) return;
  at.fail(
    "achievedPerSecond",
    achievedPerSecond,
    `at most ${most.toFixed(1)}: ${requests} requests in ${seconds} s`,
  );
}

/** As the step says, or else as its endpoints' names tell. */
function readWrites(at: Reader, { requests }: RunStep): Pick<RunStep, "writes"> {
  if (at.has("writes")) return { writes: at.whole("writes", 0, requests) };
  const endpoints = at.entries("endpoints");
  if (endpoints.length === 0) return {};
  const counted = endpoints
    .filter(([name]) => WRITES.test(name))
    .flatMap(([, { answered, failed, refused }]) => [answered, failed, refused])
    .reduce<number>((sum, value) => sum + (typeof value === "number" && value > 0 ? value : 0), 0);
  return { writes: Math.min(requests, Math.round(counted)) };
}
