/**
 * Measures against the bottleneck, the most effective first, and common measures that would not
 * help here.
 */
import type { ServerFigures } from "../../load/server.ts";
import { BUSY, finding, percent, type Bottleneck, type Situation } from "./bottleneck.ts";
import { HOW_TO_KNOW } from "./target-bars.ts";
import type { StepResult } from "./verdict.ts";

export interface Advice {
  /** The most effective first; the first is the next step. */
  readonly ranked: readonly string[];
  /** With the reason. */
  readonly useless: readonly string[];
}

const NGINX =
  "a cache in nginx for what anonymous users read (proxy_cache of some seconds, gzip there): cached answers cost the service no CPU";
const SECOND =
  "a second machine behind a load balancer, each with its own users (docs/when-sheets-must-go.md)";
const BATCHED =
  "batched reads and a connection pool to Google: drover already sends one batchGet for all tables on kept connections";
const ROWS = "several rows in one request to write: one call, one acknowledgement";
const CACHE = "a cache that all its processes share, with a TTL of 30 to 60 s";
const POOL = "batched calls and a connection pool to what it asks";
const QUIET =
  "measure while the machine is quiet, or from another one: this result says nothing of the server";

type Measures = readonly [ranked: readonly string[], useless?: readonly string[]];

/** Against what binds a drover. */
function ofDrover(is: Bottleneck, { hitRatio = 1, cpu = 0 }: Partial<ServerFigures>): Measures {
  const workers = `more workers: the CPUs are ${percent(cpu)} busy already`;
  const ttl = `a longer TTL: ${percent(hitRatio)} is answered from memory already`;
  const measures: Partial<Record<Bottleneck, Measures>> = {
    quota: [
      [
        "a longer TTL for the tables that change seldom (ttl in the tables file)",
        "a higher quota from Google, then DROVER_READS_PER_MINUTE",
      ],
      ["more workers, or a cache outside: all workers share one cache already", BATCHED],
    ],
    upstream: [[NGINX], ["more workers: they would wait for the same calls", BATCHED]],
    cpu: [
      [NGINX, ROWS, SECOND],
      [workers, ttl],
    ],
    memory: [
      ["DROVER_MAX_RSS, if workers grow", SECOND],
      ["more workers: each takes memory of its own"],
    ],
    worker: [
      [
        "work that computes in threads, not on the event loop (docs/your-application.md, Threads)",
        "more workers, if there are fewer than CPUs",
        NGINX,
      ],
      [ttl],
    ],
    connections: [
      ["kept connections from nginx (keepalive in its upstream block): users share them", SECOND],
      [ttl],
    ],
    refusals: [
      ["DROVER_MAX_SLOTS, if the reason is full (drover plan --max-slots says what that costs)"],
      [ttl, workers],
    ],
    unknown: [
      [NGINX, ROWS],
      [workers, ttl],
    ],
  };
  return measures[is] ?? [[]];
}

/** Against what binds another program. */
const OF_ANOTHER: Partial<Record<Bottleneck, Measures>> = {
  cpu: [[NGINX, CACHE, SECOND], ["more processes: the CPUs are full"]],
  memory: [["fewer processes", SECOND], ["more processes: each takes memory of its own"]],
  worker: [[CACHE, POOL, NGINX]],
  unknown: [[CACHE, POOL, "more processes or threads, if each request waits in one", NGINX]],
};

export function advise(situation: Situation): Advice {
  const { results, ending, known } = situation;
  const { is } = finding(situation);
  const bad = results.find(({ verdict }) => verdict !== "PASS");
  const measures = known ? ofDrover(is, bad?.server ?? {}) : (OF_ANOTHER[is] ?? [[]]);
  const [ranked, useless = []] = ending === "done" ? measures : [[]];
  return { ranked: [nextStep(situation, is, bad), ...ranked], useless };
}

function nextStep(situation: Situation, is: Bottleneck, bad: StepResult | undefined): string {
  const { results, ending, known, json, url, searching } = situation;
  if (ending === "target gone")
    return known
      ? "read drover status and the log: the service went away under load"
      : "find out why the target died: its own log, dmesg";
  if (ending === "interrupted") return "run it again to the end: this is a part";
  if (results.length === 0) return "run it again";
  if (is === "generator" && (bad?.generator.elu ?? 1) < BUSY) return QUIET;
  if (is !== "none") return against(is, situation);
  if (json !== undefined)
    return `drover plan --from ${json}: what binds beyond this, and how many users the machine holds`;
  return searching
    ? `drover load ${url} --ladder 5,10,25,50,100,200 --json run.json, then drover plan --from run.json: what binds beyond this`
    : `drover load ${url} --find-max: how many users it holds`;
}

/** Refused because of its address, not because the target is full. */
const isByAddress = ({ measured }: StepResult): boolean =>
  measured.counts.reasons.has("refused: rate");

function against(
  is: Exclude<Bottleneck, "none">,
  { results, known, searching }: Situation,
): string {
  const steps: Readonly<Record<Exclude<Bottleneck, "none">, string>> = {
    generator:
      "load it with fewer users or a longer --think, or from several machines (drover emit k6): this result says nothing of the server",
    gone: "ask the target once by hand (curl -i): it answers nothing well",
    quota: "a longer DROVER_CACHE_TTL: each table costs one read per TTL (docs/cache-and-quota.md)",
    memory: "fewer workers (DROVER_WORKERS), or more memory: drover plan says which",
    cpu: "measure from another machine, so that the generator takes nothing; then drover plan for the CPUs that this needs",
    others: QUIET,
    worker: known
      ? "drover top: see which worker is busy, and drover stack SLOT what with"
      : "one process does all the work: more of them would use the other CPUs (drover serve APP runs several)",
    connections: "a larger DROVER_WORKER_CONNECTIONS, or more workers",
    refusals: results.some(isByAddress)
      ? "these users share one address: --spread-addresses (loopback), --user-file signs them in, or start the target with DROVER_RATE_LIMIT=off DROVER_EXPORT_RATE=off"
      : "raise the limit that refuses (X-Drover-Refused names it), or take it as the capacity",
    errors: known
      ? "drover status, and the log, for the errors above"
      : "the server's own log, for the errors above",
    deaths: known
      ? "drover status (deaths), and the log: why they ended"
      : "the server's own log: why its processes end",
    upstream: "a longer TTL for the tables that are asked for most (docs/cache-and-quota.md)",
    limits: "raise the limit that is named above, or send fewer",
    unmeasured:
      results[0]?.step.model === "open"
        ? "a longer --hold, or a higher --rate"
        : "a longer --hold, or more users",
    unseen: HOW_TO_KNOW,
    unknown: `find out what the server waits for: its own log, its database${searching ? "" : "; --find-max tells how many users it holds"}`,
  };
  return steps[is];
}
