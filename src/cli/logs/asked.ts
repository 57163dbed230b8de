/** What `drover logs` is asked for. */
import { DroverError } from "../../base/errors.ts";
import { ms, type Timestamp } from "../../base/units.ts";
import type { CommandFlag } from "../../settings/flags.ts";
import { duration } from "../../settings/parsers.ts";
import { LEVELS, type Level, type Wanted } from "./entry.ts";

export interface Asked {
  readonly wanted: Wanted;
  /** Of the lines that are there already. */
  readonly lines: number;
  readonly follow: boolean;
  readonly json: boolean;
}

export const FLAGS: readonly CommandFlag[] = [
  { name: "level", takes: "value" },
  { name: "worker", takes: "value" },
  { name: "request", takes: "value" },
  { name: "since", takes: "value" },
  { name: "lines", short: "n", takes: "value" },
  { name: "json" },
  { name: "follow", short: "f" },
  { name: "no-follow" },
];

const USUAL_LINES = 50;
const MOST_LINES = 1_000_000;
const MONTH = ms(31 * 24 * 3_600_000);

const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

/** @throws DroverError DROVER_E_USAGE naming flag and value. */
export function readAsked(own: ReadonlyMap<string, string>, piped: boolean, wall: Timestamp): Asked {
  const given = (name: string): string | undefined => own.get(name);
  if (own.has("follow") && own.has("no-follow")) throw usage("--follow and --no-follow contradict each other");
  if (piped && own.has("lines")) throw usage("--lines is for files: of what is piped in, whoever pipes chooses (journalctl -n, tail -n)");
  const since = sinceOf(given("since"), wall);
  const request = given("request");
  if (request !== undefined && (request === "" || request.length > 200)) throw usage("--request needs an id of 1 to 200 characters");
  const lines =
    given("lines") === undefined ? (since === undefined ? USUAL_LINES : Infinity) : whole("--lines", given("lines"), MOST_LINES);
  const worker = given("worker") === undefined ? undefined : whole("--worker", given("worker"), 65_535);
  return {
    wanted: { level: levelOf(given("level")), worker, request, since },
    lines,
    follow: !own.has("no-follow"),
    json: own.has("json"),
  };
}

function levelOf(text: string | undefined): Level | undefined {
  const found = LEVELS.find((level) => level === text?.toLowerCase());
  if (text !== undefined && found === undefined) throw usage(`--level ${text}: expected one of ${LEVELS.join(", ")}`);
  return found;
}

function whole(flag: string, text: string | undefined, most: number): number {
  const value = /^\d{1,9}$/.test(text ?? "") ? Number(text) : Number.NaN;
  if (!(value <= most)) throw usage(`${flag} ${text}: expected a whole number from 0 to ${most}`);
  return value;
}

/** A duration back from now, or a time. A date alone is midnight UTC; what has no zone is local, as ECMAScript has it. */
function sinceOf(text: string | undefined, wall: Timestamp): Timestamp | undefined {
  if (text === undefined) return undefined;
  const [, days] = /^(\d{1,2})d$/.exec(text) ?? [];
  const ago = duration(ms(0), MONTH).parse(days === undefined ? text : `${Number(days) * 24}h`, "/");
  if (ago.ok) return (wall - ago.value) as Timestamp;
  const at = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|$)/.test(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (Number.isNaN(at)) throw usage(`--since ${text}: expected a duration such as 30m, 2h or 7d, or a time such as 2026-11-21T08:00Z`);
  return at as Timestamp;
}
