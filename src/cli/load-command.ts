/** `drover load`: users are sent to a server, step by step, and it is said what it holds. */
import { readFileSync, statSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { DroverError, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { mebibytes, seconds } from "../base/units.ts";
import type { Situation } from "../load/bottleneck.ts";
import { Conductor, type Orders } from "../load/conductor.ts";
import { discover, prime } from "../load/discover.ts";
import { search, searched, type Search } from "../load/find-max.ts";
import { readPeople } from "../load/people.ts";
import { readProfile, type Profile } from "../load/profile.ts";
import { number, time } from "../load/report/figures.ts";
import { heading, row } from "../load/report/table.ts";
import { summary } from "../load/report/text.ts";
import type { StepResult } from "../load/result.ts";
import { held, lasts, mean, peak, type Step } from "../load/shape.ts";
import { findTarget, parseTarget } from "../load/target.ts";
import { CLASSES, meanThink, type Person } from "../load/traffic.ts";
import { detectMachine, type Machine } from "../settings/machine.ts";
import { LOAD_FLAGS, MOST_RATE, MOST_USERS, readLoadFlags, type LoadFlags } from "./load/flags.ts";
import { Live } from "./load/live.ts";
import { probe } from "./load/probe.ts";
import { checkFiles, runOf, writeReports, type RunFacts } from "./load/reports.ts";
import { scenarioOf, type Scenario } from "./load/scenario.ts";
import { readClientOptions } from "./options.ts";
import { version } from "./version.ts";

const PATIENCE = seconds(10);
const LARGEST = mebibytes(64);

/** Labels, paths and reasons are strangers' words: nothing but text and line ends reaches the terminal. The blanks of the columns stay. */
const print = (text: string): void =>
  void process.stdout.write(stripVTControlCharacters(text).replaceAll(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu, "?"));

function readFile(flag: string, file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new DroverError("DROVER_E_USAGE", `--${flag} ${file}: there is no such file`);
  if (!found.isFile() || found.size > LARGEST)
    throw new DroverError("DROVER_E_USAGE", `--${flag} ${file}: expected a file of at most 64 MiB`);
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `--${flag} ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** All that is known before anybody is sent. */
interface Prepared {
  readonly flags: LoadFlags;
  readonly scenario: Scenario;
  readonly orders: Orders;
  readonly facts: RunFacts;
}

async function prepare(argv: readonly string[]): Promise<Prepared> {
  const { own, positional, resolved } = readClientOptions(argv, LOAD_FLAGS);
  const [url, ...others] = positional;
  if (url === undefined || others.length > 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      url === undefined ? "whom? drover load URL, such as http://127.0.0.1:8080" : `drover load takes one URL, not ${others[0]} too`,
    );
  const flags = readLoadFlags(own);
  checkFiles(flags);
  const machine = detectMachine(process.env);
  const profile: Profile | undefined =
    flags.profile === undefined ? undefined : readProfile(readFile("profile", flags.profile), flags.profile);
  const people: Person[] = flags.userFile === undefined ? [] : readPeople(readFile("user-file", flags.userFile), flags.userFile);
  const target = await findTarget(parseTarget(url), flags.ownHost);
  const timeoutMs = flags.patience ?? PATIENCE;
  const found = await discover(target, profile?.endpoints ?? [], timeoutMs);
  const scenario = scenarioOf(flags, profile, found.endpoints, people);
  enoughFiles(scenario.steps, machine);
  const { server, note } = await probe(target, resolved.settings, machine);
  knowable(flags, server !== undefined);
  const seed = flags.seed ?? 1;
  const startedAt = new Date().toISOString();
  const threads = flags.threads ?? Math.max(1, Math.min(4, Math.floor(machine.cpus / 2)));
  const { traffic, thresholds } = scenario;
  const orders: Orders = { target, traffic, thresholds, server, timeoutMs, threads, seed, run: Date.now().toString(36) };
  const notes = [...scenario.notes, ...(note === undefined ? [] : [note])];
  const thinkMs = meanThink(traffic.actions);
  const facts: RunFacts = {
    startedAt,
    version: version(),
    target: target.url,
    argv,
    seed,
    server: server?.about,
    thinkMs,
    thresholds,
    notes,
  };
  return { flags, scenario, orders, facts };
}

/** Besides the users' connections. */
const OWN_FILES = 64;
function enoughFiles(steps: readonly Step[], machine: Machine): void {
  const users = peak(steps.filter(({ model }) => model === "closed"));
  if (machine.nofile !== undefined && users + OWN_FILES > machine.nofile)
    throw new DroverError(
      "DROVER_E_USAGE",
      `${users} users need ${users + OWN_FILES} open files and the limit is ${machine.nofile}: ulimit -n ${users + OWN_FILES}`,
    );
}

/** The usual thresholds are judged where they can be; one that was asked for must be. */
function knowable({ thresholds }: LoadFlags, known: boolean): void {
  const blind = known ? undefined : thresholds.find(({ metric }) => metric.startsWith("target_"));
  if (blind !== undefined)
    throw new DroverError(
      "DROVER_E_USAGE",
      `threshold "${blind.text}": the target is no drover whose control socket can be reached, so nobody knows that figure`,
    );
}

function introduction({ flags, scenario, orders, facts }: Prepared): string {
  const { steps, traffic } = scenario;
  const all = CLASSES.reduce((sum, kind) => sum + traffic.mix[kind], 0);
  const mix = CLASSES.filter((kind) => traffic.mix[kind] > 0)
    .map((kind) => `${number((traffic.mix[kind] / all) * 100)} % ${kind}s`)
    .join(", ");
  const used = traffic.endpoints.filter((one) => traffic.mix[one.class] > 0);
  const open = steps[0]?.model === "open";
  const long = flags.findMax
    ? "until the most is found"
    : flags.requests === undefined
      ? time(lasts(steps))
      : `${number(flags.requests)} requests`;
  return [
    `target      ${facts.target}  (${mix} over ${used.length} endpoint${used.length === 1 ? "" : "s"}: ${used
      .slice(0, 4)
      .map(({ name }) => name)
      .join(", ")}${used.length > 4 ? ", …" : ""})`,
    `load        ${open ? "requests at a rate (open model)" : `users who wait, think ${time(facts.thinkMs)} on the average, and ask again (closed model)`}; ${long}; seed ${orders.seed}${orders.threads > 1 ? `; ${orders.threads} threads` : ""}`,
    ...facts.notes.map((note) => `note        ${note}`),
    "",
    "",
  ].join("\n");
}

export async function load(argv: readonly string[]): Promise<number> {
  const prepared = await prepare(argv);
  const { flags, scenario, orders } = prepared;
  print(introduction(prepared));
  if (flags.dryRun) {
    print(
      `would send about ${number(expectedRequests(scenario, prepared.facts.thinkMs))} requests, and up to ${number(peak(scenario.steps))} ${scenario.steps[0]?.model === "open" ? "a second" : "users at once"}\n`,
    );
    return EXIT.done.code;
  }
  const known = orders.server !== undefined;
  const live = new Live(process.stdout, flags.findMax ? undefined : lasts(scenario.steps) / 1_000);
  const results: StepResult[] = [];
  const conductor = new Conductor(orders, {
    begin: (step, nr) => live.begin(step, nr),
    moment: (moment, sample) => live.moment(moment, sample),
    end: (result) => {
      live.clear();
      results.push(result);
      print(`${row(result, known)}\n`);
    },
  });
  const stop = interruptible(conductor, () => live.clear());
  print(`${heading(known)}\n`);
  await prime(orders.target, scenario.traffic.endpoints, orders.timeoutMs);
  try {
    if (flags.findMax) await findMax(conductor, flags, scenario);
    else for (const [i, step] of scenario.steps.entries()) if ((await conductor.step(step, i + 1)) === undefined) break;
    await conductor.end();
  } finally {
    live.clear();
    stop();
  }
  return finish(prepared, conductor, results);
}

const expectedRequests = ({ steps }: Scenario, thinkMs: number): number =>
  steps.reduce((sum, step) => {
    const time = (step.warmMs + step.holdMs) / 1_000;
    return (
      sum +
      Math.min(step.most ?? Infinity, step.model === "open" ? mean(step) * time : (mean(step) * time) / Math.max(0.001, thinkMs / 1_000))
    );
  }, 0);

/** Ctrl-C ends the run and keeps what was measured; once more, and it is left at once. */
function interruptible(conductor: Conductor, clear: () => void): () => void {
  let once = false;
  const heard = (): void => {
    clear();
    if (once) process.exit(EXIT.interrupted.code);
    once = true;
    process.stderr.write("drover: interrupted: the report will have what was measured (again: without a report)\n");
    conductor.interrupt();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}

async function findMax(conductor: Conductor, { rate }: LoadFlags, { steps }: Scenario): Promise<void> {
  const [first] = steps;
  if (first === undefined) return;
  const most = rate === undefined ? MOST_USERS : MOST_RATE;
  let state: Search = search(Math.max(1, Math.round(first.to)));
  for (let nr = 1; state.is !== "found"; nr += 1) {
    const result = await conductor.step(held(first.model, state.next, first.holdMs), nr);
    if (result === undefined || result.verdict === "INVALID" || result.cut) {
      print(`\nat least ${number(state.good)} ${rate === undefined ? "users" : "requests/s"}: the search could not go on\n`);
      return;
    }
    state = searched(state, result.verdict === "PASS", most);
  }
  const unit = rate === undefined ? "users" : "requests/s";
  print(`\nholds ${number(state.good)} ${unit}${state.bad === undefined ? " (no more were tried)" : `, not ${number(state.bad)}`}\n`);
}

function finish({ flags, orders, facts }: Prepared, conductor: Conductor, results: readonly StepResult[]): number {
  const { ending } = conductor;
  const situation: Situation = { results, ending, known: orders.server !== undefined, json: flags.json, url: facts.target };
  const [code, verdict] = outcome(situation, flags.findMax);
  print(
    `\n${ending === "target gone" ? "the target is gone: nothing but broken connections for 3 s; this is what was measured until then\n" : ""}`,
  );
  print(summary(situation, runOf(results, facts)));
  const written = writeReports(flags, facts, { situation, moments: conductor.moments, verdict });
  if (written.length > 0) print(`written     ${written.join(", ")}\n`);
  print(`${verdict}${ending === "done" ? "" : ` (a part: ${ending})`}, exit ${code}\n`);
  return code;
}

/** A search ends at what fails: only what can't be believed, or nothing that holds, is no good end of it. */
function outcome({ results, ending }: Situation, searching: boolean): readonly [number, string] {
  const has = (verdict: StepResult["verdict"]): boolean => results.some((result) => result.verdict === verdict);
  const failed = searching ? !has("PASS") && has("FAIL") : has("FAIL");
  if (ending === "interrupted") return [EXIT.interrupted.code, failed ? "FAIL" : "INVALID"];
  if (failed || ending === "target gone") return [EXIT.thresholds.code, "FAIL"];
  if (has("INVALID")) return [EXIT.invalidRun.code, "INVALID"];
  return results.length === 0 ? [EXIT.invalidRun.code, "INVALID"] : [EXIT.done.code, "PASS"];
}
