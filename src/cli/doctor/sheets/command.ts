/**
 * `drover doctor sheets`: asks the real Sheets API, on a spreadsheet that nobody needs, whether it does what drover relies on. Exit 0: nothing
 * was falsified; 1: something was, the run was interrupted, or
 * something could not be cleared up.
 */
import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../base/clock.ts";
import { DroverError, messageOf } from "../../../base/errors.ts";
import { EXIT } from "../../../base/exit.ts";
import { perMinute } from "../../../base/units.ts";
import { readServiceAccount } from "../../../broker/credentials.ts";
import { Ledger } from "../../../broker/quota.ts";
import { createRaw } from "../../../broker/raw.ts";
import type { Settings } from "../../../settings/table.ts";
import { readOptions } from "../../options.ts";
import { version } from "../../version.ts";
import type { Ports } from "./bench.ts";
import { look, proveRight, type Place } from "./preflight.ts";
import { recording, recordingText } from "./recording.ts";
import { countsText, findingText, intentText } from "./report.ts";
import { run, type Run, type Wanted } from "./run.ts";

const FLAGS = [
  { name: "record", takes: "value" },
  { name: "spreadsheet", takes: "value" },
  { name: "yes" },
  { name: "anyway" },
  { name: "exhaust" },
  { name: "by-hand" },
] as const;

const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);
const out = (text: string): void => void process.stdout.write(text);

interface Order {
  readonly settings: Settings;
  readonly spreadsheetId: string;
  readonly record: string | undefined;
  readonly yes: boolean;
  readonly anyway: boolean;
  readonly wanted: Wanted;
}

export async function sheets(argv: readonly string[]): Promise<number> {
  const order = orderOf(argv);
  const raw = rawOf(order);
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    out("Stopping: what is there is cleared up first.\n");
  };
  const clock = systemClock;
  const { reads_per_minute: reads, writes_per_minute: writes, upstream_timeout: timeout } = order.settings;
  const ledgers = { read: new Ledger(perMinute(reads), clock), write: new Ledger(perMinute(writes), clock) };
  const seed = randomBytes(8).toString("hex");
  const say = (line: string): void => out(`${line}\n`);
  const ports: Ports = { raw, ledgers, clock, sleep: (time) => sleep(time), say, seed, timeout, stopped: () => stopped };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    const place = await look(ports, order.spreadsheetId);
    refuse(place, order);
    out(intentText(intentOf(order, place)));
    if (!order.yes && !(await agreed())) return EXIT.done.code;
    await proveRight(ports, order.spreadsheetId, emailOf(order));
    return await examine(ports, order);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    raw.close();
  }
}

/** @throws DroverError for flags that make no sense, before anything is asked of Google. */
function orderOf(argv: readonly string[]): Order {
  const { own, positional, resolved } = readOptions(argv, FLAGS);
  const { settings } = resolved;
  if (positional.length > 0) throw usage(`drover doctor sheets takes no ${JSON.stringify(positional[0])}`);
  const spreadsheetId = own.get("spreadsheet") ?? settings.spreadsheet_id;
  if (spreadsheetId === undefined)
    throw usage(
      "drover doctor sheets needs a spreadsheet that nobody needs: make an empty one, call it “throw-away”, share it with the service account as Editor, and name it with --spreadsheet ID",
    );
  if (!/^[\w-]{20,200}$/.test(spreadsheetId))
    throw usage(`--spreadsheet ${JSON.stringify(spreadsheetId)}: expected the 20 or more characters between /d/ and /edit in its address`);
  const record = own.get("record");
  if (record !== undefined) writable(resolve(record));
  const wanted = { exhaust: own.has("exhaust"), byHand: own.has("by-hand") };
  return {
    settings,
    spreadsheetId,
    record: record === undefined ? undefined : resolve(record),
    yes: own.has("yes"),
    anyway: own.has("anyway"),
    wanted,
  };
}

function writable(file: string): void {
  if (existsSync(file)) throw usage(`--record ${file}: it is there already, and is not written over`);
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (e) {
    throw new DroverError("DROVER_E_USAGE", `--record ${file}: ${messageOf(e)}`, { cause: e });
  }
}

function rawOf({ settings, spreadsheetId }: Order): ReturnType<typeof createRaw> {
  const {
    google_application_credentials: keyFile,
    sheets_endpoint: sheetsEndpoint,
    oauth_endpoint: oauthEndpoint,
    upstream_timeout: timeout,
  } = settings;
  if (keyFile === undefined && sheetsEndpoint === undefined)
    throw new DroverError(
      "DROVER_E_CREDENTIALS",
      "GOOGLE_APPLICATION_CREDENTIALS is not set: set it to the path of a service account's key file (JSON)",
    );
  const account = keyFile === undefined ? undefined : readServiceAccount(keyFile);
  return createRaw({ spreadsheetId, account, sheetsEndpoint, oauthEndpoint, timeout, clock: systemClock });
}

const emailOf = ({ settings }: Pick<Order, "settings">): string =>
  settings.google_application_credentials === undefined ? "none" : readServiceAccount(settings.google_application_credentials).email;

const intentOf = ({ settings, spreadsheetId, record, wanted }: Order, { title, leftovers }: Place) => ({
  spreadsheetId,
  title,
  leftovers,
  record,
  ...wanted,
  account: emailOf({ settings }),
  endpoint: settings.sheets_endpoint ?? "Google's Sheets API",
});

/** @throws DroverError for a spreadsheet that somebody may need, unless it was said to take it anyway. */
function refuse({ doubts }: Place, { anyway, spreadsheetId, record }: Order): void {
  if (doubts.length === 0) return;
  const why = `${spreadsheetId} does not look like a throw-away spreadsheet: ${doubts.join("; ")}`;
  if (record !== undefined && doubts.some((doubt) => !doubt.startsWith("its title")))
    throw usage(`${why}. It is not recorded: what stands in it could stand in the recording. Use an empty spreadsheet called “throw-away”`);
  if (!anyway) throw usage(`${why}. Use an empty one called “throw-away”; --anyway takes this one`);
  out(`${why}: taken anyway.\n`);
}

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw usage("nobody is there to be asked whether to go on: read the above, and say --yes");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question("Go on? [y/N] ")).trim());
  } finally {
    terminal.close();
  }
}

async function examine(ports: Ports, { spreadsheetId, record, wanted }: Order): Promise<number> {
  const kept = recording(ports.raw, spreadsheetId, ports.clock);
  const used = record === undefined ? ports : { ...ports, raw: kept.raw };
  const done = await run(used, wanted, (id, finding) => out(findingText(id, finding)));
  if (record !== undefined) {
    const doctor = { drover: version(), seed: ports.seed, wanted, timeout: ports.timeout, findings: Object.fromEntries(done.findings) };
    writeFileSync(`${record}.new`, recordingText({ version: 1, interactions: kept.interactions, doctor }), { flag: "wx" });
    renameSync(`${record}.new`, record);
    out(`Recorded ${kept.interactions.length} requests with their answers: ${record}\n`);
  }
  return conclude(done, ports.stopped());
}

/** @returns the exit code. */
function conclude({ findings, left, calls }: Run, stopped: boolean): number {
  out(left === undefined ? `Cleared up: nothing is left. ${calls.read} reads, ${calls.write} writes.\n` : `NOT cleared up: ${left}\n`);
  out(`${countsText(findings)}\n`);
  const falsified = [...findings.values()].some(({ is }) => is === "falsified");
  return falsified || stopped || left !== undefined ? EXIT.rolledBack.code : EXIT.done.code;
}
