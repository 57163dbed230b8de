/** The plan for programs: format `drover-plan`, version 2. Fields may be added; none changes its meaning within a version. */
import type { PlanInput } from "../model/types.ts";
import type { Answer } from "./render.ts";
import { ARTEFACTS_OF_TIERS, needsOfTier, type Tier } from "../model/tiers.ts";
import type { Bill } from "../prices.ts";
import type { Forecast } from "../model/forecast.ts";
import { peakOrigin, refusal } from "../model/usl.ts";
import type { Verification } from "../run/verify.ts";

export const PLAN_VERSION = 2;
const HEAD = { format: "drover-plan", version: PLAN_VERSION } as const;

/** What has no end (Infinity) is null: JSON has no other word for it. */
const finite = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value;

function forecastJson(forecast: Forecast): Record<string, unknown> {
  const { load, needs, binding, verdict, latency, meetsLimit, slots, crowding, advice } = forecast;
  return {
    verdict,
    binding: binding.resource,
    meetsLimit,
    load,
    resources: needs.map(({ fullAt, ...need }) => ({ ...need, fullAtUsers: fullAt ?? null })),
    slots: slots ?? null,
    crowding: crowding ?? null,
    latencyMs: latency ?? null,
    advice: {
      ...advice,
      ttlSeconds: advice.ttl,
      ttl: undefined,
      memoryBytes: advice.memory,
      memory: undefined,
    },
  };
}

/** Every number under its path, such as "costs.write.cpu". */
function inputs({ demand, place, upstream, costs }: PlanInput): Record<string, number> {
  const found: [string, number][] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value === "number") found.push([path, value]);
    else if (typeof value === "object" && value !== null)
      for (const [name, inner] of Object.entries(value))
        walk(inner, path === "" ? name : `${path}.${name}`);
  };
  walk({ demand, place, upstream: { ...upstream, ttls: undefined }, costs }, "");
  return Object.fromEntries(found);
}

export function planJson({ forecast, bill, prices, fit, notes, more, next }: Answer): unknown {
  const no = fit === undefined ? undefined : refusal(fit);
  return {
    ...HEAD,
    inputs: inputs(forecast.input),
    measuredBy: forecast.input.measuredBy ?? null,
    system: forecast.input.system,
    ttls: forecast.input.upstream.ttls ?? null,
    ...forecastJson(forecast),
    cost: { ...bill, currency: prices.currency, asOf: prices.asOf },
    scaling:
      fit === undefined
        ? null
        : {
            lambda: fit.lambda,
            sigma: fit.sigma,
            kappa: fit.kappa,
            points: fit.points,
            testedUsers: fit.tested,
            worstError: fit.worst,
            peakUsers: no === undefined ? finite(fit.peakUsers) : null,
            peakRate: no === undefined ? finite(fit.peakRate) : null,
            peakOrigin: no === undefined ? peakOrigin(fit) : null,
            refused: no ?? null,
          },
    notes,
    more: Object.fromEntries(more.map(({ name, data }) => [name, data])),
    next,
  };
}

export const tiersJson = (tiers: readonly Tier[], bills: readonly Bill[]): unknown => ({
  ...HEAD,
  tiers: tiers.map((tier, i) => ({
    name: tier.name,
    ...forecastJson(tier.forecast),
    takes: needsOfTier(tier, bills[i]?.count ?? 1),
    cost: bills[i],
  })),
  emit: Object.fromEntries(ARTEFACTS_OF_TIERS.map(([tier, ...commands]) => [tier, commands])),
});

export const verifyJson = ({ steps, holds, ratios, notes }: Verification): unknown => ({
  ...HEAD,
  holds,
  ratios,
  steps: steps.map(({ step, comparisons }) => ({
    label: step.label,
    users: step.users,
    comparisons: comparisons.map(({ predicted, ...rest }) => ({
      ...rest,
      predicted: finite(predicted),
    })),
  })),
  notes,
});
