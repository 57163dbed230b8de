/** Every formula with its numbers put in, and every input with where it comes from. */
import { graceOf } from "./cache.ts";
import { erlangB } from "./erlang.ts";
import type { Figure } from "./figure.ts";
import { waitsAtBest, type Forecast } from "./forecast.ts";
import { CPU_SHARE, MEMORY_SHARE, MOST_CONNECTIONS, QUOTA_SHARE, UNEVEN, type PlanInput } from "./input.ts";
import { utilisation, wait } from "./latency.ts";
import { cpuPerRequest, loopsOf } from "./load.ts";
import { exact, millis, num, percent, size, span } from "./units.ts";

export interface Explanation {
  readonly what: string;
  readonly formula: string;
  readonly numbers: string;
}

function cacheOf({ input, load }: Forecast): Explanation[] {
  const { upstream, place, system } = input;
  const [ttl, tables, workers] = [upstream.ttl.value, upstream.tables.value, place.workers.value];
  const rate = load.rate - load.writes;
  const grace = graceOf(ttl);
  switch (system.cache) {
    case "none":
      return [{ what: "calls to Google", formula: "60 λ", numbers: `60 × ${num(rate)} = ${num(load.readCalls)} a minute` }];
    case "machine":
      return [
        {
          what: "calls to Google",
          formula: "60 / (T + 1/λ), one call for all tables",
          numbers: `60 / (${num(ttl)} + 1/${num(rate)}) = ${exact(load.readCalls)} a minute`,
        },
        {
          what: "wait for Google",
          formula: "e^(−λG) / (1 + λT), old rows served for G",
          numbers: `e^(−${num(rate)} × ${num(grace)}) / (1 + ${num(rate)} × ${num(ttl)}) = ${percent(load.waiting)}`,
        },
      ];
    case "worker":
      return [
        {
          what: "hits",
          formula: "λT / (1 + λT) for each table of each worker",
          numbers: `λ = ${num(rate)} / ${num(workers)} / ${num(tables)}, T = ${num(ttl)}: ${percent(1 - load.misses)}`,
        },
        {
          what: "calls to Google",
          formula: "60 W K / (T + 1/λ)",
          numbers: `60 × ${num(workers)} × ${num(tables)} / (${num(ttl)} + ${num((workers * tables) / rate)}) = ${exact(load.readCalls)} a minute`,
        },
      ];
    default:
      return system.cache satisfies never;
  }
}

/** CPUs as reads, writes and answers made anew ask for them. */
function cpuOf({ input: { costs, system }, load }: Forecast): Omit<Explanation, "what"> {
  const parts: readonly (readonly [string, number, Figure])[] = [
    ["reads × s", load.rate - load.writes, costs.cpu],
    ...(load.writes > 0 ? [["writes × w", load.writes, costs.write.cpu] as const] : []),
    ...(system.cache === "machine" ? [["made anew × m", load.made, costs.make] as const] : []),
  ];
  return {
    formula: parts.map(([name]) => name).join(" + "),
    numbers: `${parts.map(([, rate, cost]) => `${exact(rate)} × ${exact(cost.value)}`).join(" + ")} ms = ${exact(load.cpu)} CPUs`,
  };
}

function queueOf(forecast: Forecast): Explanation[] {
  const { input, load } = forecast;
  const servers = loopsOf(input);
  const service = cpuPerRequest(load, input);
  if (input.system.blocks) {
    const workers = input.place.workers.value;
    return [
      {
        what: "workers taken",
        formula: "a = λS (erlangs)",
        numbers: `${num(load.rate)} × ${exact(load.rate > 0 ? load.taken / load.rate : 0)} s = ${exact(load.taken)} of ${num(workers)}: ρ = ${exact(load.taken / workers)}`,
      },
    ];
  }
  const busy = utilisation({ rate: load.rate, servers, service });
  const { formula, numbers } = cpuOf(forecast);
  return [
    { what: "CPU", formula, numbers: `${numbers}; ρ = ${exact(busy)} of ${num(servers)}` },
    {
      what: "wait for a loop",
      formula: "worst: each worker its own queue, ρ; best: one queue, Erlang C",
      numbers: `${percent(Math.min(1, busy))} wait; ${percent(waitsAtBest(forecast))}`,
    },
  ];
}

/** What Google's quota allows and the writes need. */
function quotaOf({ input, load, advice }: Forecast): Explanation[] {
  const { upstream } = input;
  return [
    ...(input.system.cache === "none"
      ? []
      : [
          {
            what: "shortest TTL",
            formula: `60 K C / max(1, ⌊${QUOTA_SHARE} Q⌋)`,
            numbers: `${span(advice.ttl)} for a quota of ${num(upstream.reads.value)}`,
          },
        ]),
    ...(load.writes > 0
      ? [
          {
            what: "calls that write",
            formula: "60 λ w / rows of a call, at least",
            numbers: `60 × ${exact(load.writes)} / ${num(upstream.rowsPerCall.value)} = ${exact(load.writeCalls)} a minute`,
          },
        ]
      : []),
  ];
}

function workersOf(forecast: Forecast): Explanation[] {
  const { input, load, advice, crowding } = forecast;
  const { place } = input;
  const users = input.demand.users.value;
  return [
    {
      what: "workers",
      formula: input.system.blocks
        ? `⌈a / ${CPU_SHARE}⌉`
        : `⌈CPU / ${CPU_SHARE}⌉ or ⌈${UNEVEN} N / ${num(MOST_CONNECTIONS)}⌉, 2 where memory holds them`,
      numbers: input.system.blocks
        ? `⌈${exact(load.taken)} / ${CPU_SHARE}⌉ = ${advice.workers}`
        : `⌈${exact(load.cpu)} / ${CPU_SHARE}⌉, ⌈${UNEVEN} × ${num(users)} / ${num(MOST_CONNECTIONS)}⌉: ${advice.workers}`,
    },
    ...(crowding === undefined
      ? []
      : [
          {
            what: "workers that fit",
            formula: "⌊(half of the memory − others − N × connection) / worker⌋; up to W / CPUs × as long when all are busy",
            numbers: `${num(crowding.fit)} fit; ${num(place.workers.value)} / ${num(crowding.cpus)} = ${num(crowding.slowdown)}`,
          },
        ]),
  ];
}

export function explanations(forecast: Forecast): Explanation[] {
  const { input, load, advice } = forecast;
  const { demand, place, costs } = input;
  const users = demand.users.value;
  return [
    {
      what: "load",
      formula: "λ = N r b",
      numbers: `${num(users)} × ${num(demand.rate.value)} × ${num(demand.burst.value)} = ${num(load.rate)} requests/s`,
    },
    ...queueOf(forecast),
    ...answersOf(forecast),
    ...cacheOf(forecast),
    ...quotaOf(forecast),
    {
      what: "network",
      formula: "8 λ B",
      numbers: `8 × ${exact(load.rate)} × ${num(demand.bytes.value)} bytes = ${exact(load.traffic)} Mbit/s`,
    },
    ...workersOf(forecast),
    {
      what: "memory",
      formula: "others + W × worker + N × connection",
      numbers: `${size(costs.others.value)} + ${num(place.workers.value)} × ${size(costs.worker.value)} + ${num(users)} × ${exact(costs.connection.value / 1_024)} KiB = ${size(load.memory)}; ${percent(MEMORY_SHARE)} of ${size(place.memory.value)} may be used`,
    },
    ...(load.signedIn > 0
      ? [
          {
            what: "slots",
            formula: "fewest c with B(c, N) ≤ 1 % (Erlang B)",
            numbers: `B(${num(advice.slots)}, ${num(load.signedIn)}) = ${percent(erlangB(advice.slots, load.signedIn))}`,
          },
        ]
      : []),
    {
      what: "full at",
      formula: "the most N at which NEEDS is no more than MAY USE",
      numbers: forecast.needs.map(({ resource, fullAt }) => `${resource} ${fullAt === undefined ? "never" : num(fullAt)}`).join(", "),
    },
  ];
}

/** Percentiles and mean. */
function answersOf({ input, load, latency, mean }: Forecast): Explanation[] {
  if (latency === undefined || mean === undefined) return [];
  const little = {
    what: "in flight",
    formula: "L = λ R (Little), R the mean",
    numbers: `${exact(load.rate)} × ${millis(mean)} = ${num((load.rate * mean) / 1_000)}`,
  };
  if (input.system.blocks)
    return [
      { what: "answers", formula: "wait for a worker (Erlang C) + Google's log-normal", numbers: `p99 ${millis(latency.p99)}` },
      little,
    ];
  const servers = loopsOf(input);
  const service = cpuPerRequest(load, input);
  const busy = utilisation({ rate: load.rate, servers, service });
  const slowest = service / Math.min(1, servers);
  const quiet = input.costs.quiet.p99.value;
  return [
    {
      what: "answers",
      formula: "quiet − ln(1−q) s ρ / (1−ρ), and those who wait for Google, the disk or the cable",
      numbers: `p99 ${exact(quiet)} + 4.61 × ${exact(slowest)} × ${exact(busy / (1 - busy))} = ${exact(quiet + wait(0.99, slowest, busy))} ms; all ${millis(latency.p99)}`,
    },
    little,
  ];
}

/** Every input under its name in the JSON. */
export function inputs(input: PlanInput): [string, Figure][] {
  const figures: [string, Figure][] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    if ("origin" in value) figures.push([path, value as Figure]);
    else for (const [name, inner] of Object.entries(value)) walk(inner, path === "" ? name : `${path}.${name}`);
  };
  walk({ ...input, system: undefined }, "");
  return figures;
}
