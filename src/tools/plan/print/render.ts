/** The plan as text: about 20 lines that end in one next step. */
import { columns } from "../../../base/columns.ts";
import { peakOrigin, refusal, type Fit } from "../model/usl.ts";
import {
  count,
  rare,
  exact,
  millis,
  num,
  percent,
  roughly,
  size,
  span,
  gibibytes,
} from "./units.ts";
import type { Forecast } from "../model/forecast.ts";
import { BLOCKED, CPU_SHARE, MEMORY_SHARE, MOST_WORKERS, type PlanInput } from "../model/types.ts";
import type { Need, Resource } from "../model/needs.ts";
import { partOf } from "../model/next.ts";
import type { Bill, PriceList } from "../prices.ts";

const amounts: Readonly<Record<Resource, (need: Need) => readonly [string, string]>> = {
  workers: (n) => [`${num(n.needs)} taken at once`, num(n.has)],
  cpu: (n) => [count(n.needs, "CPU"), `${num(n.has)} (${percent(CPU_SHARE)} of ${num(n.whole)})`],
  throughput: (n) => [
    `${num(n.needs)}/s`,
    `${num(n.has)} (${percent(CPU_SHARE)} of its peak, ${num(n.whole)})`,
  ],
  memory: (n) => [size(n.needs), `${size(n.has)} (${percent(MEMORY_SHARE)} of ${size(n.whole)})`],
  slots: (n) => [
    `${count(n.needs, "user")} signed in`,
    `${num(Math.floor(n.has))} (${percent(BLOCKED)} refused of ${num(n.whole)})`,
  ],
  connections: (n) => [num(n.needs), num(n.has)],
  reads: (n) => [`${num(n.needs)} calls/min`, `${num(n.has)} (of a quota of ${num(n.whole)})`],
  writes: (n) => [
    `${num(n.needs)} calls/min or more`,
    `${num(n.has)} (of a quota of ${num(n.whole)})`,
  ],
  network: (n) => [
    `${num(n.needs)} Mbit/s`,
    `${num(n.has)} (${percent(CPU_SHARE)} of ${num(n.whole)})`,
  ],
};

const usersOf = (fullAt: number | undefined): string =>
  fullAt === undefined ? "never" : count(fullAt, "user");
const mostOf = (fullAt: number | undefined): string =>
  fullAt === 0 ? "not even one user fits" : `${usersOf(fullAt)} are the most`;

export function heading({ demand, place, upstream, system }: PlanInput): string {
  const asked = demand.users * demand.rate;
  const each = `${count(demand.users, "user")} × ${count(demand.rate, "request")} a second = ${exact(asked)}/s`;
  const peak = demand.burst === 1 ? "" : `, ${exact(asked * demand.burst)}/s at the peak`;
  const writes = demand.writes > 0 ? `, ${percent(demand.writes)} of them writes` : "";
  const workers = `${count(place.workers, "worker")} ${system.blocks ? "of one request each" : `× ${num(place.connections)} connections`}`;
  return (
    `${each}${peak}${writes}\n` +
    `${system.name}: ${count(place.cpus, "CPU")}, ${size(place.memory)}, ${workers}, ${count(upstream.tables, "table")}, TTL ${span(upstream.ttl)}\n`
  );
}

const NAMES: Readonly<Record<Resource, string>> = {
  workers: "the workers",
  cpu: "the CPU",
  throughput: "its throughput",
  memory: "the memory",
  slots: "the slots",
  connections: "the connections",
  reads: "Google's read quota",
  writes: "Google's write quota",
  network: "the network",
};

function verdict(forecast: Forecast): string {
  const { binding, input, meetsLimit } = forecast;
  const name = NAMES[binding.resource];
  const late = meetsLimit ? "" : ", but too slowly";
  const full = usersOf(binding.fullAt);
  switch (forecast.verdict) {
    case "overload":
      return `it does NOT hold: ${exact(binding.used)} × what ${name} may give; ${mostOf(binding.fullAt)}`;
    case "tight":
      return `it holds without a margin${late}: what binds: ${name}; with one ${mostOf(binding.fullAt)}`;
    case "holds":
      return `it holds${late}; full first: ${name}${binding.fullAt === undefined ? "" : `, at ${full} (${exact(binding.fullAt / input.demand.users)} × as many)`}`;
    default:
      return forecast.verdict satisfies never;
  }
}

/** A part of the requests that is smaller reaches no percentile that is shown. */
const SEEN = 0.000_05;

function latency({ latency: l, input, load, needs }: Forecast): string {
  const { limit } = input.costs;
  if (l === undefined) return "none: the queue grows as long as the load lasts";
  const waits = load.waiting > SEEN ? `; ${percent(load.waiting)} wait for Google` : "";
  // What limits the throughput is not known, so that the wait can't be computed.
  const least = needs.some(({ resource, used }) => resource === "throughput" && used > 1)
    ? "more than "
    : "";
  return `${least}p50 ${millis(l.p50)}  p95 ${millis(l.p95)}  p99 ${millis(l.p99)}  (${input.measuredBy === undefined ? "assumed" : `measured by ${input.measuredBy}`}; p95 must be below ${millis(limit)}${waits})`;
}

/** Blocking at 80, 90 and 100 % of the slots explains where alarms are usually set. */
function slots({ slots: of, input: { place } }: Forecast): readonly (readonly string[])[] {
  if (of === undefined) return [];
  const at = of.at.map(({ offered, refused }) => `${num(offered)}: ${rare(refused)}`).join(", ");
  const here = `${num(of.offered)} users: ${rare(of.refused)} refused, ${rare(of.aboveComfort)} of the time above`;
  return [
    [
      "slots",
      `${num(of.max)} (comfort ${num(of.comfort)}${place.slots?.comfortMeasured === true ? ", measured" : ""}); ${here}; refused of ${at} (Erlang B)`,
    ],
  ];
}

/** What fits, what the workers beyond the CPUs cost, and what they buy. No line: no more of them are set than run at once. */
export function crowdingLines({ crowding: of }: Forecast): readonly string[] {
  if (of === undefined) return [];
  const { workers, cpus, fit, more, memory, cpu } = of;
  const cost = `the other ${num(more)} take ${size(memory)} and ${count(cpu, "CPU")} for answers of their own`;
  return [
    `${num(workers)} on ${count(cpus, "CPU")}: ${num(fit)} fit into the memory, ${num(cpus)} run at once; ${cost}`,
    `at full load an answer takes up to ${num(of.slowdown)} × as long; a blocked loop holds up ${partOf(workers)} of the connections, not ${partOf(cpus)}`,
  ];
}

/** Below it the table of what memories usually hold says nothing. */
const LEAST_KNOWN = gibibytes(1);

function settings({ advice, load, input: { place, system } }: Forecast): string {
  const machines =
    advice.workers > MOST_WORKERS
      ? ` on ${num(Math.ceil(advice.workers / MOST_WORKERS))} machines or more`
      : "";
  const each = system.blocks ? "" : ` × ${num(advice.connections)} connections`;
  const usual =
    place.memory < LEAST_KNOWN
      ? ""
      : `; ${size(place.memory)} usually hold ${num(advice.slotsForMemory)}`;
  return [
    count(advice.cpus, "CPU"),
    `${count(advice.workers, "worker")}${each}${machines}`,
    ...(system.cache === "none" ? [] : [`TTL ≥ ${span(advice.ttl)}`]),
    ...(load.signedIn > 0 ? [`${count(advice.slots, "slot")} (1 % refused${usual})`] : []),
    `${size(advice.memory)} in all`,
  ].join(", ");
}

/** The resources as a table. */
export const resources = (forecast: Forecast): string =>
  columns([
    ["RESOURCE", "NEEDS", "MAY USE", "USED", "FULL AT"],
    ...forecast.needs.map((need) => [
      need.resource,
      ...amounts[need.resource](need),
      roughly(need.used),
      usersOf(need.fullAt),
    ]),
  ]);

const money = (
  { machine, count: machines, monthly }: Bill,
  { currency, asOf }: PriceList,
  forecast: Forecast,
): string =>
  `${machines === 1 ? "" : `${num(machines)} × `}${machine.name}: ${num(monthly)} ${currency} a month (prices of ${asOf})${askers(machines, forecast)}`;

/** Machines do not share what they know: the quota is used once for each. */
function askers(machines: number, { input, load, needs, advice }: Forecast): string {
  const has = needs.find(({ resource }) => resource === "reads")?.has ?? Infinity;
  if (machines === 1 || input.system.cache !== "machine" || machines * load.readCalls <= has)
    return "";
  return `; each asks Google for itself: ${num(machines * load.readCalls)} calls/min of ${num(has)}, unless the TTL is ${span(Math.ceil(advice.ttl * machines))} or more`;
}

/** A line of the plan, and the same for programs. */
export interface Extra {
  readonly name: string;
  readonly says: string;
  readonly data: unknown;
}

export interface Answer {
  readonly forecast: Forecast;
  readonly bill: Bill;
  readonly prices: PriceList;
  readonly fit: Fit | undefined;
  /** Further lines: arrivals, sizes, regions, credits. */
  readonly more: readonly Extra[];
  /** What is odd in the run that was read. */
  readonly notes: readonly string[];
  readonly next: string;
}

function scaling(fit: Fit | undefined): readonly (readonly string[])[] {
  if (fit === undefined) return [];
  const no = refusal(fit);
  if (no !== undefined) return [["scaling", `no peak is told: ${no}`]];
  const { peakUsers, peakRate, points, tested } = fit;
  const [least, most] = fit.range;
  const origin = peakOrigin(fit);
  const beyond = origin === "measured" ? "" : `: beyond the ${num(tested)} users that were tested`;
  return [
    [
      "scaling",
      `peak at ${num(peakUsers)} users (${num(least)}–${num(most)}), ${num(peakRate)}/s (${origin}${beyond}, ${points} steps)`,
    ],
  ];
}

export function render({ forecast, bill, prices, fit, more, notes, next }: Answer): string {
  const lines = columns([
    ...more.map(({ name, says }) => [name, says]),
    ["verdict", verdict(forecast)],
    ["answers", latency(forecast)],
    ...slots(forecast),
    ...crowdingLines(forecast).map((line, i) => [i === 0 ? "workers" : "", line]),
    ["enough", settings(forecast)],
    ["costs", money(bill, prices, forecast)],
    ...scaling(fit),
    ...notes.map((note) => ["note", note]),
    ["next", next],
  ]);
  return `${heading(forecast.input)}\n${resources(forecast)}\n${lines}`;
}
