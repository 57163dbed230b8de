/**
 * `npm run test:google -- SPREADSHEET [--exhaust] [--by-hand]`: tries the claims of docs/sheets.md on Google's Sheets API. Exit code 0 if
 * none is false, 1 if one is, or if the run was stopped or left something behind.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../src/base/clock.ts";
import { DroverError, messageOf } from "../../src/base/errors.ts";
import { minutes, ms, perMinute } from "../../src/base/units.ts";
import { readServiceAccount } from "../../src/broker/credentials.ts";
import { METADATA_KEY } from "../../src/broker/flusher/core/fence.ts";
import { Ledger } from "../../src/broker/quota.ts";
import { readOptions } from "../../src/cli/options.ts";
import { connect, fence, remove, Sheet, shown, Untested, type Finding, type Ports } from "./sheet.ts";
import { CLAIMS } from "./claims.ts";
import { look, run } from "./suite.ts";

const USAGE =
  "expected: npm run test:google -- SPREADSHEET [--exhaust] [--by-hand]. SPREADSHEET is the id or address of one that may be changed: an empty one " +
  "with “throw-away” in its title, shared as Editor with the service account";
const NO_KEY = "GOOGLE_APPLICATION_CREDENTIALS is not set (expected the path of a service account's key file)";
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(argv: readonly string[]): Promise<boolean> {
  const { own, positional, resolved } = readOptions(argv, [{ name: "exhaust" }, { name: "by-hand" }]);
  const [, spreadsheetId] = /^(?:https:\/\/docs\.google\.com\/spreadsheets\/d\/)?([\w-]{20,200})(?:\/.*)?$/.exec(positional[0] ?? "") ?? [];
  if (spreadsheetId === undefined || positional.length > 1) throw new DroverError("DROVER_E_USAGE", USAGE);
  const { settings } = resolved;
  const { google_application_credentials: file, sheets_endpoint: sheetsEndpoint, oauth_endpoint: oauthEndpoint } = settings;
  if (file === undefined) throw new DroverError("DROVER_E_CREDENTIALS", NO_KEY);
  const account = readServiceAccount(file);
  const [clock, timeout, stop] = [systemClock, settings.upstream_timeout, new AbortController()];
  // Waits for an answer that comes too late: the claim append-speed is about it.
  const patience = ms(Math.max(timeout, minutes(1)));
  const { ask, close } = connect({ spreadsheetId, account, sheetsEndpoint, oauthEndpoint, timeout: patience, clock });
  const ledger = (calls: number): Ledger => new Ledger(perMinute(calls), clock);
  const ledgers = { read: ledger(settings.reads_per_minute), write: ledger(settings.writes_per_minute) };
  const pause: Ports["sleep"] = (time, signal) => sleep(time, undefined, { signal }).catch(() => {}); // the next call ends a stopped run
  const ports: Ports = { ask, ledgers, clock, sleep: pause, say, timeout, stop: stop.signal };
  // npm passes a Ctrl-C on that the program has got from the terminal already: the second one must not end it.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (!stop.signal.aborted) say("Stopping: removing tabs and metadata first.");
      stop.abort();
    });
  try {
    const title = await examined(new Sheet(ports), spreadsheetId, account.email);
    say(`${shown(title)} (${spreadsheetId}) at ${sheetsEndpoint ?? "Google"}, as ${account.email}: about 145 calls in two minutes.`);
    const { findings, left, calls } = await run(ports, { flags: new Set(own.keys()) }, (id, finding, { refusal }) =>
      say(line(id, finding, refusal)),
    );
    say(left === undefined ? `Nothing is left behind. ${calls.read} reads, ${calls.write} writes.` : `LEFT BEHIND: ${left}`);
    const count = (is: Finding["is"]): number => [...findings.values()].filter((one) => one.is === is).length;
    say(`${CLAIMS.size} claims: ${count("holds")} hold, ${count("does not hold")} do not hold, ${count("not tested")} not tested`);
    return left === undefined && !stop.signal.aborted && count("does not hold") === 0;
  } finally {
    close();
  }
}

function line(id: string, { is, saw }: Finding, refusal: string): string {
  const { claim = "", otherwise = "" } = CLAIMS.get(id) ?? {};
  const then = is === "does not hold" ? `. Then: ${otherwise.replaceAll(/\[(.+?)\]\(.+?\)/g, "$1")}` : "";
  const said = refusal === "" || is === "not tested" ? "" : ` (last refusal: ${shown(refusal)})`;
  return `${is.padEnd(13)}  ${id}: ${claim}. ${is === "not tested" ? "Because" : "Saw"}: ${saw}${said}${then}`;
}

/** @returns the title. @throws DroverError for a spreadsheet that can't be written, or that may be in use. */
async function examined(sheet: Sheet, id: string, email: string): Promise<string> {
  const refuse = (why: string): DroverError => new DroverError("DROVER_E_CREDENTIALS", `spreadsheet ${id}: ${why}`);
  try {
    const { title } = await look(sheet);
    if (!/throw.?away/i.test(title))
      throw refuse(`its title ${JSON.stringify(title)} lacks “throw-away”. Use an empty spreadsheet with such a title`);
    if ((await sheet.search(METADATA_KEY)).length > 0) throw refuse("drover writes to it. Use another one");
    const mark = sheet.id();
    const { status } = await sheet.batch([fence(mark), remove(mark)]);
    if (status === 403) throw refuse(`the service account can't write to it. Share it as Editor with ${email}`);
    if (status !== 200) throw new Untested(sheet.refusal);
    return title;
  } catch (e) {
    if (!(e instanceof Untested)) throw e;
    throw refuse(`${e.message.replace(/\.$/, "")}. Is the id right, and is it shared as Editor with ${email}?`);
  }
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (e) {
  process.stderr.write(`${e instanceof DroverError ? "" : "unexpected: "}${messageOf(e)}\n`);
  process.exitCode = e instanceof DroverError ? e.exit : 70;
}
