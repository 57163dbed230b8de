/** docs/performance.md, from results: every figure on it comes from the JSON, and what is said of them holds whatever they are. */
import type { Results, Scenario } from "../results.ts";
import { LABEL, type StackName } from "../stack.ts";
import { conditions, HEADER, UNMEASURED } from "./about.ts";
import { median, of, ratios, rounds, seconds, short, spread, table, total } from "./figures.ts";
import { goals } from "./goals.ts";
import { reasons } from "./missed.ts";
import { plots } from "./plots.ts";

export interface PageOptions {
  /** Links to the files of the plots. */
  readonly plots: boolean;
}

const TITLE = "# How fast is it, beside what I would take instead?\n";

export function performancePage(results: Results | undefined, options: PageOptions): string {
  if (results === undefined) return `${HEADER}\n${TITLE}\n${UNMEASURED}`;
  const picture = (name: string): string[] =>
    options.plots
      ? plots(results)
          .filter((one) => one.name === name)
          .map(({ alt }) => `![${alt}](plots/${name}.svg)\n`)
      : [];
  const parts = [
    HEADER,
    TITLE,
    introduction(results),
    conditions(results),
    ...goalsPart(results),
    ...throughputPart(results, picture),
    ...workersPart(results),
    ...footprintPart(results, picture),
    ...reloadPart(results),
    ...stuckPart(results),
    ...cachePart(results),
    ...heldPart(results),
    sizePart(results),
    METHOD,
  ];
  return `${parts.join("\n").trimEnd()}\n`;
}

const introduction = ({
  workers,
  answerBytes,
  mode,
}: Results): string => `Everyone serves the same ${answerBytes.toLocaleString("en-US")} bytes of JSON, the rows of a table, from a cache, with ${workers} workers unless a table says otherwise.
All are up at once and take turns; a figure is the median of the rounds, with the least and the most behind it. Absolute figures are this machine's:
compare within a table.${mode === "full" ? "" : ` **A ${mode} run: too short for figures to be relied on.**`}
`;

function goalsPart(results: Results): string[] {
  const all = goals(results);
  if (all.length === 0) return [];
  const rows = all.map(({ what, limit, measured, kept }) => [what, limit, measured, kept ? "kept" : "**missed**"]);
  const missed = all.filter(({ kept }) => !kept).length;
  const why = reasons(results, all);
  return [
    "## Goals\n",
    `${all.length - missed} of ${all.length} kept. Ratios are taken round by round.\n`,
    table(["", "goal", "measured", ""], rows),
    "",
    ...(why.length === 0 ? [] : ["Why those that are missed are missed:\n", ...why, ""]),
  ];
}

function throughputPart(results: Results, picture: (name: string) => string[]): string[] {
  if (results.throughput.length === 0) return [];
  return [
    "## Cached reads\n",
    ...picture("requests"),
    ...picture("p99"),
    ...results.throughput.flatMap((one) => [`### ${headingOf(one)}\n`, throughputTable(results, one), ""]),
    "### What a request costs\n",
    `CPU of the whole process tree, from /proc: the figure that a noisy machine changes least. The generator's own CPU is not in it.\n`,
    ...picture("cpu"),
    ...picture("cpu-new"),
  ];
}

const headingOf = ({ connections, keepAlive, rounds: all }: Scenario): string =>
  keepAlive
    ? `${connections.toLocaleString("en-US")} kept connections`
    : `\`ab -n ${Math.max(...Object.values(all).flatMap((one) => of(one, "requests")))} -c ${connections}\`: a connection for every request`;

function throughputTable(results: Results, one: Scenario): string {
  const stacks = Object.keys(one.rounds) as StackName[];
  const beside: readonly StackName[] = ["gunicorn", "held", "spread"];
  const against = beside.filter((stack) => stacks.includes(stack));
  const head = [
    "",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "most ms",
    "errors",
    "CPU-s for 100,000",
    ...against.map((stack) => `CPU ÷ ${LABEL[stack]}`),
  ];
  const rows = stacks.map((stack) => {
    const all = one.rounds[stack];
    return [
      stack === "drover" ? `**${LABEL[stack]}**` : LABEL[stack],
      spread(of(all, "rps")),
      short(median(of(all, "p50"))),
      spread(of(all, "p99")),
      short(Math.max(...of(all, "max"))),
      String(total(all, "errors")),
      spread(of(all, "cpu")),
      ...against.map((other) => short(median(ratios(all, rounds(results, one.key, other), "cpu")))),
    ];
  });
  return table(head, rows);
}

function workersPart({ workersBesideCpus, machine }: Results): string[] {
  if (workersBesideCpus.length === 0) return [];
  const rows = workersBesideCpus.map((one) => [
    `${one.workers} (CPU × ${one.workers / machine.cpus})`,
    spread(of(one.keepAlive, "rps")),
    spread(of(one.keepAlive, "p99")),
    spread(of(one.keepAlive, "cpu")),
    spread(of(one.fresh, "rps")),
    spread(of(one.fresh, "p99")),
    short(one.idle),
    short(one.loaded),
  ]);
  return [
    "## CPU × 1 beside CPU × 4\n",
    "The default is CPU × 4. An event loop serves thousands of connections at once, so that more loops than CPUs add switching and memory; what they buy is that\none blocked loop holds up fewer clients. drover alone:\n",
    table(["workers", "requests/s, kept", "p99 ms", "CPU-s for 100,000", "requests/s, `ab`", "p99 ms", "MiB idle", "MiB after it"], rows),
    "",
  ];
}

function footprintPart({ footprint }: Results, picture: (name: string) => string[]): string[] {
  if (footprint.length === 0) return [];
  const rows = footprint.map(({ stack, workers, startSeconds, startCpuSeconds, idle, loaded }) => [
    LABEL[stack],
    String(workers),
    spread(startSeconds),
    spread(startCpuSeconds),
    short(idle),
    short(loaded),
  ]);
  return [
    "## Start and memory\n",
    `One tree at a time. Start: from exec until the last worker serves. Memory: PSS of the whole tree (drover's with its master and its broker), ten seconds after
the start, and after 100 kept connections, \`ab -c 100\` and 2,000 connections.\n`,
    table(["", "workers", "start s", "CPU-s of it", "MiB idle", "MiB loaded"], rows),
    "",
    ...picture("memory"),
  ];
}

function reloadPart({ reload }: Results): string[] {
  if (reload.length === 0) return [];
  const rows = reload.map((one) => [
    LABEL[one.stack],
    String(one.reloads),
    seconds(one.reloadSeconds),
    `${one.keepAlive.errors} of ${one.keepAlive.requests.toLocaleString("en-US")}`,
    short(one.keepAlive.max),
    `${one.fresh.errors} of ${one.fresh.requests.toLocaleString("en-US")}`,
    short(one.fresh.max),
  ]);
  return [
    "## Reload under load\n",
    "50 kept connections and 50 clients with a connection for every request, side by side, while every worker is replaced. A reload has taken until the\nlast new worker served.\n",
    table(["", "reloads", "one takes", "failed, kept", "longest ms", "failed, new", "longest ms"], rows),
    "",
  ];
}

function stuckPart({ stuck }: Results): string[] {
  const [first] = stuck;
  if (first === undefined) return [];
  const rows = stuck.map(({ stack, watchedSeconds, replacedAfter, fresh, kept }) => [
    LABEL[stack],
    replacedAfter === null ? `not within ${watchedSeconds} s` : `${short(replacedAfter)} s`,
    ...[fresh, kept].flatMap((one) => [`${one.failed + one.hanging} of ${one.asked}`, String(one.late), short(one.max)]),
  ]);
  return [
    "## A worker's loop is blocked\n",
    `One request computes for a minute and never gives way; workers are to be replaced after ${first.timeoutSeconds} s of silence. Meanwhile 50 new connections a second ask, and 64 kept
ones. Late: after more than half a second. drover runs the very program that PM2 and node:cluster run.\n`,
    table(["", "replaced after", "new: no answer", "late", "longest ms", "kept: no answer", "late", "longest ms"], rows),
    "",
  ];
}

function cachePart({ upstream, expiry, herd }: Results): string[] {
  const [first] = upstream;
  const [old] = expiry;
  const [cold] = herd;
  const calls = upstream.map((one) => [
    LABEL[one.stack],
    String(one.calls),
    short((one.calls * 60) / one.seconds),
    one.reads.toLocaleString("en-US"),
    String(one.failed),
  ]);
  const aging = expiry.map((one) => [
    LABEL[one.stack],
    spread(of(one.expiring, "p99")),
    spread(of(one.hot, "p99")),
    spread(ratios(one.expiring, one.hot, "p99")),
    short(Math.max(...of(one.expiring, "max"))),
  ]);
  const herds = herd.map((one) => [
    LABEL[one.stack],
    String(one.calls),
    String(one.failed),
    short(one.p50),
    short(one.p99),
    seconds(one.seconds),
  ]);
  return [
    ...(first === undefined
      ? []
      : [
          "## Calls to Google\n",
          `A TTL of ${first.ttlSeconds} s, readers at random for ${first.seconds} s, everyone at once. A cache in each worker asks once for each of them; the others here fetch once at a time in each.\n`,
          table(["", "calls", "a minute", "reads", "failed"], calls),
          "",
        ]),
    ...(old === undefined
      ? []
      : [
          "## When rows grow old\n",
          `100 kept connections, a TTL of ${old.ttlSeconds} s, an upstream that takes ${short(old.upstreamMs)} ms; beside it the same program with rows that never age, in turns.\n`,
          table(["", "p99 ms, aging", "p99 ms, never", "÷", "longest ms"], aging),
          "",
        ]),
    ...(cold === undefined
      ? []
      : [
          "## A herd at a cold cache\n",
          `${cold.clients.toLocaleString("en-US")} clients connect and ask at once; nothing has been fetched yet, and the upstream takes ${short(cold.upstreamMs)} ms.\n`,
          table(["", "calls", "failed", "p50 ms", "p99 ms", "all served after"], herds),
          "",
        ]),
  ];
}

function heldPart({ held }: Results): string[] {
  if (held === null) return [];
  const each = ((held.pss - held.pssBefore) * 1_024) / Math.max(1, held.opened);
  return [
    `## ${held.wanted.toLocaleString("en-US")} connections\n`,
    `The documents' 16 workers × 1,000. Here ${held.workers} workers, each with at most ${held.perWorker.toLocaleString("en-US")}: they need not be spread to the last one.
From ${held.addresses} loopback addresses; each is asked once as it is opened, and then requests go to connections drawn by lot while all are held.\n`,
    table(
      [
        "opened",
        "in",
        "still open",
        "requests among them",
        "errors",
        "p50 ms",
        "p99 ms",
        "most ms",
        "MiB before",
        "MiB with them",
        "KiB each",
        "CPUs",
      ],
      [
        [
          held.opened.toLocaleString("en-US"),
          seconds(held.openSeconds),
          held.alive.toLocaleString("en-US"),
          held.requests.toLocaleString("en-US"),
          String(held.errors),
          ...[held.p50, held.p99, held.max, held.pssBefore, held.pss, each, held.cpus].map(short),
        ],
      ],
    ),
    "",
  ];
}

const sizePart = ({ size }: Results): string => `## The size of things

${table(
  ["lines of the supervisor (base, settings, master, worker)", "lines of src", "files", "runtime dependencies", "settings"],
  [
    [size.supervisorLines, size.sourceLines, size.sourceFiles, size.runtimeDependencies, size.settings].map((value) =>
      value.toLocaleString("en-US"),
    ),
  ],
)}
`;

const METHOD = `## How it is measured

- Kept connections are asked by wrk, new ones by ab, both native; their CPU is told apart from the server's. Where one is missing the benches' own generator takes its place.
  A measurement lasts 3 s in a full run; from 2,000 connections on 6, because opening them is part of it.
- **bare node:http** is the yardstick: \`writeHead\` and \`end(buffer)\` of the same bytes and headers, on the same kind of held handle, with V8's flags as drover's workers have them, and no
  library. **node:cluster**, **PM2** and (where it says so) drover run one and the same program; **Fastify** its own in node:cluster, its log off. **Gunicorn** runs Flask's \`jsonify\` of rows that lie in the
  process, as most applications do; the line below it keeps bytes. nginx and HAProxy have no application: they are the limit.
- Before the first round, and before the first with a connection for each request, everyone is warmed up at full load for 5 s. The order is reversed every other round. What was measured while others took more than a third of a CPU is measured again.
- drover's emulator stands for Google and is not counted. Nothing is tuned that its documentation does not tell everyone to tune; limits of connections are raised
  for all so that 10,000 fit. wrk corrects its percentiles: a long wait counts once more for each request that it kept from being sent (\`stats_correct\`). ab's are those of answers.
- drover runs as it is shipped: its workers are SCHED_BATCH to the kernel, nobody else's are. That is a setting, and any server may be started so: [adr 27](adr/0027-workers-are-batch-work.md)
  has drover without it and the bare server with it.
- Not here: TLS, a network, more CPUs, other versions than these. The programs that are compared stand in \`bench/versus/apps\`, raw rounds in \`bench/results\`.
`;
