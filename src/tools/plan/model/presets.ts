/**
 * Situations people plan for, as their own notes put them: a game server on a 4-CPU VPS with its rows in a Google spreadsheet, before and
 * after it was tuned; a launch campaign; the internet. Each is an input like any other. docs/plan.md corrects the arithmetic of these notes.
 */
import { gibibytes } from "../print/units.ts";
import { withoutSlots, type Costs, type PlanInput, type System } from "./types.ts";

export const PRESETS = ["before", "after", "campaign", "internet"] as const;
export type Preset = (typeof PRESETS)[number];

export const WHAT: Readonly<Record<Preset, string>> = {
  before: "9 blocking Gunicorn workers, every request of 1 s to Google, 100 users",
  after: "16 gevent workers × 1,000 connections, a cache of 30 s in each",
  campaign: "10,000 visitors in a day, 300 of them at once, 30 % writes",
  internet: "100,000 users at once, a request a second each, peaks of 3 times that",
};

/** ms: Gunicorn 20.1 with gevent and Flask, 10 KB from its own cache: 73 CPU-seconds for 100,000 requests. */
const GUNICORN_CPU = 0.73;

const gunicorn = (name: string, cache: System["cache"], blocks: boolean): System => ({
  name,
  cache,
  blocks,
  stale: false,
});

/** @param base the input of this machine and its settings; a preset replaces what it speaks of. */
export function preset(name: Preset, base: PlanInput): PlanInput {
  const people = (users: number, rate: number, burst = 1, writes = 0): PlanInput["demand"] => ({
    users,
    rate,
    burst,
    writes,
    bytes: base.demand.bytes,
    signedIn: base.demand.signedIn,
  });
  const vps = (workers: number, connections: number): PlanInput["place"] => ({
    cpus: 4,
    memory: gibibytes(20),
    workers,
    connections,
  });
  const costs: Costs = {
    ...base.costs,
    cpu: GUNICORN_CPU,
    make: 0, // within the CPU of a request
    write: { ...base.costs.write, cpu: GUNICORN_CPU },
  };
  const slow = { ...base.upstream, tables: 2, p50: 1_000, p99: 2_000, rowsPerCall: 1 };
  switch (name) {
    case "before":
      return {
        demand: people(100, 0.1),
        place: vps(9, 1),
        costs,
        upstream: { ...slow, ttl: 5, ttls: { players: 5, sheet: 60 } },
        system: gunicorn("9 sync workers", "none", true),
      };
    case "after":
      return {
        demand: people(100, 0.1),
        place: vps(16, 1_000),
        costs,
        upstream: { ...slow, ttl: 30, ttls: { players: 30, sheet: 120 } },
        system: gunicorn("16 gevent workers", "worker", false),
      };
    case "campaign":
      return { ...base, demand: people(300, CAMPAIGN.perUser, 1, 0.3) };
    case "internet":
      return { ...base, place: withoutSlots(base.place), demand: people(100_000, 1, 3) };
    default:
      return name satisfies never;
  }
}

/** The campaign's actions: a client is created in 2 minutes with 5 requests, 100 an hour; data viewed in 1 minute with 3, 200 an hour. */
const ACTIONS = [
  { perHour: 100, minutes: 2, requests: 5 },
  { perHour: 200, minutes: 1, requests: 3 },
] as const;

const total = (of: (action: (typeof ACTIONS)[number]) => number): number =>
  ACTIONS.reduce((sum, action) => sum + of(action), 0);

/** Three readings of the same lines: "an hour" of the whole system, of each user, or only the mix of what each does all the time. */
export const CAMPAIGN = {
  users: 300,
  /** Requests a second, if the frequencies are those of the system. */
  system: total((a) => a.perHour * a.requests) / 3_600,
  /** People who are then at work at once (Little). */
  atWork: total((a) => a.perHour * a.minutes) / 60,
  /** Requests a second, if they are each user's. */
  each: (300 * total((a) => a.perHour * a.requests)) / 3_600,
  /** Minutes of work that each user would then do in an hour. */
  minutes: total((a) => a.perHour * a.minutes),
  /** Requests a second of a user who starts the next action right after the last. */
  perUser: total((a) => a.perHour * a.requests) / (60 * total((a) => a.perHour * a.minutes)),
} as const;
