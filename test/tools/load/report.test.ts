/** What comes out: rows, files, plots, the sentence that names what binds. Everything from outside is hostile here. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { seconds } from "../../../src/base/units.ts";
import { advise } from "../../../src/tools/load/advice.ts";
import { bottleneck, finding, type Situation } from "../../../src/tools/load/bottleneck.ts";
import { Live, sparkline } from "../../../src/tools/load/report/live.ts";
import { writeReports } from "../../../src/tools/load/report/files.ts";
import { runStep, type RunFacts } from "../../../src/tools/load/report/run-file.ts";
import { html, type Report } from "../../../src/tools/load/report/html.ts";
import { niceStep } from "../../../src/tools/load/report/svg.ts";
import { heading, checksOverall, row } from "../../../src/tools/load/report/table.ts";
import { summary } from "../../../src/tools/load/report/text.ts";
import { resultOf, type StepResult } from "../../../src/tools/load/verdict.ts";
import type { ServerSample } from "../../../src/load/server.ts";
import { held } from "../../../src/load/shape.ts";
import { targetLine, targetVerdicts } from "../../../src/tools/load/target-bars.ts";
import {
  parseThreshold,
  USUAL,
  withUsual,
  type Threshold,
} from "../../../src/tools/load/thresholds.ts";
import { readRun } from "../../../src/tools/plan/run/run.ts";
import { temporaryFolder } from "../../support/folder.ts";
import type { Answer } from "../../../src/tools/load/engine/counts.ts";
import { measuredOf } from "./measured.ts";

const EVIL = `=1+"<script>alert('x')</script>\u001b[31m`;
const about = {
  cpus: 2,
  memoryBytes: 1e9,
  workers: 2,
  workerConnections: 9,
  cacheTtlMs: 1,
  tables: 1,
  readsPerMinute: 60,
};
const sample = (at: number, more: Partial<ServerSample> = {}): ServerSample => ({
  at,
  cpuSeconds: 0,
  rssBytes: 1e8,
  elu: 0.1,
  hits: at,
  stale: 0,
  misses: 0,
  upstreamCalls: 0,
  quota: { used: 1, limit: 51, locked: false },
  full: false,
  workers: 2,
  deaths: 0,
  machineCpu: 0.2,
  ...more,
});

interface Made {
  readonly thinkMs?: number;
  readonly ms?: number;
  /** Good ones. */
  readonly answers?: number;
  readonly failed?: readonly (readonly [Answer["outcome"], string])[];
  readonly end?: Partial<ServerSample>;
  readonly foreign?: true;
  readonly elu?: number;
  readonly label?: string;
  readonly thresholds?: readonly Threshold[];
}

function made({
  thinkMs = 5_000,
  ms = 10,
  answers = 200,
  failed = [],
  end = {},
  foreign,
  elu = 0.1,
  label = "goal",
  thresholds = USUAL,
}: Made = {}): StepResult {
  const bad = failed.map(([outcome, reason]) => ({
    endpoint: EVIL,
    answer: { outcome, reason },
    ms,
  }));
  return resultOf({
    step: held("closed", 100, seconds(10), label),
    measured: measuredOf([{ endpoint: EVIL, ms, times: answers }, ...bad], { loop: elu }),
    samples: foreign ? [] : [sample(0, { machineCpu: end.machineCpu ?? 0.2 }), sample(10_000, end)],
    about: foreign ? undefined : { machine: about, about },
    generatorCpu: 0.1,
    thinkMs,
    thresholds,
    limited: false,
    cut: false,
  });
}

const report = (results: readonly StepResult[]): Report => ({
  title: EVIL,
  target: EVIL,
  command: EVIL,
  startedAt: "2026-11-21T15:00:00Z",
  tool: EVIL,
  machine: EVIL,
  notes: [EVIL],
  results,
  seconds: [1, 2, 3].map((at) => ({
    at,
    lasted: 1,
    step: EVIL,
    perSecond: at,
    p50: at === 2 ? undefined : at,
    p95: at * 2,
    good: at === 2 ? 0 : at,
    failed: 0,
    refused: 1,
    isLate: at === 3,
  })),
  limitMs: 500,
  bottleneck: EVIL,
  advice: { ranked: [EVIL, EVIL], useless: [EVIL] },
  verdict: "PASS",
  ending: EVIL,
});

test("the report runs nothing, loads nothing, and shows what came from outside as text", () => {
  const text = html(report([made({ label: EVIL, failed: [["error", EVIL]] }), made()]));
  assert.doesNotMatch(text, /<script|NaN|undefined|Infinity/);
  assert.equal(text.includes("\u001b"), false);
  assert.doesNotMatch(text, /(?:src|href|url)\s*[=(]|@import/);
  assert.match(text, /default-src 'none'/);
  assert.match(text, /&#60;script&#62;alert/);
  assert.equal(text.match(/<svg /g)?.length, 3);
});

test("a report of nothing but failures, and of one step, is drawn without what is not known", () => {
  const measured = measuredOf([{ answer: { outcome: "timeout", reason: "timeout" } }], {
    seconds: 1,
  });
  const none: StepResult = { ...made(), measured, server: undefined };
  assert.doesNotMatch(html({ ...report([none]), seconds: [] }), /NaN|undefined|Infinity/);
});

test("the columns of a row stand under their names, with the server's figures or without", () => {
  for (const known of [true, false]) {
    const [head, line] = [heading(known), row(made(), known)];
    assert.equal(head.indexOf("VERDICT"), line.indexOf("PASS"), `${head}\n${line}`);
    assert.equal(head.indexOf("P95") + 3, line.indexOf("10 ms", head.indexOf("P50") + 3) + 5);
  }
});

test("a run is what drover plan reads, with what it does not read beside it", () => {
  const steps = [made(), made({ foreign: true })].map((result) => ({
    ...runStep(result, 5_000),
    verdict: "PASS",
  }));
  const run = {
    format: "drover-load-run",
    version: 1,
    startedAt: "x",
    tool: "t",
    target: "http://127.0.0.1/",
    server: about,
    steps,
  };
  const read = readRun(JSON.stringify(run), "run.json");
  assert.deepEqual(
    [read.steps[0]?.hitRatio, read.steps[0]?.requests, read.steps[1]?.cpuSeconds],
    [1, 200, undefined],
  );
});

test("good answers alone are done, and where there is none there is no latency", () => {
  const refused = made({ failed: Array.from({ length: 50 }, () => ["refused", "rate"] as const) });
  const { achievedPerSecond, offeredPerSecond, requests } = runStep(refused, 5_000);
  assert.deepEqual(
    [achievedPerSecond, offeredPerSecond, requests, refused.verdict],
    [20, 25, 250, "FAIL"],
  );
  assert.equal(bottleneck(refused).is, "refusals");
  const next = (results: StepResult[]): string =>
    nextStep({
      results,
      ending: "done",
      known: true,
      searching: false,
      json: undefined,
      url: "http://x/",
    });
  assert.match(
    next([refused]),
    /share one address: --spread-addresses \(loopback\), --user-file signs them in/,
  );
  assert.match(
    next([made({ failed: Array.from({ length: 50 }, () => ["refused", "overload"] as const) })]),
    /raise the limit that refuses/,
  );
  const dead = made({ answers: 0, failed: [["timeout", "timeout"]] });
  assert.deepEqual(
    [runStep(dead, 5_000).latencyMs, runStep(dead, 5_000).achievedPerSecond],
    [undefined, 0],
  );
});

test("what binds is named from what is seen, the generator first", () => {
  const cases: [Made, string, RegExp][] = [
    [{}, "none", /none at goal/],
    [{ elu: 0.99 }, "generator", /its own loop was 99 % busy/],
    [
      { ms: 900, end: { quota: { used: 51, limit: 51, locked: false } } },
      "quota",
      /51 of 51 reads/,
    ],
    [{ ms: 900, end: { rssBytes: 8e8 } }, "memory", /80 % of it/],
    [{ ms: 900, end: { cpuSeconds: 19 } }, "cpu", /95 % of the machine/],
    [{ ms: 900, end: { cpuSeconds: 12, machineCpu: 0.99 } }, "cpu", /60 % of the machine/],
    [
      { ms: 900, end: { cpuSeconds: 0.2, machineCpu: 0.99 } },
      "others",
      /CPUs are 99 % busy, 1 % is the server's/,
    ],
    [
      { failed: [["error", "HTTP 500"]], end: { cpuSeconds: 0.2, machineCpu: 0.8 } },
      "errors",
      /HTTP 500: 1/,
    ],
    [{ ms: 900, end: { full: true } }, "connections", /at its cap/],
    [{ ms: 900, end: { elu: 0.97 } }, "worker", /97 % busy while CPUs are free/],
    [
      { ms: 900, end: { hits: 10, misses: 90, upstreamCalls: 50 } },
      "upstream",
      /only 10 % is answered from memory/,
    ],
    [{ failed: [["error", "HTTP 500"]] }, "errors", /HTTP 500: 1/],
    [
      { failed: [["error", "ECONNRESET"]], end: { elu: 1, deaths: 2 } },
      "deaths",
      /2 of the server's children ended unasked \(ECONNRESET: 1\)/,
    ],
    [{ failed: [["error", "ECONNREFUSED"]], end: { elu: 1 } }, "errors", /ECONNREFUSED: 1/], // a loop that boots is busy
    [{ ms: 900, foreign: true }, "unknown", /nothing is known of the server/],
  ];
  for (const [what, is, says] of cases) {
    const found = bottleneck(made(what));
    assert.deepEqual([found.is, says.test(found.says)], [is, true], found.says);
  }
});

test("without a pause the generator is never idle: a pass is one, and the plan leaves it out", () => {
  const breathless = made({ elu: 0.99, thinkMs: 0 });
  assert.deepEqual([breathless.verdict, runStep(breathless, 0).valid], ["PASS", false]);
  assert.equal(made({ elu: 0.99, thinkMs: 0, ms: 900 }).verdict, "INVALID");
});

const nextStep = (situation: Situation): string => advise(situation).ranked[0] ?? "";
const SITUATION = {
  ending: "done",
  known: true,
  searching: false,
  json: undefined,
  url: "http://127.0.0.1/",
} as const;

test("1.8: advice is ranked by the observed bottleneck, and measures that would not help are named", () => {
  const after = (what: Made, known = true): readonly [string, string] => {
    const { ranked, useless } = advise({ ...SITUATION, known, results: [made(what)] });
    return [ranked.join("\n"), useless.join("\n")];
  };
  const cases: [Made, boolean, RegExp, RegExp][] = [
    [{ ms: 900, end: { quota: { used: 51, limit: 51, locked: false } } }, true, /^a longer DROVER_CACHE_TTL[^]*ttl in the tables file[^]*READS_PER_MINUTE/, /more workers, or a cache outside[^]*one batchGet/],
    [{ ms: 900, end: { cpuSeconds: 19 } }, true, /^measure from another machine[^]*cache in nginx[^]*several rows[^]*each with its own users/, /more workers: the CPUs are 95 % busy[^]*longer TTL: 100 %/],
    [{ ms: 900, end: { hits: 10, misses: 90, upstreamCalls: 50 } }, true, /^a longer TTL[^]*nginx/, /they would wait for the same calls/],
    [{ ms: 900, end: { rssBytes: 8e8 } }, true, /^fewer workers[^]*DROVER_MAX_RSS/, /more workers: each takes memory/],
    [{ ms: 900, end: { elu: 0.97 } }, true, /^drover top[^]*threads[^]*more workers, if there are fewer/, /longer TTL/],
    [{ ms: 900, foreign: true }, false, /^find out what[^]*a cache that all its processes share[^]*connection pool[^]*more processes/, /^$/],
    [{}, true, /^drover load .* --find-max: how many users it holds$/, /^$/],
  ]; // prettier-ignore
  for (const [what, known, ranked, useless] of cases) {
    const [first, second] = after(what, known);
    assert.deepEqual(
      [ranked.test(first), useless.test(second)],
      [true, true],
      `${first}\n--\n${second}`,
    );
  }
  assert.ok(
    !cases.some(([what, known]) => /Redis/.test(after(what, known).join())),
    "sessions in Redis are no setting yet",
  );
  const text = summary(
    { ...SITUATION, results: [made({ ms: 900, end: { cpuSeconds: 19 } })] },
    undefined,
  );
  assert.match(
    text,
    /^next +measure from another machine.*\nthen 2\. +a cache in nginx.*\nthen 3\..*\nthen 4\..*\nno use +more workers: /m,
  );
});

test("1.7: the target's CPU and memory have a verdict: below 70 and 50 % there is room, 80 % of the CPU fails the run", () => {
  const line = (end: Partial<ServerSample>): string =>
    targetLine(targetVerdicts([made(), made({ end, label: "margin" })]));
  assert.equal(
    line({ cpuSeconds: 4 }),
    "CPU 20 % at margin: passes (test 80, scale 70, block 80); memory 10 % at goal: passes (test 50, scale 80, block 85)",
  );
  assert.match(
    line({ cpuSeconds: 15 }),
    /^CPU 75 % at margin: passes, and a larger machine is due/,
  );
  assert.match(line({ cpuSeconds: 17 }), /^CPU 85 % at margin: fails: let no more users in/);
  assert.match(line({ rssBytes: 6e8 }), /memory 60 % at margin: fails the test \(/);
  assert.match(
    line({ rssBytes: 8.2e8 }),
    /memory 82 % at margin: fails the test, and a larger machine is due/,
  );
  assert.match(line({ rssBytes: 9e8 }), /memory 90 % at margin: fails: let no more users in/);
  assert.equal(made({ end: { cpuSeconds: 17 } }).verdict, "FAIL");
  assert.match(
    targetLine(targetVerdicts([made({ foreign: true })])),
    /^unknown: CPU and memory of the target\. Add --admin URL --admin-token-file FILE/,
  );
  const found = JSON.stringify(targetVerdicts([made({ end: { rssBytes: 6e8 } })]));
  assert.match(found, /"memory","used":60,"at":"goal","verdict":"fail"/);
});

test("1.7: a CPU threshold that the user named and that stays unknown fails; the usual one passes and is called unknown", () => {
  const foreign = made({ foreign: true });
  assert.equal(foreign.verdict, "PASS");
  assert.match(checksOverall([foreign]).join("  "), /target_cpu<80 – \(unknown\)/);
  const named = made({ foreign: true, thresholds: withUsual([parseThreshold("target_cpu<80")]) });
  assert.equal(named.verdict, "FAIL");
  assert.match(checksOverall([named]).join("  "), /target_cpu<80 ✗ \(unknown: Add --admin URL/);
  assert.equal(bottleneck(named).is, "unseen");
});

test("one next step, and another one for each end", () => {
  const at = {
    results: [made()],
    ending: "done",
    known: true,
    searching: false,
    json: undefined,
    url: "http://127.0.0.1/",
  } as const;
  assert.match(nextStep(at), /--find-max/);
  assert.match(nextStep({ ...at, json: "run.json" }), /drover plan --from run\.json/);
  assert.match(nextStep({ ...at, ending: "interrupted" }), /run it again/);
  assert.match(nextStep({ ...at, ending: "target gone", known: false }), /why the target died/);
  assert.match(finding({ ...at, ending: "target gone" }).says, /the target died at goal/);
  assert.match(
    nextStep({ ...at, results: [made({ elu: 0.99 })] }),
    /fewer users or a longer --think, or from several machines/,
  );
});

test("axes are in steps of 1, 2 and 5; a sparkline has gaps where nothing was answered", () => {
  assert.deepEqual(
    [niceStep(7, 5), niceStep(0.03, 5), niceStep(1_200, 5), niceStep(100, 5)].map((n) =>
      Number(n.toPrecision(3)),
    ),
    [2, 0.01, 500, 20],
  );
  assert.equal(sparkline([1, undefined, 8]), "▂ █");
  assert.equal(sparkline([0, 0]), "▁▁");
});

const facts: RunFacts = {
  startedAt: "2026-11-21T15:00:00Z",
  version: "0",
  target: "http://127.0.0.1/",
  argv: [],
  seed: 1,
  server: undefined,
  signedIn: false,
  thinkMs: 5_000,
  thresholds: [],
  notes: [],
};

const write = (
  results: readonly StepResult[],
  files: Parameters<typeof writeReports>[0],
): ReturnType<typeof writeReports> =>
  writeReports(files, facts, {
    situation: {
      results,
      ending: "done",
      known: true,
      json: undefined,
      searching: false,
      url: "http://127.0.0.1/",
    },
    seconds: [],
    verdict: "PASS",
  });

test("a report that can't be written is told, and the others are written", () => {
  const folder = temporaryFolder("reports");
  const htmlFile = join(folder, "run.html");
  const { written, missing } = write([made()], { json: "/dev/full", html: htmlFile });
  assert.deepEqual(written, [htmlFile]);
  assert.deepEqual(
    [missing.length, missing[0]?.file, /ENOSPC/.test(missing[0]?.why ?? "")],
    [1, "/dev/full", true],
  );
  assert.deepEqual(readdirSync(folder).sort(), ["run.html"]);
  assert.deepEqual(write([], { json: "/dev/full", html: undefined }), { written: [], missing: [] });
});

test("children that died and the shares of the machine are in every file, and of another program only what is known", () => {
  const folder = temporaryFolder("reports");
  const json = join(folder, "run.json");
  const results = [
    made({ end: { deaths: 2, cpuSeconds: 5 }, failed: [["error", "ECONNRESET"]] }),
    made({ foreign: true }),
  ];
  const [seen] = results;
  assert.ok(seen?.server !== undefined);
  write([...results, { ...seen, server: { ...seen.server, upstreamCalls: undefined } }], {
    json,
    html: undefined,
  });
  const { steps } = JSON.parse(readFileSync(json, "utf8")) as { steps: Record<string, unknown>[] };
  assert.deepEqual(
    steps.map(({ cpu, rss, deaths }) => [cpu, rss, deaths]),
    [
      [0.25, 0.1, 2],
      [undefined, undefined, undefined],
      [0.25, 0.1, undefined],
    ],
  );
});

test("the clock of a run stops at its end", () => {
  let shown = "";
  const out = {
    isTTY: true,
    columns: 200,
    getColorDepth: () => 8,
    write: (text: string) => (shown += text),
  };
  const live = new Live(out as unknown as NodeJS.WriteStream, 11);
  const second = {
    at: 12.4,
    lasted: 1,
    step: "s",
    perSecond: 0,
    p50: 1,
    p95: 1,
    good: 1,
    failed: 0,
    refused: 0,
    isLate: true,
  };
  live.second(second, undefined);
  assert.match(shown, /0:11\/0:11 {2}s {2}late answers/);
  new Live(out as unknown as NodeJS.WriteStream, undefined).second(second, undefined);
  assert.match(shown, /0:12 {2}s/);
});
