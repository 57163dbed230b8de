/** `drover plan`: what a number of users asks of a machine. (`plan.ts` is what a generation of children runs with.) */
import { stripVTControlCharacters } from "node:util";
import { DroverError } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { tellsIdle } from "./run/calibrate.ts";
import { forecast, wantedBy, type Forecast } from "./model/forecast.ts";
import { nextStep } from "./model/next.ts";
import { WHAT } from "./model/presets.ts";
import { billsOf, cheapest, machineOf, type Bill } from "./prices.ts";
import { render, type Answer } from "./print/render.ts";
import { renderCosts, renderTiers } from "./print/render-tiers.ts";
import { renderVerification } from "./print/render-verify.ts";
import { PLAN_VERSION, planJson, tiersJson, verifyJson } from "./print/json.ts";
import { lint, readRun, usable, type LoadRun } from "./run/run.ts";
import { tiers } from "./model/tiers.ts";
import { fitRows, judgedRows, readTable, renderUsl } from "./usl-table.ts";
import { fitOf } from "./model/usl.ts";
import { placed, verify } from "./run/verify.ts";
import type { PlanInput } from "./model/types.ts";
import { COMMANDS } from "../../cli/commands.ts";
import { extras } from "./extras.ts";
import { pricesOf, readFile } from "./files.ts";
import { changesPreset, planInput, readAsked, type Asked } from "./input.ts";
import { jsonText, printableJson } from "../../cli/terminal/printable.ts";

const runOf = (flag: string, file: string | undefined): LoadRun | undefined =>
  file === undefined ? undefined : readRun(readFile(`--${flag} `, file), file);

/** Names in a run's file are foreign input: only text, spaces and line ends reach the terminal. */
const print = (text: string): void =>
  void process.stdout.write(
    stripVTControlCharacters(text).replaceAll(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu, "?"),
  );
const printJson = (value: unknown): void =>
  void process.stdout.write(`${jsonText(printableJson(value), 2)}\n`);

const MEASURE = "load";
const measureWith = (): string | undefined =>
  COMMANDS.some(({ name }) => name === MEASURE)
    ? "drover load URL --ladder 5,10,25,50,100,200 --json run.json, then drover plan --from run.json"
    : undefined;

function answer(asked: Asked, input: PlanInput, run: LoadRun | undefined): Answer {
  const made = forecast(input);
  const prices = pricesOf(asked.flags);
  const foreign = asked.flags.preset === "before" || asked.flags.preset === "after";
  return {
    forecast: made,
    bill: billOf(asked, made),
    prices,
    more: extras(asked.flags, made, prices, new Date().toISOString().slice(0, 10)),
    fit: run === undefined ? undefined : fitOf(run),
    notes: run === undefined ? [] : notesOf(run),
    next: nextStep(made, {
      measured: run !== undefined,
      measureWith: measureWith(),
      foreign,
      unknownServer: run !== undefined && run.server === undefined,
    }),
  };
}

/** `--cost`. */
const costs = ({ flags }: Asked, { prices, forecast: made }: Answer): string =>
  flags.cost ? renderCosts(billsOf(prices, wantedBy(made)), prices) : "";

/** Each region has its own machines. */
function billOf({ flags }: Asked, made: Forecast): Bill {
  const { regions = 1, machine: name } = flags;
  const list = pricesOf(flags);
  const machines = name === undefined ? list.machines : [machineOf(list, name)];
  const { machine, count, monthly } = cheapest({ ...list, machines }, wantedBy(made));
  return { machine, count: count * regions, monthly: monthly * regions };
}

function notesOf(run: LoadRun): string[] {
  const unknown =
    "the run knows nothing of its server: workers, cache and quota are planned as drover's with these settings";
  const blurred =
    "this run alone does not tell the CPU of a request from the server's CPU at idle: measure a light step and a heavy one";
  const known = usable(run).some(({ cpuSeconds }) => cpuSeconds !== undefined);
  return [
    ...lint(run),
    ...(run.server === undefined ? [unknown] : []),
    ...(known && !tellsIdle(run) ? [blurred] : []),
  ];
}

function showTiers(asked: Asked, input: PlanInput): void {
  const all = tiers(input);
  const prices = pricesOf(asked.flags);
  const bills: Bill[] = all.map(({ forecast: f }) => cheapest(prices, wantedBy(f)));
  if (asked.flags.json) printJson(tiersJson(all, bills));
  else print(renderTiers(all, bills, prices));
}

/** @throws DroverError DROVER_E_USAGE for a table of too few rows. */
function showUsl(file: string, json: boolean): void {
  const rows = judgedRows(readTable(readFile("--usl ", file), file));
  const made = fitRows(rows);
  if (made === undefined)
    throw new DroverError(
      "DROVER_E_USAGE",
      `--usl ${file}: expected at least 3 rows of different numbers of users that do not contradict each other`,
    );
  if (json) printJson({ format: "drover-plan", version: PLAN_VERSION, usl: { rows, ...made } });
  else print(renderUsl(rows, made));
}

const OF_THE_RUN = [
  "memory",
  "workers",
  "worker_connections",
  "cache_ttl",
  "reads_per_minute",
] as const;

/** @throws DroverError DROVER_E_USAGE for flags about the machine, which the run names itself. */
function placeless({ flags, resolved }: Asked, file: string): void {
  const own = (["cpus", "ram", "tables", "ttl", "quota"] as const).find(
    (name) => flags[name] !== undefined,
  );
  const setting = OF_THE_RUN.find((name) => resolved.sources[name].from === "flag");
  const said = own ?? setting?.replaceAll("_", "-");
  if (said !== undefined)
    throw new DroverError(
      "DROVER_E_USAGE",
      `--verify ${file} says itself where it was measured: leave out --${said}`,
    );
}

/** @returns 1 when the prediction does not hold. */
function showVerification(asked: Asked, run: LoadRun, from: LoadRun | undefined): number {
  const { flags } = asked;
  const file = flags.verify ?? "";
  if (run.server !== undefined) placeless(asked, file);
  const input = planInput(asked, from);
  const made = verify(
    from === undefined ? input : { ...placed(input, run), costs: input.costs },
    run,
    from,
  );
  if (flags.json) printJson(verifyJson(made));
  else print(renderVerification(made));
  return made.holds ? EXIT.done.code : EXIT.rolledBack.code;
}

export async function plan(argv: readonly string[]): Promise<number> {
  const asked = readAsked(argv);
  const { flags } = asked;
  if (flags.showPrices) {
    printJson(pricesOf(flags));
    return EXIT.done.code;
  }
  if (flags.usl !== undefined) {
    showUsl(flags.usl, flags.json);
    return EXIT.done.code;
  }
  const from = runOf("from", flags.from);
  if (from !== undefined && usable(from).length === 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      `--from ${flags.from}: no step of it can be used: ${lint(from).join("; ") || "most requests failed"}`,
    );
  const run = runOf("verify", flags.verify);
  if (run !== undefined) return showVerification(asked, run, from);
  const input = planInput(asked, from);
  if (flags.tiers) {
    showTiers(asked, input);
    return EXIT.done.code;
  }
  const made = answer(asked, input, from);
  const title =
    flags.preset === undefined
      ? ""
      : `${WHAT[flags.preset]}${changesPreset(asked, input) ? "; changed on the command line" : ""}\n`;
  if (flags.json) printJson(planJson(made));
  else print(`${title}${render(made)}${costs(asked, made)}`);
  return exitOf(made.forecast);
}

/** A plan that does not hold, or answers too late, is no success for a script. */
const exitOf = ({ verdict, meetsLimit }: Forecast): number =>
  verdict === "overload" || !meetsLimit ? EXIT.rolledBack.code : EXIT.done.code;
