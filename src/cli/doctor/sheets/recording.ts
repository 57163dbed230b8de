/**
 * A run as a file: every request with its answer, in the form of VCR's JSON cassettes (version, interactions), and what was found out. It can
 * be run again without Google. Nothing in it says whose account or spreadsheet it was, and no credential is in it.
 */
import { later, ms, type Instant, type Timestamp } from "../../../base/units.ts";
import type { Clock } from "../../../base/clock.ts";
import { addressOf, type Raw, type RawCall } from "../../../broker/raw.ts";
import type { Finding } from "./assumptions.ts";
import type { Wanted } from "./run.ts";

export interface Interaction {
  readonly request: { readonly method: string; readonly uri: string; readonly body: string | null; readonly headers: Headers };
  readonly response: {
    readonly status: { readonly code: number; readonly message: string };
    readonly headers: Headers;
    readonly body: { readonly string: string };
  };
  /** When it was sent (ms since 1970), and how long its answer took, in ms. */
  readonly at: number;
  readonly took: number;
}
type Headers = Readonly<Record<string, readonly string[]>>;

export interface Recording {
  readonly version: 1;
  readonly interactions: readonly Interaction[];
  readonly doctor: {
    readonly drover: string;
    readonly seed: string;
    readonly wanted: Wanted;
    readonly timeout: number;
    readonly findings: Readonly<Record<string, Finding>>;
  };
}

/** What stands in a recording in place of the spreadsheet's id. */
export const SOMEBODYS = "throw-away-spreadsheet";
/** The only headers that are kept. */
const KEPT = new Set([
  "content-type",
  "content-encoding",
  "cache-control",
  "date",
  "etag",
  "last-modified",
  "retry-after",
  "server",
  "transfer-encoding",
  "vary",
]);

/** Takes out of a text what says whose it was. */
export function redacted(text: string, spreadsheetId: string): string {
  return text
    .replaceAll(spreadsheetId, SOMEBODYS)
    .replaceAll(/(?<![\w.+-])[\w.+-]{1,100}(?:@|%40)[\w-]{1,100}(?:\.[\w-]{1,100})+/g, "somebody@example.com")
    .replaceAll(/(project_number:|projects\/|project=|project )\d+/g, "$10")
    .replaceAll(/\bya29\.[\w.-]+/g, "token")
    .replaceAll(/\bBearer [\w.~+/-]+=*/gi, "Bearer token")
    .replaceAll(/("spreadsheetUrl": ?")[^"]*"/g, `$1https://docs.google.com/spreadsheets/d/${SOMEBODYS}/edit"`);
}

/** Calls that go through, and are kept. */
export function recording(raw: Raw, spreadsheetId: string, clock: Clock): { readonly raw: Raw; readonly interactions: Interaction[] } {
  const interactions: Interaction[] = [];
  const keep = (text: string): string => redacted(text, spreadsheetId);
  return {
    interactions,
    raw: {
      close: () => raw.close(),
      async call(call) {
        const at = clock.wall();
        const outcome = await raw.call(call);
        if (outcome.is !== "ok") return outcome;
        const { status, headers, text, took } = outcome.value;
        const kept = Object.entries(headers).filter(([name]) => KEPT.has(name));
        interactions.push({
          request: { ...requestOf(call, spreadsheetId), headers: {} },
          response: {
            status: { code: status, message: "" },
            headers: Object.fromEntries(kept.map(([name, value]) => [name, [value]])),
            body: { string: keep(text) },
          },
          at,
          took: Math.round(took),
        });
        return outcome;
      },
    },
  };
}

/** As it stands in a recording. */
function requestOf(call: RawCall, spreadsheetId: string): { method: string; uri: string; body: string | null } {
  const keep = (text: string): string => redacted(text, spreadsheetId);
  const uri = addressOf(call, call.spreadsheetId ?? spreadsheetId, undefined);
  return { method: call.verb, uri: keep(uri), body: call.body === undefined ? null : keep(call.body) };
}

/**
 * A recording in Google's place. Whatever is asked for must be what was asked for then, in the same order; the clock is that of then.
 * A call that had no answer then is not in a recording, so neither is what depends on it.
 */
export function replaying({ interactions }: Recording): { readonly raw: Raw; readonly clock: Clock; readonly left: () => number } {
  let next = 0;
  const first = interactions[0]?.at ?? 0;
  const at = (): number => {
    const last = interactions[Math.max(0, next - 1)];
    return last === undefined ? first : last.at + (next === 0 ? 0 : last.took);
  };
  return {
    left: () => interactions.length - next,
    clock: { now: () => (at() - first) as Instant, wall: () => later(0 as Timestamp, ms(at())) },
    raw: {
      close() {},
      call(call) {
        const wanted = interactions[next];
        const asked = requestOf(call, SOMEBODYS);
        const there = wanted === undefined ? undefined : { ...asked, ...wanted.request, headers: undefined };
        if (wanted === undefined || JSON.stringify(there) !== JSON.stringify({ ...asked, headers: undefined }))
          return Promise.reject(
            new Error(`call ${next + 1} of the recording is another: ${asked.method} ${asked.uri} ${asked.body ?? ""}`),
          );
        next += 1;
        const { status, headers, body } = wanted.response;
        const names = Object.entries(headers).map(([name, [value = ""]]) => [name.toLowerCase(), value] as const);
        const value = { status: status.code, headers: Object.fromEntries(names), text: body.string, took: ms(wanted.took) };
        return Promise.resolve({ is: "ok", value });
      },
    },
  };
}

/** As it is written. */
export const recordingText = (made: Recording): string => `${JSON.stringify(made, null, 1)}\n`;
