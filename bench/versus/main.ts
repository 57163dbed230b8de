/**
 * drover beside what one would take instead, on the same work in the same run.
 *
 *   npm run bench                   everything (see bench/README.md for how long), and the pages that tell of it
 *   npm run bench -- --quick        the same in small, printed and not kept
 *
 *   --only throughput,held          some parts, printed and not kept
 *   --again footprint               some parts, in the place of what the last whole run measured of them; the pages say so
 *   --stacks drover,pm2,nginx       some of the others
 *   --out FILE                      where the results go
 *   --trial                         the least of everything: whether it all works, no figure is worth anything
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../../src/base/errors.ts";
import { bodyOf, fetchAnswer, keepAnswer } from "./answer.ts";
import type { Context } from "./context.ts";
import { installed, machine, mood, type Installed } from "./machine.ts";
import { repeated, rounded } from "./measure.ts";
import { performancePage } from "./pages/performance.ts";
import { writePages } from "./pages/write.ts";
import { endEverything, leave, place } from "./process.ts";
import { readResults } from "./results-file.ts";
import type { Results, Sources } from "./results.ts";
import { expiry, herd, upstreamCalls } from "./sections/cache.ts";
import { footprint } from "./sections/footprint.ts";
import { held } from "./sections/held.ts";
import { reload } from "./sections/reload.ts";
import { sources } from "./sections/sources.ts";
import { stuck } from "./sections/stuck.ts";
import { throughput, workersBesideCpus } from "./sections/throughput.ts";
import { sizeOfThings } from "./size.ts";
import { SIZES, type Sizes } from "./sizes.ts";
import { LABEL, STACKS, type StackName } from "./stack.ts";
import { NEEDS, start } from "./start.ts";
import { ROOT } from "./start-drover.ts";

type Parts = Pick<
  Results,
  "throughput" | "workersBesideCpus" | "footprint" | "reload" | "stuck" | "upstream" | "expiry" | "herd" | "held" | "sources"
>;
const NO_SOURCES: Sources = { ab: [], questions: [], ladder: null, campaign: null };
const NOTHING: Parts = {
  throughput: [],
  workersBesideCpus: [],
  footprint: [],
  reload: [],
  stuck: [],
  upstream: [],
  expiry: [],
  herd: [],
  held: null,
  sources: NO_SOURCES,
};
const PARTS: Readonly<{ [K in keyof Parts]: (context: Context) => Promise<Parts[K]> }> = {
  throughput,
  workersBesideCpus,
  footprint,
  reload,
  stuck,
  upstream: upstreamCalls,
  expiry,
  herd,
  held,
  sources,
};

interface Order {
  readonly sizes: Sizes;
  readonly only: readonly (keyof Parts)[];
  readonly out: string | undefined;
  /** Everything was asked for: the results and the pages are kept. */
  readonly keep: boolean;
  /** What a part is put into. */
  readonly into: Results | undefined;
}

const KEPT = join(ROOT, "bench/results/full.json");

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function fail(text: string): never {
  say(`bench: ${text}`);
  process.exit(64);
}

/** @returns the names as what they must be. */
function among<T extends string>(text: string, names: readonly T[], what: string): T[] {
  return text
    .split(",")
    .map((name) => names.find((known) => known === name) ?? fail(`${name} is no ${what}; there are ${names.join(", ")}`));
}

function readOrder(): Order {
  const options = { quick: { type: "boolean" }, trial: { type: "boolean" } } as const;
  const texts = { only: { type: "string" }, again: { type: "string" }, stacks: { type: "string" }, out: { type: "string" } } as const;
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, ...texts } }));
  } catch (error) {
    return fail(messageOf(error));
  }
  const mode = values.trial === true ? "trial" : values.quick === true ? "quick" : "full";
  const named = Object.keys(PARTS) as (keyof Parts)[];
  const chosen = values.only ?? values.again;
  const only = chosen === undefined ? named : among(chosen, named, "part");
  const into = values.again === undefined ? undefined : (readResults(KEPT) ?? fail(`there is no ${KEPT} to put it into: npm run bench`));
  if (into !== undefined && (mode !== "full" || values.only !== undefined || values.stacks !== undefined || values.out !== undefined))
    fail("--again stands alone: it measures a part as the whole run did");
  const stacks = values.stacks === undefined ? SIZES[mode].stacks : among(values.stacks, STACKS, "stack");
  const keep = mode === "full" && values.only === undefined && values.stacks === undefined;
  const out = values.out ?? (keep ? KEPT : undefined);
  const sizes = { ...SIZES[mode], stacks, wide: SIZES[mode].wide.filter((name) => stacks.includes(name)) };
  return { sizes, only, out, keep: keep && values.out === undefined, into };
}

/** What everyone will answer. */
async function contextOf(sizes: Sizes, there: Installed, dir: string, fail: Context["fail"]): Promise<Context> {
  const workers = availableParallelism() * 4;
  const first = await start("drover", { workers: 1, answerFile: "" });
  try {
    const answerFile = keepAnswer(dir, await fetchAnswer(first.port, first.path));
    const can = (name: StackName): boolean => {
      const needs = NEEDS[name];
      return needs === undefined || there.has(needs);
    };
    return { sizes, workers, answerFile, body: bodyOf(answerFile), can, fail, say };
  } finally {
    await first.stop();
  }
}

async function measureAll({ sizes, only }: Order, there: Installed): Promise<Results> {
  const began = performance.now();
  const at = place();
  const moods: Results["mood"][number][] = [];
  const failed: Results["failed"][number][] = [];
  let parts = NOTHING;
  let part = "";
  try {
    const context = await contextOf(sizes, there, at.dir, (what, error) => {
      failed.push({ part: what === part ? part : `${part}: ${what}`, why: messageOf(error) });
      say(`${part}: ${what} could not be measured: ${messageOf(error)}`);
    });
    for (const name of only) {
      part = name;
      const now = await mood(name);
      moods.push(now);
      say(
        `${name}  (${rounded((performance.now() - began) / 60_000, 1)} min; calibration ${now.calibrationMs} ms, others ${now.others} CPUs)`,
      );
      try {
        parts = { ...parts, [name]: await PARTS[name](context) };
      } catch (error) {
        context.fail(name, error);
      }
    }
    return {
      format: "drover-bench",
      version: 1,
      mode: sizes.mode,
      command: `npm run bench${sizes.mode === "full" ? "" : ` -- --${sizes.mode}`}`,
      day: new Date().toISOString().slice(0, 10),
      minutes: rounded((performance.now() - began) / 60_000, 1),
      machine: machine(),
      versions: there.versions,
      skipped: there.skipped,
      mood: moods,
      repeated: repeated(),
      failed,
      workers: context.workers,
      answerBytes: context.body.length,
      size: sizeOfThings(),
      ...parts,
    };
  } finally {
    leave(at);
  }
}

/** The whole run with some parts of a later one in their places. */
function measuredAgain(whole: Results, later: Results, parts: readonly (keyof Parts)[]): Results {
  const again = Object.fromEntries(parts.map((part) => [part, later[part]])) as Partial<Parts>;
  const others = whole.mood.filter(({ part }) => !parts.some((one) => one === part));
  const named = [...new Set([...(whole.again ?? []), ...parts])];
  return { ...whole, ...again, mood: [...others, ...later.mood], failed: [...whole.failed, ...later.failed], again: named };
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    endEverything();
    process.exit(130);
  });
const order = readOrder();
const there = installed();
for (const { what, install } of there.skipped) say(`${what} is not installed and is left out: ${install}`);
say(
  `drover beside ${order.sizes.stacks
    .filter((name) => name !== "drover")
    .map((name) => LABEL[name])
    .join(", ")}; ${order.sizes.mode}`,
);
const measured = await measureAll(order, there);
const results = order.into === undefined ? measured : measuredAgain(order.into, measured, order.only);
if (order.out !== undefined) {
  mkdirSync(dirname(order.out), { recursive: true });
  writeFileSync(order.out, `${JSON.stringify(results, null, 1)}\n`);
  say(`results: ${relative(process.cwd(), order.out)}`);
}
if (order.keep) say(`pages: ${writePages(ROOT, results).join(", ")}`);
else process.stdout.write(performancePage(results, { plots: false }));
say(`${results.minutes} minutes`);
if (results.failed.length > 0) process.exitCode = 1;
