/** The lines of a plan about how its demand was made: arrivals, sizes, regions, credits, old prices. */
import type { Stretch } from "./model/arrivals.ts";
import type { Forecast } from "./model/forecast.ts";
import { creditsOf, machineOf, monthsOld, type PriceList } from "./prices.ts";
import type { Extra } from "./print/render.ts";
import { sessionOf } from "./model/sizes.ts";
import { count, exact, num, percent } from "./print/units.ts";
import { launch } from "./demand.ts";
import type { PlanFlags } from "./flags.ts";

/** Months from which prices are worth a look. */
const OLD = 12;

/** @param today YYYY-MM-DD. */
export function extras(
  flags: PlanFlags,
  forecast: Forecast,
  prices: PriceList,
  today: string,
): Extra[] {
  return [
    ...arrivals(flags),
    ...sizes(flags, forecast),
    ...regions(flags, forecast),
    ...credits(flags, forecast, prices),
    ...age(prices, today),
  ];
}

const lasting = (seconds: number): string =>
  seconds < 60 ? `${exact(seconds)} s` : count(seconds / 60, "minute");
const clock = (seconds: number): string =>
  seconds % 3_600 === 0 ? `${num(seconds / 3_600)}h` : `${num(seconds / 60)}m`;

function arrivals(flags: PlanFlags): Extra[] {
  const found = launch(flags);
  if (found === undefined) return [];
  const each = ({ until, perSecond }: Stretch): string =>
    `${num(perSecond)}/s until ${clock(until)}`;
  const stretches = found.stretches.map(each).join(", ");
  const peak = `${lasting(found.stay)} each = ${num(found.users)} users at once (Little)`;
  return [
    {
      name: "arrivals",
      says: `${num(flags.visitors ?? 0)} visitors, ${stretches}; × ${peak}`,
      data: found,
    },
  ];
}

const KILO = 1_000;
const MEGA = 1_000_000;

function sizes({ sizes: kinds }: PlanFlags, { input }: Forecast): Extra[] {
  if (kinds === undefined) return [];
  const session = sessionOf(kinds);
  const users = input.demand.users;
  const each = kinds
    .map((kind) => `${kind.name} ${num(kind.bytes / KILO)} kB × ${num(kind.count)}`)
    .join(", ");
  const all = `${count(users, "user")}: ${num((users * session.bytes) / MEGA)} MB`;
  const says = `${each} = ${num(session.bytes / KILO)} kB in ${count(session.requests, "request")}; ${all}`;
  return [{ name: "sizes", says, data: { kinds, ...session } }];
}

function regions({ regions: several = 1 }: PlanFlags, { input }: Forecast): Extra[] {
  if (several === 1) return [];
  const users = input.demand.users;
  const quota = `of one account's quota each has ${num(input.upstream.reads)} reads a minute`;
  const says = `${num(several)} × ${count(users, "user")}, each with its own machines; ${quota}`;
  return [{ name: "regions", says, data: { regions: several, usersEach: users } }];
}

function credits({ machine: name }: PlanFlags, { load }: Forecast, prices: PriceList): Extra[] {
  const machine = name === undefined ? undefined : machineOf(prices, name);
  if (machine?.burst === undefined) return [];
  const { sustained, hours } = creditsOf(machine.burst, machine.cpus, load.cpu);
  const lasts =
    hours === undefined
      ? "credits never run out"
      : `${num(machine.burst.credits)} credits last ${num(hours)} hours, then it is held at ${num(sustained)}, or more is billed (unlimited mode)`;
  const baseline = `${percent(machine.burst.baseline)} of ${count(machine.cpus, "CPU")} = ${num(sustained)} without end`;
  const says = `${machine.name} is burstable: ${baseline}; ${num(load.cpu)} are used: ${lasts}`;
  return [
    { name: "credits", says, data: { machine: machine.name, sustained, hours: hours ?? null } },
  ];
}

function age(prices: PriceList, today: string): Extra[] {
  const months = monthsOld(prices, today);
  if (months < OLD) return [];
  const says = `of ${prices.asOf}, ${months} months old: edit what drover plan --show-prices prints, and give it with --prices FILE`;
  return [{ name: "prices", says, data: { asOf: prices.asOf, months } }];
}
