/** What was to be reached, what was measured, and whether it was: computed, never written by hand. */
import type { Results } from "../results.ts";
import { median, of, ratios, rounds, short, spread, total } from "./figures.ts";

export interface Goal {
  readonly what: string;
  readonly limit: string;
  readonly measured: string;
  readonly kept: boolean;
}

type Bound = { readonly most: number } | { readonly least: number };

function goal(what: string, values: readonly number[], bound: Bound, unit = ""): Goal[] {
  if (values.length === 0 || values.some((value) => !Number.isFinite(value))) return [];
  const value = median(values);
  return "most" in bound
    ? [{ what, limit: `≤ ${short(bound.most)}${unit}`, measured: spread(values, unit), kept: value <= bound.most }]
    : [{ what, limit: `≥ ${short(bound.least)}${unit}`, measured: spread(values, unit), kept: value >= bound.least }];
}

const KA = "keep-alive 100";
const AB = "ab 100";

export function goals(results: Results): Goal[] {
  const drover = (key: string): ReturnType<typeof rounds> => rounds(results, key, "drover");
  const times = (key: string, other: "held" | "gunicorn" | "pm2", what: "cpu" | "rps"): number[] =>
    ratios(drover(key), rounds(results, key, other), what);
  return [
    ...goal("CPU of a request, ÷ bare node:http, 100 kept connections", times(KA, "held", "cpu"), { most: 1.05 }, " ×"),
    ...goal("requests/s, ÷ Gunicorn, 100 kept connections", times(KA, "gunicorn", "rps"), { least: 13 }, " ×"),
    ...goal("requests/s, ÷ Gunicorn, `ab -c 100`", times(AB, "gunicorn", "rps"), { least: 5 }, " ×"),
    ...goal("requests/s, ÷ PM2, `ab -c 100`", times(AB, "pm2", "rps"), { least: 2 }, " ×"),
    ...goal("p99, 100 kept connections", of(drover(KA), "p99"), { most: 30 }, " ms"),
    ...goal("p99, 2,000 kept connections", of(drover("keep-alive 2000"), "p99"), { most: 150 }, " ms"),
    ...goal(
      "requests/s at 5,000 connections, ÷ at 2,000",
      ratios(drover("keep-alive 5000"), drover("keep-alive 2000"), "rps"),
      { least: 0.95 },
      " ×",
    ),
    ...goal("errors at 5,000 connections", errorsOf(results, "keep-alive 5000"), { most: 0 }),
    ...cacheGoals(results),
    ...heldGoals(results),
    ...footprintGoals(results),
    ...reloadGoals(results),
  ];
}

const errorsOf = (results: Results, key: string): number[] => {
  const found = rounds(results, key, "drover");
  return found === undefined ? [] : [total(found, "errors")];
};

function cacheGoals({ expiry, upstream, herd }: Results): Goal[] {
  const own = expiry.find(({ stack }) => stack === "drover");
  const calls = upstream.find(({ stack }) => stack === "drover");
  const cold = herd.find(({ stack }) => stack === "drover");
  return [
    ...goal("p99 with rows that age every 5 s, ÷ rows that never do", ratios(own?.expiring, own?.hot, "p99"), { most: 1.2 }, " ×"),
    ...goal(`calls to the upstream in ${calls?.seconds} s, at a TTL of ${calls?.ttlSeconds} s`, calls === undefined ? [] : [calls.calls], {
      most: calls === undefined ? 0 : Math.floor(calls.seconds / calls.ttlSeconds) + 1,
    }),
    ...goal("calls for a herd at a cold cache", cold === undefined ? [] : [cold.calls], { most: 1 }),
    ...goal("clients of the herd that failed", cold === undefined ? [] : [cold.failed], { most: 0 }),
  ];
}

function heldGoals({ held }: Results): Goal[] {
  if (held === null) return [];
  return [
    ...goal("connections held at once", [held.alive], { least: held.wanted }),
    ...goal("errors among them", [held.errors], { most: 0 }),
  ];
}

function footprintGoals({ footprint }: Results): Goal[] {
  return [...new Set(footprint.map(({ workers }) => workers))].flatMap((workers) => {
    const at = (stack: string): (typeof footprint)[number] | undefined =>
      footprint.find((one) => one.stack === stack && one.workers === workers);
    const [own, fastify] = [at("drover"), at("fastify")];
    if (own === undefined || fastify === undefined) return [];
    return [
      ...goal(`memory of ${workers} workers, idle, ÷ bare Fastify`, [own.idle / fastify.idle], { most: 1.15 }, " ×"),
      ...goal(`memory of ${workers} workers, loaded, ÷ bare Fastify`, [own.loaded / fastify.loaded], { most: 1.15 }, " ×"),
      ...goal(
        `start of ${workers} workers, ÷ bare Fastify`,
        [median(own.startSeconds) / median(fastify.startSeconds)],
        { most: 1.15 },
        " ×",
      ),
    ];
  });
}

function reloadGoals({ reload, stuck }: Results): Goal[] {
  const own = reload.find(({ stack }) => stack === "drover");
  const freed = stuck.find(({ stack }) => stack === "drover-app");
  return [
    ...goal("requests that failed in rolling reloads", own === undefined ? [] : [own.keepAlive.errors + own.fresh.errors], { most: 0 }),
    ...goal(
      "a stuck worker is replaced, after its timeout",
      freed === undefined ? [] : [freed.replacedAfter === null ? freed.watchedSeconds : freed.replacedAfter - freed.timeoutSeconds],
      { most: 0.5 },
      " s",
    ),
  ];
}
