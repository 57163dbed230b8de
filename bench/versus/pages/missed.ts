/** Why a goal is missed, as far as the same run shows it: said beside the figures that show it, and only where it is missed. */
import type { Results } from "../results.ts";
import type { StackName } from "../stack.ts";
import { median, of, ratios, rounds, short, spread } from "./figures.ts";
import type { Goal } from "./goals.ts";

interface Reason {
  /** The beginning of the goals' names that it explains. */
  readonly of: string;
  /** undefined: this run does not show it. */
  why(results: Results): string | undefined;
}

const KA = "keep-alive 100";
const AB = "ab 100";

/** The median of the rounds' ratios; undefined: one of the two is not in the run. */
function against(results: Results, key: string, [one, other]: readonly [StackName, StackName], what: "cpu" | "rps"): string | undefined {
  const all = ratios(rounds(results, key, one), rounds(results, key, other), what);
  return all.length === 0 ? undefined : `${short(median(all))} ×`;
}

const p99 = (results: Results, key: string, stack: StackName): string | undefined => {
  const all = of(rounds(results, key, stack), "p99");
  return all.length === 0 ? undefined : `${short(median(all))} ms`;
};

/** requests/s with 5,000 connections, ÷ with 2,000: what is left of them. */
const wider = (results: Results, stack: StackName): string | undefined => {
  const all = ratios(rounds(results, "keep-alive 5000", stack), rounds(results, "keep-alive 2000", stack), "rps");
  return all.length === 0 ? undefined : `${short(median(all))} ×`;
};

const REASONS: readonly Reason[] = [
  {
    of: "CPU of a request",
    why(results) {
      const [own, price] = [against(results, KA, ["drover", "spread"], "cpu"), against(results, KA, ["spread", "held"], "cpu")];
      if (own === undefined || price === undefined) return undefined;
      const later = ["keep-alive 500", "keep-alive 2000"].flatMap((key) => against(results, key, ["drover", "held"], "cpu") ?? []);
      const warm =
        later.length < 2
          ? ""
          : ` With 500 and 2,000 connections, which are measured later in the run, it takes ${later.join(" and ")} of the bare server's.`;
      return `the kernel gives most of the bare server's 100 connections to a few of its processes, and a busy process does more in one turn of its loop than several half-busy ones. drover spreads them over all ([adr 11](adr/0011-paced-accepts.md)). The bare server spread likewise (SO_REUSEPORT) takes ${price} of its own CPU, and drover ${own} of that.${warm}`;
    },
  },
  {
    of: "requests/s, ÷ Gunicorn, 100",
    why(results) {
      const [bare, cpu] = [against(results, KA, ["held", "gunicorn"], "rps"), against(results, KA, ["gunicorn", "drover"], "cpu")];
      if (bare === undefined || cpu === undefined) return undefined;
      return `the bare server itself reaches ${bare} here, with the generator on the same CPUs. A request costs Gunicorn ${cpu} drover's CPU.`;
    },
  },
  {
    of: "requests/s, ÷ Gunicorn, `ab",
    why(results) {
      const [bare, cpu] = [against(results, AB, ["held", "gunicorn"], "rps"), against(results, AB, ["gunicorn", "drover"], "cpu")];
      if (bare === undefined || cpu === undefined) return undefined;
      return `a connection for each request is mostly the kernel's work and the generator's, which takes a CPU for itself: the bare server reaches ${bare}. A request costs Gunicorn ${cpu} drover's CPU.`;
    },
  },
  {
    of: "requests/s, ÷ PM2",
    why(results) {
      const [bare, cpu] = [against(results, AB, ["held", "pm2"], "rps"), against(results, AB, ["pm2", "drover"], "cpu")];
      if (bare === undefined || cpu === undefined) return undefined;
      return `likewise: the bare server reaches ${bare}. A request costs PM2 ${cpu} drover's CPU.`;
    },
  },
  {
    of: "p99, 2,000",
    why(results) {
      const [bare, spread] = [p99(results, "keep-alive 2000", "held"), p99(results, "keep-alive 2000", "spread")];
      if (bare === undefined || spread === undefined) return undefined;
      return `2,000 connections come at once, and of a few seconds' answers one in thirty or forty is a connection's first: it waits until it is accepted, evenly ([adr 11](adr/0011-paced-accepts.md)), by nine busy processes on two CPUs. The bare server's p99 is ${bare}, spread over all its workers ${spread}.`;
    },
  },
  {
    of: "requests/s at 5,000",
    why(results) {
      const held = wider(results, "held");
      const [spread, proxy] = [wider(results, "spread"), wider(results, "nginx")];
      if (held === undefined || spread === undefined || proxy === undefined) return undefined;
      return `every one of these connections is opened within the seconds that are measured, and each has its own buffers in the kernel and in Node.js: the bare server keeps ${held}, spread over all its workers ${spread}, nginx ${proxy}. None fails.`;
    },
  },
  {
    of: "p99 with rows that age",
    why({ expiry }) {
      const own = expiry.find(({ stack }) => stack === "drover");
      if (own === undefined) return undefined;
      const [aging, hot] = [of(own.expiring, "p99"), of(own.hot, "p99")];
      return `${spread(aging)} ms beside ${spread(hot)}: the rounds of one kind differ more than the kinds do. All CPUs are taken, and who waits for how many time slices is chance ([adr 27](adr/0027-workers-are-batch-work.md)). Nobody waits for Google.`;
    },
  },
  {
    of: "memory of",
    why: () =>
      "the tree has a master that supervises and a broker that Fastify's does not have, about 65 MiB; a worker weighs less than Fastify's ([adr 22](adr/0022-what-a-process-weighs.md), [adr 25](adr/0025-joined-at-build.md)).",
  },
  {
    of: "start of",
    why: () =>
      "the time is CPU on these two, and drover starts a broker besides, with Google's client, and reads its settings before the first worker can start ([adr 25](adr/0025-joined-at-build.md), with what was weighed).",
  },
];

/** One line for each reason of what is missed. */
export function reasons(results: Results, all: readonly Goal[]): string[] {
  const missed = all.filter(({ kept }) => !kept);
  return REASONS.flatMap((reason) => {
    const those = missed.filter(({ what }) => what.startsWith(reason.of)).map(({ what }) => what);
    const why = those.length === 0 ? undefined : reason.why(results);
    return why === undefined ? [] : [`- *${those.join("; ")}*: ${why}`];
  });
}
