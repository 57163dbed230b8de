/** The notes behind the presets, corrected: docs/plan.md prints these tables. Every figure in `ours` is computed. */
import {
  callsPerMinute,
  hitRatio,
  mostCallsPerMinute,
  shortestTtl,
} from "../../../src/tools/plan/model/cache.ts";
import { erlangC, meanWait } from "../../../src/tools/plan/model/erlang.ts";
import { CAMPAIGN, PRESETS, WHAT, type Preset } from "../../../src/tools/plan/model/presets.ts";
import { exact, num, percent } from "../../../src/tools/plan/print/units.ts";

export interface Correction {
  readonly subject: string;
  readonly theirs: string;
  readonly ours: string;
  readonly why: string;
}

const RATE = 10;
const ttlFor = (tables: number, caches: number): string =>
  num(shortestTtl(tables, caches, 60 * 0.7));

const [FROM, TO] = [
  mostCallsPerMinute({ ttl: 5, caches: 9, keys: 1 }),
  mostCallsPerMinute({ ttl: 30, caches: 16, keys: 1 }),
];
/** From 9 workers with a cache of 5 s each to 16 with 30 s: calls a minute for a key, and the part that is saved. */
export const SAVING = { from: FROM, to: TO, saved: 1 - TO / FROM } as const;

function before(): Correction[] {
  const hits = hitRatio(RATE / 9, 5);
  return [
    {
      subject: "workers",
      theirs: "9 workers × 1 request a second = 9, for 100 users who ask for 10: it breaks",
      ours: `right: 10 erlangs on 9 workers, ${percent(RATE / 9)} busy; 16 workers: ${percent(RATE / 16)}, ${percent(erlangC(16, RATE))} wait, ${num(meanWait(16, RATE, 1_000))} ms on average`,
      why: "a worker that waits for Google serves nobody else (Erlang C)",
    },
    {
      subject: "the 5 s cache",
      theirs: "not counted: every request takes 1 s",
      ours: `${percent(hits)} of the requests to one table hit it, and ${num(RATE * (1 - hits))} erlangs are left`,
      why: "it breaks when a page asks for many tables, when Google is slow, or at the quota, not for 100 users of one table",
    },
    {
      subject: "calls to Google",
      theirs: "about 600 a minute",
      ours: `${num(mostCallsPerMinute({ ttl: 5, caches: 9, keys: 1 }))} a minute for each table, of 60 allowed`,
      why: "a cache in each of 9 workers misses 9 times; one service account is one user, who has 60 a minute, not the project's 300",
    },
  ];
}

function after(): Correction[] {
  const calls = (caches: number): number =>
    callsPerMinute({ rate: RATE, ttl: 30, caches, keys: 1 });
  const { from, to, saved } = SAVING;
  return [
    {
      subject: "the cache",
      theirs: "one call a TTL instead of 6, 99 % of the answers at once",
      ours: `${percent(hitRatio(RATE / 16, 30))} hits and ${exact(calls(16))} calls a minute for each table; shared by all workers ${(hitRatio(RATE, 30) * 100).toFixed(2)} % and ${num(calls(1))}; with 32 workers ${percent(hitRatio(RATE / 32, 30))} and ${exact(calls(32))}`,
      why: "each worker keeps its own: more workers make it worse (h = λT / (1 + λT) a worker)",
    },
    {
      subject: "the saving",
      theirs: "5 s → 30 s: −83 %",
      ours: `−${num(saved * 100)} %: ${exact(from)} → ${exact(to)} a minute for each table (60 × workers / TTL, however many requests come)`,
      why: "9 workers became 16 at the same time",
    },
    {
      subject: "the quota",
      theirs: "600 → 100 calls a minute, of 300",
      ours: `60 a minute count, so that 100 is too much; the shortest TTL for 1, 3, 5 tables: ${[1, 3, 5].map((k) => ttlFor(k, 16)).join(", ")} s with 16 caches, ${[1, 3, 5].map((k) => ttlFor(k, 1)).join(", ")} s with one, ${ttlFor(1, 1)} s with one call for all`,
      why: "300 is the project's quota, 60 that of one service account; 30 % are kept in reserve",
    },
    {
      subject: "capacity",
      theirs: "100 users are 6 % of 16,000 connections, 500 are 31 %",
      ours: `${percent(100 / 16_000)} and ${percent(500 / 16_000)}, and connections are not what binds`,
      why: "the first resource to fill is the capacity; the same notes say 30–50 % elsewhere",
    },
  ];
}

function campaign(): Correction[] {
  const { system, atWork, each, minutes, perUser, users } = CAMPAIGN;
  return [
    {
      subject: "the profile",
      theirs: "300 users at once; 100 creations and 200 views an hour",
      ours: `of the whole system: ${num(system)} requests/s and ${num(atWork)} users at once; of each user: ${exact(each)} requests/s, but ${minutes} minutes of work an hour; taken here: each user goes from one action to the next, ${exact(perUser * users)} requests/s`,
      why: "Little's law: users at once = arrivals × duration. The figures can't all be true",
    },
    {
      subject: "the mix",
      theirs: "60 % reads, 30 % writes, 10 % exports",
      ours: `the actions are ${percent(100 / 300)} creations`,
      why: "100 of 300 actions create; the plan takes the 30 %",
    },
  ];
}

/** Requests (in millions) and dollars a million: Amazon API Gateway REST, us-east-1, as its white paper on cost lists them. */
const GATEWAY = [
  [333, 3.5],
  [667, 2.8],
  [19_000, 2.38],
  [Infinity, 1.51],
] as const;

/** @param millions requests a month. @returns dollars. */
export function gatewayBill(millions: number): number {
  let [left, sum] = [millions, 0];
  for (const [most, price] of GATEWAY) {
    const part = Math.min(left, most);
    sum += part * price;
    left -= part;
  }
  return sum;
}

/** 100,000 requests a second of 100 ms each. */
const AT_ONCE = 100_000 * 0.1;
/** Execution environments that a function may gain, in seconds: docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html. */
const SCALES = { more: 1_000, every: 10 } as const;

const MONTH = 30 * 86_400;
const GB_SECOND = 0.0000166667;
const PROVISIONED_GB_SECOND = 0.0000041667;

function internet(): Correction[] {
  const sustained = (100_000 * MONTH) / 1e6;
  const lambda = 3e9 * 0.1 * GB_SECOND + 3_000 * 0.2;
  const provisioned = 5_000 * MONTH * PROVISIONED_GB_SECOND;
  const sum = gatewayBill(3_000) + lambda + provisioned + 5_000 + 500 + 1_200 + 100;
  return [
    {
      subject: "the month",
      theirs: "100,000 requests/s are 3 billion a month",
      ours: `3 billion are ${num(3e9 / 100_000 / 3_600)} hours of it; a month is ${exact(sustained / 1_000)} billion`,
      why: "100,000 × 2,592,000 s",
    },
    {
      subject: "the gateway",
      theirs: "$10,500 a month",
      ours: `$${exact(gatewayBill(3_000))} for 3 billion, $${exact(gatewayBill(sustained))} for the month`,
      why: "the price falls with volume: $3.50, 2.80, 2.38, 1.51 a million",
    },
    {
      subject: "the functions",
      theirs: "$3,000 a month",
      ours: `$${exact(lambda)} for 3 billion of 100 ms and 1 GB, and $${exact(provisioned)} for the 5,000 that are kept ready`,
      why: "GB-seconds × $0.0000166667 and $0.20 a million; $0.0000041667 a GB-second while they wait",
    },
    {
      subject: "the sum",
      theirs: "$20,300 a month",
      ours: `$${exact(sum)} for the same 3 billion, ${num(sum / 20_300)} times as much`,
      why: "the provisioned capacity was left out",
    },
    {
      subject: "the functions at once",
      theirs: "10,000, of 50,000 that the quota allows; 5,000 provisioned with --qualifier $LATEST",
      ours: `right: 100,000 requests/s × 100 ms = ${exact(AT_ONCE)} at once; ${exact(SCALES.more)} more every ${SCALES.every} s: ${num((AT_ONCE / SCALES.more) * SCALES.every)} s until all are there. drover keeps every worker ready (DROVER_WORKERS), and drover scale N changes their number`,
      why: "Little's law. Of provisioned concurrency $LATEST has none: it takes a version or an alias, and in double quotes the shell leaves nothing of it. drover's own bounds: DROVER_MIN_WORKERS (as provisioned) and DROVER_MAX_WORKERS (as reserved)",
    },
    {
      subject: "the peak",
      theirs: "throttle at 100,000 requests/s, 20,000 functions at once",
      ours: `300,000 requests/s × 100 ms = ${exact(300_000 * 0.1)} at once: both limits are below the peak`,
      why: "Little's law",
    },
  ];
}

export const corrections = (preset: Preset): readonly Correction[] =>
  ({ before, after, campaign, internet })[preset]();

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** A table for each preset, in Markdown. */
export const publishedTables = (): string =>
  PRESETS.map((preset) => {
    const rows = corrections(preset).map(
      ({ subject, theirs, ours, why }) =>
        `| ${[subject, theirs, ours, why].map(cell).join(" | ")} |`,
    );
    return `\`--preset ${preset}\`: ${WHAT[preset]}\n\n| | the notes say | the plan computes | because |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  }).join("\n");
