/** `drover drill`: what might go wrong at the event, done on purpose before it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { ms, seconds } from "../../base/units.ts";
import { readPeople } from "../../load/people.ts";
import type { Person } from "../../load/traffic.ts";
import type { Settings } from "../../settings/table.ts";
import { askStatus } from "../client.ts";
import { readSettingsOfCaller } from "../options.ts";
import { SAMPLE_DIR } from "../plan.ts";
import type { Status } from "../snapshot.ts";
import { jsonText } from "../terminal/printable.ts";
import type { Drill, Scene } from "./drill.ts";
import { DRILL_USAGE } from "./help.ts";
import { Load } from "./load.ts";
import { DrillOver, LeftOut, Reporter, type DrillReport } from "./report.ts";
import { Service } from "./service.ts";
import { DRILLS } from "./table.ts";
import { Undo } from "./undo.ts";
import { LONGEST_NOTE, recordResult } from "../../tools/checklist/records.ts";
import { version } from "../version.ts";

const FLAGS = [{ name: "allow-live" }, { name: "users", takes: "value" }, { name: "rate", takes: "value" }, { name: "json" }] as const;
const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);
const RATE = { usual: 40, most: 1_000 };
const PATIENCE_BEYOND = seconds(20);

interface Wanted {
  readonly drills: readonly Drill[];
  /** Of several, one that this service has no use for is left out; one that was asked for by name is refused. */
  readonly isAll: boolean;
  readonly settings: Settings;
  readonly allowLive: boolean;
  readonly users: string | undefined;
  readonly rate: number;
  readonly json: boolean;
}

export async function drill(argv: readonly string[]): Promise<number> {
  const wanted = read(argv);
  const first = await askStatus(wanted.settings);
  const people = peopleOf(wanted, first);
  if (!first.demo && !wanted.allowLive)
    throw usage("this service is no demo: a drill takes workers from people, or fills it up. If that is meant, add --allow-live");
  const interrupted = interruptible();
  const service = new Service(wanted.settings, first, interrupted.signal);
  const reporter = new Reporter((line) => void (wanted.json || process.stdout.write(`${line}\n`)));
  const reports: DrillReport[] = [];
  try {
    for (const each of wanted.drills) {
      if (interrupted.signal.aborted) break;
      const report = await runOne(each, { service, report: reporter, people, rate: wanted.rate, isAll: wanted.isAll });
      reports.push(report);
      if (!interrupted.signal.aborted) keep(wanted.settings, report);
    }
  } finally {
    interrupted.end();
  }
  return finish(reports, wanted, interrupted.signal.aborted);
}

/** For `drover checklist`. */
function keep({ data_dir: dir }: Settings, { name, verdict, steps }: DrillReport): void {
  if (verdict === "left out") return;
  const why = steps.find(({ ok }) => !ok)?.text ?? "";
  recordResult(dir, { kind: "drill", name, verdict, version: version(), why: why.slice(0, LONGEST_NOTE) });
}

/** @throws DroverError DROVER_E_USAGE. */
function read(argv: readonly string[]): Wanted {
  const { own, positional, resolved } = readSettingsOfCaller(argv, FLAGS);
  const [name, ...more] = positional;
  const drills = name === "all" ? DRILLS : DRILLS.filter((each) => each.name === name);
  if (drills.length === 0 || more.length > 0) throw usage(`usage: drover drill ${DRILL_USAGE} (not ${positional.join(" ") || "nothing"})`);
  const given = own.get("rate") ?? String(RATE.usual);
  const rate = /^\d{1,4}$/.test(given) ? Number(given) : 0;
  if (rate < 1 || rate > RATE.most) throw usage(`--rate ${given}: expected a whole number from 1 to ${RATE.most}`);
  const { settings } = resolved;
  return {
    drills,
    isAll: name === "all",
    settings,
    allowLive: own.has("allow-live"),
    users: own.get("users"),
    rate,
    json: own.has("json"),
  };
}

/** @throws DroverError DROVER_E_USAGE for a file that can't be read. */
function peopleOf({ users }: Wanted, { demo }: Status): readonly Person[] | undefined {
  if (users === undefined) return demo ? samplePlayers() : undefined;
  try {
    return readPeople(readFileSync(users, "utf8"), users);
  } catch (error) {
    throw error instanceof DroverError ? error : usage(`--users ${users}: ${messageOf(error)}`);
  }
}

/** Names and codes are those of the sample workbook, as it is shipped; the last come first, whom nobody plays. */
function samplePlayers(): Person[] {
  const [header = "", ...lines] = readFileSync(join(SAMPLE_DIR, "players.csv"), "utf8").trim().split(/\r?\n/);
  const columns = header.split(",");
  const [name, code] = [columns.indexOf("name"), columns.indexOf("code")];
  const people = lines.map((line) => line.split(",")).map((cells) => ({ user: cells[name] ?? "", code: cells[code] ?? "" }));
  const times = Map.groupBy(people, ({ user }) => user);
  return people.filter(({ user, code: own }) => own !== "" && times.get(user)?.length === 1).toReversed();
}

interface Run extends Pick<Scene, "service" | "report" | "people"> {
  readonly rate: number;
  readonly isAll: boolean;
}

async function runOne({ name, shows, run }: Drill, { service, report, people, rate, isAll }: Run): Promise<DrillReport> {
  const begun = performance.now();
  const undo = new Undo();
  const patience = ms(service.settings.timeout + PATIENCE_BEYOND);
  const load = async (): Promise<Load> => {
    const started = await Load.begin(service.url, rate, { patience, signal: service.interrupted });
    undo.later("", () => started.stop());
    return started;
  };
  let leftOut = false;
  let refusal: string | undefined;
  report.begin(name, shows);
  try {
    await run({ service, report, undo, people, load });
  } catch (error) {
    leftOut = error instanceof LeftOut;
    if (!leftOut || isAll) note(error, report);
    else refusal = messageOf(error);
  } finally {
    service.isPatient = true;
    await undo.all(report);
    service.isPatient = false;
  }
  if (refusal !== undefined) throw usage(`${name} makes no sense here: ${refusal}`);
  return report.end(name, performance.now() - begun, leftOut);
}

function note(error: unknown, report: Reporter): void {
  if (error instanceof LeftOut) report.say(`left out: ${error.message}`);
  else if (error instanceof Interrupted || (error as { name?: unknown }).name === "AbortError") report.step(false, "interrupted");
  else if (!(error instanceof DrillOver && error.isSaid)) report.step(false, messageOf(error));
}

class Interrupted extends Error {}

/** Ctrl-C ends the drill that runs, and puts back what it has changed; once more, and it is left as it is. */
function interruptible(): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const heard = (): void => {
    if (controller.signal.aborted) {
      process.stderr.write("drover: left as it is: what the drill has changed may not be put back\n");
      process.exit(EXIT.interrupted.code);
    }
    process.stderr.write("drover: interrupted: what was changed is put back (again: it is left as it is)\n");
    controller.abort(new Interrupted("interrupted"));
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, heard);
  return {
    signal: controller.signal,
    end: () => {
      for (const signal of signals) process.off(signal, heard);
    },
  };
}

function finish(reports: readonly DrillReport[], { drills, json }: Wanted, isInterrupted: boolean): number {
  const failed = reports.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
  const passed = reports.filter(({ verdict }) => verdict === "pass").length;
  const isOk = failed.length === 0 && passed > 0 && !isInterrupted;
  if (json) process.stdout.write(`${jsonText({ verdict: isOk ? "pass" : "fail", drills: reports }, 2)}\n`);
  else if (drills.length > 1)
    process.stdout.write(
      `${isOk ? "pass" : "FAIL"}: ${passed} of ${drills.length} drills passed${failed.length === 0 ? "" : `; not ${failed.join(", ")}`}\n`,
    );
  return isOk ? EXIT.done.code : EXIT.rolledBack.code;
}
