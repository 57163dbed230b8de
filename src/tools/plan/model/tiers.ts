/** The same machine under several demands, side by side. */
import { forecast, type Forecast } from "./forecast.ts";
import { MOST_SLOTS, type PlanInput } from "./types.ts";
import type { Resource } from "./needs.ts";
import { CAMPAIGN } from "./presets.ts";

export interface Tier {
  readonly name: string;
  readonly forecast: Forecast;
}

/** [name, users at once, requests a second of each, peak, part of writes] */
const TIERS = [
  ["100 users", 100, 0.1, 1, 0],
  ["200 users", 200, 0.1, 1, 0],
  ["500 users", 500, 0.1, 1, 0],
  ["10k a day", CAMPAIGN.users, CAMPAIGN.perUser, 1, 0.3],
  ["50k a day", 5 * CAMPAIGN.users, CAMPAIGN.perUser, 1, 0.3],
  ["100k a day", 10 * CAMPAIGN.users, CAMPAIGN.perUser, 1, 0.3],
  ["100k at once", 100_000, 1, 3, 0],
] as const;

export const tiers = (input: PlanInput): readonly Tier[] =>
  TIERS.map(([name, users, rate, burst, writes]) => {
    const demand = {
      users,
      rate,
      burst,
      writes,
      bytes: input.demand.bytes,
      signedIn: input.demand.signedIn,
    };
    return { name, forecast: forecast({ ...input, demand }) };
  });

/** The files of each phase of growth, users a day: what `drover emit` writes for it. */
export const ARTEFACTS_OF_TIERS: readonly (readonly [tier: string, ...commands: string[]])[] = [
  ["10k", "systemd", "nginx", "deploy", "prometheus-rules"],
  ["50k", "haproxy --servers HOST:PORT,HOST:PORT", "compose", "grafana", "k6 --users 1500"],
  ["100k", "cloudformation", "cloudwatch", "deploy-100k", "k6 --users 100000 --split 4"],
];

/** What a tier takes in addition to a larger machine. @param machines of its bill */
export function needsOfTier({ forecast: { needs, advice } }: Tier, machines: number): string[] {
  const isOver = (resource: Resource): boolean =>
    (needs.find((need) => need.resource === resource)?.used ?? 0) > 1;
  const list = [
    ...(machines > 1 ? ["load balancer", "shared state"] : []),
    ...(isOver("network") ? ["CDN"] : []),
    ...(isOver("writes") ? ["database for writes"] : []),
    ...(advice.slots > MOST_SLOTS
      ? ["several regions"]
      : machines === 1 && isOver("slots")
        ? [`DROVER_MAX_SLOTS=${advice.slots}`]
        : []),
  ];
  return list.length === 0 ? ["one machine"] : list;
}
