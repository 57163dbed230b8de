/** docs/capacity.md: the source documents' question retold with what was measured. Verdicts are computed, not written. */
import type { RunStep } from "../../../src/tools/plan/run/run.ts";
import type { Question, Results, Scenario } from "../results.ts";
import { LABEL, type StackName } from "../stack.ts";
import { conditions, HEADER, UNMEASURED } from "./about.ts";
import { median, of, short, table, total } from "./figures.ts";
import type { PageOptions } from "./performance.ts";
import { plots } from "./plots.ts";

const TITLE = "# 10 users, 100, 500, 10,000, 100,000: does it hold?\n";
/** What the documents ask of an answer. */
const LIMIT_MS = 500;
/** Of the CPUs, and of Google's 60 calls a minute: beyond that a service runs without a margin (docs/plan.md). */
const [MAY_USE, CALLS_A_MINUTE] = [0.7, 51];
const INTERNET = 100_000;

export function capacityPage(results: Results | undefined, options: PageOptions): string {
  if (results === undefined) return `${HEADER}\n${TITLE}\n${UNMEASURED}`;
  const parts = [
    HEADER,
    TITLE,
    STORY,
    ...questionPart(results, options),
    ...abPart(results),
    ...ladderPart(results),
    ...campaignPart(results),
    ...tenThousandPart(results),
    ...internetPart(results),
    "## How this was measured\n",
    conditions(results),
    "[performance.md](performance.md) compares, request for request; [load.md](load.md) asks your own server; [plan.md](plan.md) computes what was not measured.",
  ];
  return `${parts.join("\n").trimEnd()}\n`;
}

const STORY = `A game's server keeps its players in a Google spreadsheet. With nine blocking workers and a cache of five seconds in each it broke when ten people
played at once. Its authors went to sixteen gevent workers with 1,000 connections each and a cache of thirty seconds, counted 16,000 connections, expected 200 to
500 users, and asked what 10,000 in a day and 100,000 at once would take. Here the same questions are put to all three: the system before, the one after,
and drover.
`;

/** One in a hundred, as `drover load` has it. */
const MAY_REFUSE = 0.01;

function verdict({ latencyMs, errors, timeouts, refused, requests, valid }: RunStep): string {
  if (errors + timeouts > 0 || latencyMs === undefined) return "**does not hold**";
  if (refused >= requests * MAY_REFUSE) return "**refuses**";
  if (latencyMs.p95 >= LIMIT_MS) return "**too slow**";
  return valid ? "holds" : "holds (the generator was late)";
}

const stepRow = (step: RunStep): string[] => [
  `${short(step.achievedPerSecond)} of ${short(step.offeredPerSecond)}`,
  ...(["p50", "p95", "p99", "max"] as const).map((name) => (step.latencyMs === undefined ? "—" : short(step.latencyMs[name]))),
  String(step.errors + step.timeouts),
  String(step.refused),
  verdict(step),
];
const STEP_HEAD = ["good answers/s, of those wanted", "p50 ms", "p95 ms", "p99 ms", "longest ms", "errors", "refused", ""];

function questionPart(results: Results, { plots: withPlots }: PageOptions): string[] {
  const { questions } = results.sources;
  const [first] = questions;
  if (first === undefined) return [];
  const rows = questions.flatMap(({ system, steps }) => steps.map((step) => [system, String(step.users), ...stepRow(step)]));
  const picture = withPlots ? plots(results).filter(({ name }) => name === "users") : [];
  const calls = questions.map(({ system, upstreamCalls, steps }) => [
    system,
    String(upstreamCalls),
    steps.reduce((sum, { requests }) => sum + requests, 0).toLocaleString("en-US"),
  ]);
  return [
    "## 10, 100, 500\n",
    `Each user asks, reads for ${short(first.thinkMs / 1_000)} s on the average, and asks again, for ${short(first.steps[0]?.seconds ?? 0)} s after a warm-up; the spreadsheet answers after ${short(first.upstreamMs)} ms. It holds if 95 of 100 answers come within ${LIMIT_MS} ms and nothing fails.\n`,
    ...picture.map(({ name, alt }) => `![${alt}](plots/${name}.svg)\n`),
    table(["", "users", ...STEP_HEAD], rows),
    "",
    "What that cost at Google, warm-up included; the quota of reads is 60 a minute for one service account:\n",
    table(["", "reads of Google", "requests"], calls),
    "",
  ];
}

function abPart({ sources, workers }: Results): string[] {
  if (sources.ab.length === 0) return [];
  const rows = sources.ab.map(({ connections, round }) => [
    `\`ab -n ${round.requests} -c ${connections}\``,
    ...[round.rps, round.p50, round.p99, round.max].map(short),
    String(round.errors),
  ]);
  return [
    "## The same with `ab`\n",
    `The documents' own three commands, and what they ask for: less than 100 ms a request, none failed. drover, ${workers} workers, its rows fetched:\n`,
    table(["", "requests/s", "p50 ms", "p99 ms", "longest ms", "failed"], rows),
    "",
  ];
}

const stepsTable = ({ steps }: Question): string =>
  table(
    ["", "users", ...STEP_HEAD, "CPU of a request, ms", "reads of Google"],
    steps.map((step) => [
      step.label,
      String(step.users),
      ...stepRow(step),
      step.cpuSeconds === undefined ? "—" : short((step.cpuSeconds / Math.max(1, step.requests)) * 1_000),
      step.upstreamCalls === undefined ? "—" : String(step.upstreamCalls),
    ]),
  );

function ladderPart({ sources: { ladder } }: Results): string[] {
  if (ladder === null) return [];
  const margin = ladder.steps.at(-1);
  return [
    `## The ladder, and a margin of ${margin?.users ?? 0}\n`,
    `\`drover load URL --ladder ${ladder.steps.map(({ users }) => users).join(",")}\`, the documents' steps with their names (verdict of the whole run: ${ladder.verdict}):\n`,
    stepsTable(ladder),
    "",
  ];
}

function campaignPart({ sources: { campaign } }: Results): string[] {
  if (campaign === null) return [];
  return [
    "## 10,000 in a day\n",
    `The campaign's profile: up to 300 at once, 60 % reads, 30 % writes, 10 % exports; ${campaign.compressed}. Writes are acknowledged when they are on disk; limits of single addresses are off, because to drover all of these users are one (verdict of the whole run: ${campaign.verdict}):\n`,
    stepsTable(campaign),
    "",
  ];
}

function tenThousandPart(results: Results): string[] {
  const kept = results.throughput.filter((one) => one.keepAlive && one.connections >= 500 && one.rounds.drover !== undefined);
  const { held } = results;
  if (kept.length === 0 && held === null) return [];
  const rows = kept.map((one) => [
    one.connections.toLocaleString("en-US"),
    ...(["rps", "p50", "p99"] as const).map((key) => short(median(of(one.rounds.drover, key)))),
    String(total(one.rounds.drover, "errors")),
  ]);
  const { questions } = results.sources;
  return [
    "## 10,000 at once\n",
    ...(rows.length === 0
      ? []
      : [
          "Connections that ask again the moment they are answered, which no user does:\n",
          table(["connections", "requests/s", "p50 ms", "p99 ms", "errors"], rows),
          "",
        ]),
    ...(held === null
      ? []
      : [
          `The ${held.wanted.toLocaleString("en-US")} connections that were "theoretical": ${held.alive.toLocaleString("en-US")} of ${held.wanted.toLocaleString("en-US")} were held on this machine by ${held.workers} workers (at most ${held.perWorker.toLocaleString("en-US")} each) with ${short(held.pss)} MiB in all, and ${held.requests.toLocaleString("en-US")}
requests among them were answered with a p99 of ${short(held.p99)} ms and ${held.errors} errors. ${questions[0] === undefined ? "" : `100 users are ${short((100 / held.wanted) * 100)} % of that number, not the 6 % that were counted.`}\n`,
        ]),
  ];
}

/** 100,000 requests a second: so many CPU-seconds a second as 100,000 requests cost, with as many connections as were measured. */
function internetPart(results: Results): string[] {
  const widest = results.throughput
    .filter(({ keepAlive, rounds: all }) => keepAlive && all.drover !== undefined)
    .reduce<Scenario | undefined>((most, one) => (most === undefined || one.connections > most.connections ? one : most), undefined);
  if (widest === undefined) return [];
  const { machine, held, footprint } = results;
  const cpus = (stack: StackName): number => median(of(widest.rounds[stack], "cpu")) / MAY_USE;
  const machines = Math.ceil(cpus("drover") / machine.cpus);
  const each = held === null ? undefined : ((held.pss - held.pssBefore) * 1_024) / Math.max(1, held.opened);
  const base = footprint.find(({ stack }) => stack === "drover")?.loaded;
  const ttl = Math.ceil((machines * 60) / CALLS_A_MINUTE);
  const rows = (["drover", "held", "fastify", "pm2", "puma", "gunicorn", "nginx"] as const)
    .filter((stack) => widest.rounds[stack] !== undefined)
    .map((stack) => [LABEL[stack], short(cpus(stack)), String(Math.ceil(cpus(stack) / machine.cpus))]);
  return [
    "## 100,000 at once\n",
    `One request a second each is ${INTERNET.toLocaleString("en-US")} requests a second. This was not run: it is arithmetic on the CPU that 100,000 requests were measured to cost with
${widest.connections.toLocaleString("en-US")} connections, with CPUs ${short(MAY_USE * 100)} % busy.\n`,
    table(["", "CPUs", `machines of ${machine.cpus} CPUs`], rows),
    "",
    `- ${INTERNET.toLocaleString("en-US")} answers of ${results.answerBytes.toLocaleString("en-US")} bytes are ${short((INTERNET * results.answerBytes * 8) / 1e9)} Gbit/s before compression; 1 Gbit/s carries ${Math.floor(1e9 / (results.answerBytes * 8)).toLocaleString("en-US")} of them a second.`,
    `- Each machine has a cache of its own: ${machines} of them keep within the ${CALLS_A_MINUTE} calls a minute that may be used with a TTL of ${ttl} s or more. A CDN in front takes reads off all of them.`,
    ...(each === undefined
      ? []
      : [
          `- A held connection took ${short(each)} KiB: 100,000 of them ${short((each * INTERNET) / 2 ** 20)} GiB${base === undefined ? "" : `, beside the ${short(base)} MiB of a tree itself`}.`,
        ]),
    "- Writes do not grow with machines: Google takes 60 calls a minute of one account however many machines ask. What does not fit into so many batches needs another store.",
    "- `drover plan --preset internet` has the rest: connections, network, cost, and where the documents' own arithmetic goes wrong.",
    "",
  ];
}
