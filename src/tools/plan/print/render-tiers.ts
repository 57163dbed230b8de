/** Several demands on the same machine, side by side. */
import { columns } from "../../../base/columns.ts";
import { CPU_SHARE } from "../model/types.ts";
import type { Bill, PriceList } from "../prices.ts";
import { ARTEFACTS_OF_TIERS, needsOfTier, type Tier } from "../model/tiers.ts";
import { millis, num, roughly, size } from "./units.ts";

/** Every machine of the list: how many are needed, the price, and the difference to the cheapest. */
export function renderCosts(bills: readonly Bill[], { currency, asOf }: PriceList): string {
  const least = bills[0]?.monthly ?? 0;
  return `\nWhat machines cost, in ${currency} a month (prices of ${asOf}; --prices FILE has your own)\n${columns(
    bills.map(({ machine, count, monthly }) => [
      `${num(count)} × ${machine.name}`,
      num(monthly),
      monthly > least ? `+${num(monthly - least)}` : "the cheapest",
    ]),
  )}`;
}

export function renderTiers(
  all: readonly Tier[],
  bills: readonly Bill[],
  { currency }: PriceList,
): string {
  const row = (name: string, of: (tier: Tier, i: number) => string): string[] => [
    name,
    ...all.map(of),
  ];
  const time = (pick: "p50" | "p95" | "p99") =>
    row(pick, ({ forecast: f }) =>
      f.latency === undefined ? "overload" : millis(f.latency[pick]),
    );
  const table = columns([
    row("", ({ name }) => name),
    row("requests/s", ({ forecast: f }) => num(f.load.rate)),
    row(
      "verdict here",
      ({ forecast: f }) =>
        ({ holds: "holds", tight: "no margin", overload: "does not hold" })[f.verdict],
    ),
    row("of capacity", ({ forecast: f }) => roughly(f.binding.used)),
    row("binds", ({ forecast: f }) => f.binding.resource),
    row("CPUs busy", ({ forecast: f }) => num(f.load.cpu)),
    row("CPUs to have", ({ forecast: f }) => num(Math.ceil(f.load.cpu / CPU_SHARE))),
    row("workers", ({ forecast: f }) => num(f.advice.workers)),
    row("memory", ({ forecast: f }) => size(f.load.memory)),
    row("connections", ({ forecast: f }) => num(f.load.connections)),
    row("slots", ({ forecast: f }) => num(f.advice.slots)),
    row(
      "calls/min",
      ({ forecast: f }) => `${num(f.load.readCalls)} read, ${num(f.load.writeCalls)} write`,
    ),
    row("Mbit/s", ({ forecast: f }) => num(f.load.traffic)),
    time("p50"),
    time("p95"),
    time("p99"),
    row("takes", (tier, i) => needsOfTier(tier, bills[i]?.count ?? 1).join(", ")),
    row(
      `${currency} a month`,
      (_, i) => `${num(bills[i]?.monthly ?? 0)} (${bills[i]?.count} × ${bills[i]?.machine.name})`,
    ),
  ]);
  const files = ARTEFACTS_OF_TIERS.map(([tier, ...commands]) => [
    `${tier} a day`,
    commands.map((name) => `drover emit ${name}`).join("; "),
  ]);
  return `${table}\nFiles of each tier\n${columns(files)}`;
}
