/**
 * What would help, the most effective first, and which usual measures would not: each bottleneck has its own order. The list is that of people who
 * tune such services: a longer TTL, more workers, a cache in nginx, batches, a connection pool.
 */
import { finding, nextStep, type Bottleneck, type Situation } from "./bottleneck.ts";
import type { ServerFigures } from "./server.ts";

export interface Advice {
  /** The most effective first; the first is the next step. */
  readonly ranked: readonly string[];
  /** Measures that change nothing here, and why. */
  readonly useless: readonly string[];
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

const NGINX =
  "a cache in nginx for what anonymous users read (proxy_cache of some seconds, gzip there): cached answers cost the service no CPU";
const SECOND = "a second machine behind a load balancer, each with its own users (docs/when-sheets-must-go.md)";
const BATCHED = "batched reads and a connection pool to Google: drover already sends one batchGet for all tables on kept connections";
const ROWS = "several rows in one request to write: one call, one acknowledgement";

type Measures = Readonly<Record<"ranked" | "useless", readonly string[]>>;
const NOTHING: Measures = { ranked: [], useless: [] };

/** Of a drover; undefined figures: its control socket did not answer. */
function ofDrover(is: Bottleneck, { hitRatio = 1, cpu = 0 }: Partial<ServerFigures>): Measures {
  const workers = `more workers: the CPUs are ${percent(cpu)} busy already`;
  const ttl = `a longer TTL: ${percent(hitRatio)} is answered from memory already`;
  switch (is) {
    case "quota":
      return {
        ranked: [
          "a longer TTL for the tables that change seldom (ttl in the tables file)",
          "a higher quota from Google, then DROVER_READS_PER_MINUTE",
        ],
        useless: ["more workers, or a cache outside: all workers share one cache already", BATCHED],
      };
    case "upstream":
      return { ranked: [NGINX], useless: ["more workers: they would wait for the same calls", BATCHED] };
    case "cpu":
      return { ranked: [NGINX, ROWS, SECOND], useless: [workers, ttl] };
    case "memory":
      return { ranked: ["DROVER_MAX_RSS, if workers grow", SECOND], useless: ["more workers: each takes memory of its own"] };
    case "worker":
      return {
        ranked: [
          "work that computes in threads, not on the event loop (docs/your-application.md, Threads)",
          "more workers, if there are fewer than CPUs",
          NGINX,
        ],
        useless: [ttl],
      };
    case "connections":
      return { ranked: ["kept connections from nginx (keepalive in its upstream block): users share them", SECOND], useless: [ttl] };
    case "refusals":
      return {
        ranked: ["DROVER_MAX_SLOTS, if the reason is full (drover plan --max-slots says what that costs)"],
        useless: [ttl, workers],
      };
    case "unknown":
      return { ranked: [NGINX, ROWS], useless: [workers, ttl] };
    default:
      return NOTHING;
  }
}

/** Of another program, of which nothing but its answers and perhaps its processes are known. */
function ofAnother(is: Bottleneck): Measures {
  const cached = "a cache that all its processes share, with a TTL of 30 to 60 s";
  const pooled = "batched calls and a connection pool to what it asks";
  switch (is) {
    case "cpu":
      return { ranked: [NGINX, cached, SECOND], useless: ["more processes: the CPUs are full"] };
    case "memory":
      return { ranked: ["fewer processes", SECOND], useless: ["more processes: each takes memory of its own"] };
    case "worker":
      return { ranked: [cached, pooled, NGINX], useless: [] };
    case "unknown":
      return { ranked: [cached, pooled, "more processes or threads, if each request waits in one", NGINX], useless: [] };
    default:
      return NOTHING;
  }
}

/** @returns the next step alone where nothing binds, or the run itself is what is wrong. */
export function advise(situation: Situation): Advice {
  const { is } = finding(situation);
  const bad = situation.results.find(({ verdict }) => verdict !== "PASS");
  const { ranked, useless } = situation.ending === "done" ? (situation.known ? ofDrover(is, bad?.server ?? {}) : ofAnother(is)) : NOTHING;
  return { ranked: [nextStep(situation), ...ranked], useless };
}
