/** `drover compare`: two plans, or two load runs, as one table: before, after, and the change. */
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { parseFlags } from "../../settings/flags.ts";
import { jsonText, printableJson, printableLines } from "../../cli/terminal/printable.ts";
import { readFile } from "./files.ts";
import { columns } from "../../base/columns.ts";
import type { Fields } from "./fields.ts";
import { PLAN_VERSION } from "./print/json.ts";
import { readRun, RUN_FORMAT, type LoadRun, type RunStep } from "./run/run.ts";
import { exact, millis, num, rare, size, span } from "./print/units.ts";

/** What is compared, in the order of the rows; times in ms but for TTLs, which are in seconds. */
const ROWS = {
  workers: num,
  "connections a worker": num,
  "cache TTL": span,
  "users at once": num,
  "requests/s": exact,
  "calls to Google/min": num,
  memory: size,
  CPU: rare,
  p50: millis,
  p95: millis,
  p99: millis,
  errors: num,
  refused: num,
} as const satisfies Record<string, (value: number) => string>;

type Name = keyof typeof ROWS;
type Values = Partial<Record<Name, number>>;

export interface Side {
  readonly file: string;
  readonly values: Values;
  /** Seconds, by the table's name. */
  readonly ttls: Readonly<Record<string, number>>;
  readonly verdict: string | undefined;
}

export interface Row {
  readonly name: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

export interface ComparedRow extends Row {
  readonly shown: readonly [string, string, string];
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};
const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;
const known = (values: Readonly<Record<Name, number | undefined>>): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

function ofPlan(file: string, plan: Fields): Side {
  const inputs = fieldsOf(plan["inputs"]);
  const input = (name: string): number | undefined => numberOf(inputs[name]);
  const [load, latency] = [fieldsOf(plan["load"]), fieldsOf(plan["latencyMs"])];
  const [cpu, cpus] = [numberOf(load["cpu"]), input("place.cpus")];
  const ttls = Object.entries(fieldsOf(plan["ttls"])).flatMap(([name, ttl]) =>
    typeof ttl === "number" ? [[name, ttl] as const] : [],
  );
  return {
    file,
    ttls: Object.fromEntries(ttls),
    verdict: typeof plan["verdict"] === "string" ? plan["verdict"] : undefined,
    values: known({
      workers: input("place.workers"),
      "connections a worker": input("place.connections"),
      "cache TTL": input("upstream.ttl"),
      "users at once": input("demand.users"),
      "requests/s": numberOf(load["rate"]),
      "calls to Google/min": numberOf(load["readCalls"]),
      memory: numberOf(load["memory"]),
      CPU: cpu === undefined || cpus === undefined ? undefined : cpu / cpus,
      p50: numberOf(latency["p50"]),
      p95: numberOf(latency["p95"]),
      p99: numberOf(latency["p99"]),
      errors: undefined,
      refused: undefined,
    }),
  };
}

function ofRun(file: string, { server }: LoadRun, step: RunStep): Side {
  const { cpuSeconds, seconds, upstreamCalls, latencyMs } = step;
  const ttls = Object.entries(server?.tableTtlsMs ?? {}).map(
    ([name, ttl]) => [name, ttl / 1_000] as const,
  );
  return {
    file,
    ttls: Object.fromEntries(ttls),
    verdict: undefined,
    values: known({
      workers: server?.workers,
      "connections a worker": server?.workerConnections,
      "cache TTL": server === undefined ? undefined : server.cacheTtlMs / 1_000,
      "users at once": step.users,
      "requests/s": step.achievedPerSecond,
      "calls to Google/min":
        upstreamCalls === undefined ? undefined : (upstreamCalls * 60) / seconds,
      memory: step.rssBytes,
      CPU:
        cpuSeconds === undefined || server === undefined
          ? undefined
          : cpuSeconds / seconds / server.cpus,
      p50: latencyMs?.p50,
      p95: latencyMs?.p95,
      p99: latencyMs?.p99,
      errors: step.errors + step.timeouts,
      refused: step.refused,
    }),
  };
}

type Read = { readonly plan: Fields } | { readonly run: LoadRun };

/** @throws DroverError DROVER_E_USAGE for a file that is neither a plan nor a load run. */
function readEither(text: string, file: string): Read {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `${file} is no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const fields = fieldsOf(json);
  if (fields["format"] === RUN_FORMAT) return { run: readRun(text, file) };
  if (fields["format"] === "drover-plan" && fields["version"] !== PLAN_VERSION)
    throw new DroverError(
      "DROVER_E_USAGE",
      `${file}: version is ${JSON.stringify(fields["version"])}: expected ${PLAN_VERSION}: plan again with this drover`,
    );
  if (fields["format"] === "drover-plan" && fields["inputs"] !== undefined) return { plan: fields };
  throw new DroverError(
    "DROVER_E_USAGE",
    `${file}: expected what drover plan --json prints, or the --json file of drover load`,
  );
}

const busiest = (steps: readonly RunStep[]): RunStep | undefined =>
  steps.reduce<RunStep | undefined>(
    (most, step) => (most === undefined || step.users >= most.users ? step : most),
    undefined,
  );

/** The busiest step that both runs have: other steps would compare loads, not servers. */
function stepsOf(
  a: Read,
  b: Read,
  files: readonly [string, string],
): readonly [RunStep | undefined, RunStep | undefined] {
  const [one, two] = [a, b].map((read) => ("run" in read ? read.run.steps : undefined));
  if (one === undefined || two === undefined) return [busiest(one ?? []), busiest(two ?? [])];
  const like = (step: RunStep): RunStep | undefined =>
    two.find(
      ({ model, users, label }) =>
        model === step.model && users === step.users && label === step.label,
    );
  const common = busiest(one.filter((step) => like(step) !== undefined));
  if (common !== undefined) return [common, like(common)];
  throw new DroverError(
    "DROVER_E_USAGE",
    `${files[0]} and ${files[1]} have no step in common: run the same ladder against both`,
  );
}

/** @param texts of the two files. @throws DroverError DROVER_E_USAGE naming the file. */
export function readSides(
  texts: readonly [string, string],
  files: readonly [string, string],
): readonly [Side, Side] {
  const [a, b] = [readEither(texts[0], files[0]), readEither(texts[1], files[1])];
  const [one, two] = stepsOf(a, b, files);
  const side = (read: Read, step: RunStep | undefined, file: string): Side =>
    "plan" in read
      ? ofPlan(file, read.plan)
      : ofRun(file, read.run, step ?? (read.run.steps[0] as RunStep));
  return [side(a, one, files[0]), side(b, two, files[1])];
}

function change(before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined) return "";
  if (before === after) return "=";
  if (before === 0) return "new";
  const ratio = after / before;
  return ratio >= 2
    ? `× ${num(ratio)}`
    : `${ratio > 1 ? "+" : "−"}${num(Math.abs(ratio - 1) * 100)} %`;
}

/** Rows that at least one side knows. */
export function compared([before, after]: readonly [Side, Side]): ComparedRow[] {
  const row = (
    name: string,
    a: number | undefined,
    b: number | undefined,
    show: (value: number) => string,
  ): ComparedRow[] => {
    const text = (value: number | undefined): string => (value === undefined ? "–" : show(value));
    return a === undefined && b === undefined
      ? []
      : [{ name, before: a, after: b, shown: [text(a), text(b), change(a, b)] }];
  };
  const tables = [...new Set([...Object.keys(before.ttls), ...Object.keys(after.ttls)])];
  return (Object.keys(ROWS) as Name[]).flatMap((name) => [
    ...row(name, before.values[name], after.values[name], ROWS[name]),
    ...(name === "cache TTL"
      ? tables.flatMap((table) =>
          row(`cache ${table}`, before.ttls[table], after.ttls[table], span),
        )
      : []),
  ]);
}

export function renderComparison(sides: readonly [Side, Side]): string {
  const [before, after] = sides;
  const verdicts =
    before.verdict === undefined && after.verdict === undefined
      ? []
      : [["verdict", before.verdict ?? "–", after.verdict ?? "–", ""]];
  return columns([
    ["", "BEFORE", "AFTER", "CHANGE"],
    ["file", before.file, after.file, ""],
    ...compared(sides).map(({ name, shown }) => [name, ...shown]),
    ...verdicts,
  ]);
}

/** @throws DroverError DROVER_E_USAGE unless two files are named that can be compared. */
export function compare(argv: readonly string[]): Promise<number> {
  const { positional, own } = parseFlags(argv, [], [{ name: "json" }]);
  const [before, after, ...others] = positional;
  if (before === undefined || after === undefined || others.length > 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      "drover compare takes two files: drover compare before.json after.json",
    );
  const sides = readSides([readFile("", before), readFile("", after)], [before, after]);
  const rows = compared(sides).map(({ name, before: was, after: is }) => ({
    name,
    before: was ?? null,
    after: is ?? null,
  }));
  const json = { format: "drover-comparison", version: 1, files: [before, after], rows };
  process.stdout.write(
    own.has("json")
      ? `${jsonText(printableJson(json), 2)}\n`
      : printableLines(renderComparison(sides)),
  );
  return Promise.resolve(EXIT.done.code);
}
