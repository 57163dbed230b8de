/** From a command line to all that a run needs. */
import { readFileSync, statSync } from "node:fs";
import { DroverError, messageOf } from "../../base/errors.ts";
import { mebibytes, seconds } from "../../base/units.ts";
import { MOST_USERS } from "../../load/bounds.ts";
import type { RunOptions } from "../../tools/load/runner.ts";
import { discover } from "../../load/discover.ts";
import { readPeople } from "../../load/people.ts";
import { readProfile, type Profile } from "../../load/profile.ts";
import { lasting, number, time } from "../../tools/load/report/figures.ts";
import { lasts, peak, type Step } from "../../load/shape.ts";
import { findTarget, parseTarget } from "../../load/target.ts";
import { CLASSES, thinkOf, type Person } from "../../load/traffic.ts";
import { detectMachine, type Machine } from "../../settings/machine.ts";
import { HOW_TO_KNOW } from "../../tools/load/target-bars.ts";
import { LOAD_FLAGS, readLoadFlags, type LoadFlags } from "./flags.ts";
import { probe } from "./probe.ts";
import type { Remote } from "./remote.ts";
import { sharedAddress, spreadable } from "../../tools/load/spread.ts";
import { checkFiles } from "../../tools/load/report/files.ts";
import type { RunFacts } from "../../tools/load/report/run-file.ts";
import { scenarioOf, type Scenario } from "./scenario.ts";
import { readSettingsOfCaller } from "../options.ts";
import { version } from "../version.ts";

const PATIENCE = seconds(10);
const LARGEST = mebibytes(64);

/** @throws DroverError DROVER_E_USAGE naming the flag, the file, and why it is none. */
function readFile(flag: string, file: string): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) throw new Error("there is no such file");
    const odd = found.isDirectory() ? "it is a folder" : !found.isFile() ? "it is a device, a pipe or a socket" : undefined;
    if (odd !== undefined) throw new Error(`${odd}; expected a file`);
    if (found.size > LARGEST) throw new Error(`${found.size} bytes; expected at most 64 MiB`);
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `--${flag} ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** All that is known before anybody is sent. */
export interface Prepared {
  readonly flags: LoadFlags;
  readonly scenario: Scenario;
  readonly options: RunOptions;
  readonly facts: RunFacts;
  /** Of the daemon of this folder, where there is one. */
  readonly dataDir: string;
  /** A search for the most goes no further. */
  readonly mostUsers: number;
}

export async function prepare(argv: readonly string[]): Promise<Prepared> {
  const { own, positional, resolved } = readSettingsOfCaller(argv, LOAD_FLAGS);
  const [url, ...others] = positional;
  if (url === undefined || others.length > 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      url === undefined ? "whom? drover load URL, such as http://127.0.0.1:8080" : `drover load takes one URL, not ${others[0]} too`,
    );
  const flags = readLoadFlags(own);
  const machine = detectMachine(process.env);
  const profile: Profile | undefined =
    flags.profile === undefined ? undefined : readProfile(readFile("profile", flags.profile), flags.profile);
  const people: Person[] = flags.userFile === undefined ? [] : readPeople(readFile("user-file", flags.userFile), flags.userFile);
  checkFiles(flags);
  const target = await findTarget(parseTarget(url), flags.ownHost);
  if (flags.spread) await spreadable(target);
  const timeoutMs = flags.patience ?? PATIENCE;
  const signIn = profile?.login !== undefined || people.length > 0;
  const found = await discover(target, profile?.endpoints ?? [], { timeoutMs, signIn });
  const scenario = scenarioOf(flags, profile, found.endpoints, people);
  enoughFiles(scenario.steps, machine);
  const { server, note } = await probe(target, { settings: resolved.settings, machine, remote: remoteOf(flags) });
  knowable(flags, server !== undefined);
  const seed = flags.seed ?? 1;
  const startedAt = new Date().toISOString();
  const { traffic, thresholds } = scenario;
  const options: RunOptions = {
    target,
    traffic,
    thresholds,
    server,
    timeoutMs,
    spread: flags.spread,
    seed,
    run: Date.now().toString(36),
    connections: Math.max(1, Math.min(MOST_CONNECTIONS, mostFiles(machine))),
    limited: mostFiles(machine) < MOST_CONNECTIONS,
  };
  const shared = flags.spread ? [] : sharedAddress(scenario.steps, traffic, target);
  const notes = [...found.notes, ...scenario.notes, ...shared, ...(note === undefined ? [] : [note])];
  const thinkMs = thinkOf(traffic);
  const facts: RunFacts = {
    startedAt,
    version: version(),
    target: target.url,
    argv,
    seed,
    server,
    signedIn: traffic.login !== undefined,
    thinkMs,
    thresholds,
    notes,
  };
  return { flags, scenario, options, facts, dataDir: resolved.settings.data_dir, mostUsers: mostUsers(machine) };
}

function remoteOf({ admin, adminTokenFile }: LoadFlags): Remote | undefined {
  if (admin === undefined || adminTokenFile === undefined) return undefined;
  const token = readFile("admin-token-file", adminTokenFile).trim();
  if (/^[\w.~+/=-]{1,512}$/.test(token)) return { url: admin, token };
  throw new DroverError("DROVER_E_USAGE", `--admin-token-file ${adminTokenFile}: expected one line, the token`);
}

/** A kernel gives a program some 28,000 ports towards one address. */
const MOST_CONNECTIONS = 10_000;
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

const mostFiles = ({ nofile = Infinity }: Pick<Machine, "nofile">): number => nofile - OWN_FILES;
/** At once, by the files that this process may open. */
export const mostUsers = (machine: Pick<Machine, "nofile">): number => Math.max(1, Math.min(MOST_USERS, mostFiles(machine)));

/** The usual thresholds are judged where they can be; one that was asked for must be. */
function knowable({ thresholds }: LoadFlags, known: boolean): void {
  const blind = known ? undefined : thresholds.find(({ metric }) => metric.startsWith("target_"));
  if (blind !== undefined)
    throw new DroverError("DROVER_E_USAGE", `threshold "${blind.text}": this figure of the target is unknown. ${HOW_TO_KNOW}`);
}

/** Who is sent where, and what is odd about it. */
export function introduction({ flags, scenario, options, facts }: Prepared): string {
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
      ? lasting(lasts(steps))
      : `${number(flags.requests)} requests`;
  return [
    `target      ${facts.target}  (${mix} over ${used.length} endpoint${used.length === 1 ? "" : "s"}: ${used
      .slice(0, 4)
      .map(({ name }) => name)
      .join(", ")}${used.length > 4 ? ", …" : ""})`,
    `load        ${open ? "requests at a rate (open model)" : `users who wait, think ${time(facts.thinkMs)} on the average, and ask again (closed model)`}; ${long}; seed ${options.seed}`,
    ...facts.notes.map((note) => `note        ${note}`),
    "",
    "",
  ].join("\n");
}
