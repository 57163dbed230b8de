/** Errors of an engine as sentences that say what to do. */
import { DroverError, messageOf } from "../../../base/errors.ts";

/** What a start and `drover check` refuse. */
export const unusable = (problem: string): DroverError =>
  new DroverError("DROVER_E_SESSION_STORE", `the session store can't be used: ${problem}`);

const OLDEST = 7;
const UNFIT = "the engine";

/** Only an operator can fix these. */
const LASTING: readonly (readonly [RegExp, string])[] = [
  [/^WRONGPASS|invalid password|invalid username/i, "it refuses the user name or the password of SESSION_REDIS"],
  [/^NOAUTH/i, "it wants a password: SESSION_REDIS=redis://:PASSWORD@HOST:PORT"],
  [/^NOPERM/i, "its user may not do what drover needs: see the ACL in docs/sessions.md"],
  [/DB index is out of range|invalid DB index/i, "it has no such database: the number at the end of SESSION_REDIS"],
];
const PASSING: readonly (readonly [RegExp, string])[] = [
  [/^READONLY/i, "it is a replica, or read-only: SESSION_REDIS must name the primary"],
  [/^OOM/i, "its memory is full (maxmemory): nothing can be stored until there is room"],
  [/^MISCONF/i, "it accepts no writes, because it can't save its data to disk"],
  [/^LOADING/i, "it is still loading its data"],
  [/closed unexpectedly|ECONNRESET|EPIPE/i, "its connection was closed"],
  [/ECONNREFUSED/, "nothing listens there (ECONNREFUSED)"],
  [/ENOENT/, "there is no such socket (ENOENT)"],
  [/EACCES/, "drover's user may not use its socket (EACCES)"],
  [/ENOTFOUND|EAI_AGAIN/, "its host name is not known"],
  [/ETIMEDOUT|timeout|no answer within/i, "it does not answer"],
];

/** Of an error as the client gives it. */
export function problemOf(e: unknown): string {
  const text = e instanceof AggregateError && e.errors.length > 0 ? messageOf(e.errors[0]) : messageOf(e);
  return [...LASTING, ...PASSING].find(([pattern]) => pattern.test(text))?.[1] ?? text;
}

/** Whether a script failed, with a sound engine and connection. */
export const isScriptError = (e: unknown): boolean =>
  /^[A-Z]{2,} /.test(messageOf(e)) && ![...LASTING, ...PASSING].some(([pattern]) => pattern.test(messageOf(e)));

/** Whether only an operator can fix it. */
export const isLasting = (problem: string): boolean => problem.startsWith(UNFIT) || LASTING.some(([, text]) => text === problem);

/** @param info its answer to INFO. @returns why it can't keep sessions; undefined: it can. */
export function unfit(info: string): string | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1];
  const version = field("redis_version") ?? "";
  if (Number.parseInt(version, 10) < OLDEST) return `${UNFIT} is Redis ${version}: drover needs Redis 7 or Valkey`;
  if (field("cluster_enabled") === "1") return `${UNFIT} is a cluster: drover needs a single engine`;
  if (field("role") === "slave") return `${UNFIT} is a replica: SESSION_REDIS must name the primary`;
  return undefined;
}
