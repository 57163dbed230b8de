/** Judges the names found in the environment and in the env file: which are ours, which only look so. */
import { nearest } from "./nearest.ts";
import { variableOf, type AnySetting } from "./setting.ts";

/** Names the env file. It can't stand in the env file itself, so it is no row of the table. */
export const ENV_FILE_VARIABLE = "DROVER_ENV_FILE";
/** The number of an application's worker: drover sets it and never reads it. */
export const WORKER_VARIABLE = "DROVER_WORKER";

/** What Kubernetes and Docker links inject for a service called drover or drover-something. */
const INJECTED = /^DROVER_(?:PORT(?:_.+)?|SERVICE_.+|.+_SERVICE_(?:HOST|PORT(?:_.+)?)|.+_(?:TCP|UDP|SCTP)(?:_.+)?)$/;
const isInjected = (name: string, text: string): boolean => INJECTED.test(name) || (/^DROVER_.+_PORT$/.test(name) && text.includes("://"));
/** Variables of drover's tests. */
const TESTS = /^DROVER_TEST_/;

const MEANINGLESS: ReadonlyMap<string, string> = new Map([
  [
    "GUNICORN_WORKER_CLASS",
    "means nothing here and is ignored: every worker runs an event loop already, which is what gevent and its like add to Gunicorn",
  ],
  [
    "GUNICORN_CMD_ARGS",
    "is not read: give its flags as settings, such as DROVER_BIND, DROVER_WORKERS and DROVER_TIMEOUT for --bind, --workers and --timeout",
  ],
  ["FORWARDED_ALLOW_IPS", "is not read: set DROVER_TRUSTED_PROXIES to the addresses of your proxies"],
]);

/** A name as it was found: `place` is `environment` or file:line. */
export interface FoundName {
  readonly name: string;
  readonly text: string;
  readonly place: string;
  readonly in: "environment" | "file";
}

export interface NameVerdict {
  readonly problems: string[];
  readonly warnings: string[];
}

/** @param isSet whether a row got a value from somewhere else than its default. */
export function judgeNames(rows: readonly AnySetting[], found: Iterable<FoundName>, isSet: (row: string) => boolean): NameVerdict {
  const variables = rows.map(variableOf);
  const known = new Set([...variables, ...rows.flatMap((row) => (row.aliases ?? []).map((alias) => alias.name))]);
  const [problems, warnings]: [string[], string[]] = [[], []];
  for (const { name, text, place, in: where } of found) {
    if (known.has(name) || TESTS.test(name)) continue;
    const meant = rows.find((row) => row.lookalikes?.includes(name));
    const why = MEANINGLESS.get(name);
    if (why !== undefined) warnings.push(`${name} (${place}) ${why}`);
    else if (name === ENV_FILE_VARIABLE) {
      if (where === "file") warnings.push(`${name} (${place}) has no effect inside an env file`);
    } else if (where === "environment" && isInjected(name, text) && (meant === undefined || text.includes("://"))) continue;
    else if (meant !== undefined && (where === "environment" || !name.startsWith("DROVER_"))) {
      if (!isSet(meant.name)) warnings.push(`${name} (${place}) is not read: did you mean ${variableOf(meant)}?`);
    } else if (name.startsWith("DROVER_")) {
      const suggestion = meant === undefined ? nearest(name, [...variables, ENV_FILE_VARIABLE]) : variableOf(meant);
      problems.push(`${name} (${place}) is not a setting: did you mean ${suggestion}?`);
    }
  }
  return { problems, warnings };
}
