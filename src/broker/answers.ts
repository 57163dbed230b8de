/** Google's HTTP answers and failures → what they mean. Their shapes: research of recorded answers, and google.rpc.Status. */
import { messageOf } from "../base/errors.ts";
import { later, minutes, seconds, type Timestamp } from "../base/units.ts";
import type { Outcome } from "./upstream.ts";

type Fields = Readonly<Record<string, unknown>>;
export type Failure = Exclude<Outcome<never>, { is: "ok" }>;

export interface Reply {
  readonly status: number;
  /** Parsed JSON, or the text when it was none. */
  readonly data: unknown;
}

const fields = (v: unknown): Fields => (typeof v === "object" && v !== null ? (v as Fields) : {});
/** What others wrote, fit for one line of a log. */
const line = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, 300);
const errorOf = (data: unknown): Fields => fields(fields(data)["error"]);
const saidBy = (data: unknown): string => {
  const { message } = errorOf(data);
  return typeof message === "string" && message !== "" ? line(message) : typeof data === "string" ? "no JSON in it" : "no message in it";
};

/**
 * When a lock-out ends. Newer bodies name the window's start (epoch seconds; milliseconds and ISO text are read too);
 * otherwise a minute and a second from now, which outlasts every recorded lock-out.
 */
export function lockedUntil(data: unknown, now: Timestamp): Timestamp {
  const details = errorOf(data)["details"];
  const info = (Array.isArray(details) ? details : [])
    .map((d) => fields(fields(d)["metadata"]))
    .find((m) => m["window_start_time"] !== undefined);
  const raw = info?.["window_start_time"];
  const number = Number(raw);
  const start = Number.isFinite(number) ? (number < 1e11 ? number * 1_000 : number) : Date.parse(String(raw));
  const end = later(start as Timestamp, minutes(1));
  return end > now && end <= later(now, seconds(61)) ? end : later(now, seconds(61));
}

/** Google counts reads and writes apart. */
export type Pool = "read" | "write";

/** Which quota a 429 speaks of, for people. */
function limitName(data: unknown): string {
  const details = errorOf(data)["details"];
  const limit = (Array.isArray(details) ? details : [])
    .map((d) => fields(fields(d)["metadata"])["quota_limit"])
    .find((l) => typeof l === "string");
  return limit === undefined ? "" : ` (${line(limit).slice(0, 80)})`;
}

/** What a failure's message needs: whom to share the spreadsheet with, and which quota the call used. */
interface Context {
  readonly share: string;
  readonly now: Timestamp;
  readonly pool: Pool;
}

/** @returns what Google says in an error's body, fit for a log. */
export const messageIn = (reply: Reply): string => saidBy(reply.data);

/** Google's words for a range that it does not have. */
export const RANGE = /Unable to parse range: (.+)$|^Range \((.+)\) exceeds grid limits/;

/** @returns what an answer that is not 200 means. */
export function failureOf(reply: Reply, { share, now, pool }: Context): Failure {
  const { status, data } = reply;
  const said = saidBy(data);
  const found = RANGE.exec(said);
  const range = found?.[1] ?? found?.[2];
  if (status === 429)
    return { is: "locked", message: `Google's ${pool} quota is used up${limitName(data)}`, until: lockedUntil(data, now) };
  if (status === 400 && range !== undefined) return { is: "noRange", message: `the spreadsheet has no range ${range}`, range };
  if (status === 401) return { is: "denied", message: `Google does not accept the key's token: ${said}` };
  if (status === 403 && said.includes("has not been used in project")) return { is: "denied", message: said };
  if (status === 403 || status === 404) return { is: "denied", message: `${share} (Google says ${status}: ${said})` };
  if (status === 414) return { is: "tooLarge", message: `Google answered 414: ${said}` };
  if (status >= 500 || status === 408) return { is: "unavailable", message: `Google answered ${status}: ${said}` };
  return { is: "malformed", message: `Google answered ${status}: ${said}` };
}

/** @returns what a call that got no usable answer means. Only the message is taken: the error itself may hold the token. */
export function failureOfThrown(thrown: unknown, within: number): Failure {
  const { type, code, name, cause } = fields(thrown);
  const inner = fields(cause);
  const kinds = [type, inner["type"]];
  if (kinds.includes("max-size") || messageOf(thrown).includes("over the limit"))
    return { is: "tooLarge", message: "Google's answer is over 32 MB" };
  if (kinds.includes("no-redirect") || kinds.includes("invalid-redirect"))
    return { is: "malformed", message: "the answer is a redirect, which is not followed: the token would go with it" };
  if ([code, name].some((word) => word === "TimeoutError" || word === "AbortError"))
    return { is: "unavailable", cause: "timeout", message: `no answer within ${within} ms` };
  return { is: "unavailable", cause: "network", message: `no answer: ${line(messageOf(thrown))}` };
}

/** @returns what a refusal of the token endpoint means; undefined when it did not answer at all. */
export function tokenRefusal(thrown: unknown, email: string): Failure | undefined {
  const { status, data } = fields(fields(thrown)["response"]);
  if (typeof status !== "number") return undefined;
  const { error, error_description: description } = fields(data);
  const said = [error, description].filter((part) => typeof part === "string").join(": ");
  if (status >= 500 || status === 429 || said === "") return { is: "unavailable", message: `the token endpoint answered ${status}` };
  const why = `Google does not accept the key of ${email} (${line(said)})`;
  return { is: "denied", message: `${why}: is the key still valid, and is this machine's clock right?` };
}
