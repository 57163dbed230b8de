/** What `drover serve` says when it is ready: words on a terminal, one JSON object otherwise. */
import { impossible } from "../base/never.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { Plan } from "./plan.ts";

export interface GreetingInput {
  readonly urls: readonly string[];
  /** Addresses as they are bound: `0.0.0.0:8080`. */
  readonly bound: readonly string[];
  readonly plan: Plan;
  readonly logFile: string;
  readonly workers: string;
  readonly fromNpm: boolean;
  /** What is known of Google; undefined: nothing asks it. */
  readonly google?: Pick<UpstreamReport, "state" | "message"> | undefined;
  /** A link that is good once: for a terminal alone. */
  readonly dashboard?: string | undefined;
}

/** What keeps rows from coming, in a few words; undefined: nothing does. */
function trouble({ state, message }: Pick<UpstreamReport, "state" | "message">): string | undefined {
  switch (state) {
    case "ok":
      return undefined;
    case "never":
      return "Google has not answered yet";
    case "down":
      return `Google can't be reached: ${message}`;
    case "denied":
      return `Google refuses: ${message}`;
    case "locked":
      return message;
    default:
      return impossible(state);
  }
}

/** What to add to a greeting that did not know it; undefined: Google has still not answered. */
export const laterText = (google: Pick<UpstreamReport, "state" | "message">): string | undefined =>
  google.state === "never" ? undefined : (trouble(google) ?? "Google answers");

/** Where the data comes from, in a sentence. */
export function dataSource(plan: Plan): string {
  if (plan.demo) return "the sample workbook, in the embedded Google Sheets emulator (demo: nothing leaves this machine)";
  if (plan.spreadsheetId !== undefined) return `the Google spreadsheet ${plan.spreadsheetId}`;
  return "the application's own";
}

const CONNECT = "set DROVER_SPREADSHEET_ID and GOOGLE_APPLICATION_CREDENTIALS in .env (README, “Your own spreadsheet”), then start again";

/** A URL names one address of many where others can reach it too. */
const everywhere = (bound: readonly string[]): string => {
  const open = bound.filter((name) => /^(?:0\.0\.0\.0|\[::\]):/.test(name));
  return open.length === 0 ? "" : `  (and on every address of this machine: ${open.join(", ")})`;
};

export function greeting(input: GreetingInput, tty: boolean): string {
  const { urls, plan, logFile, workers } = input;
  const google = plan.demo ? undefined : input.google;
  const why = google === undefined ? undefined : trouble(google);
  const status = input.fromNpm ? "bin/drover status" : "drover status";
  if (!tty) {
    return `${JSON.stringify({ msg: "drover is ready", addresses: urls, bound: input.bound, status, data: dataSource(plan), ...(google === undefined ? {} : { google: google.state }), ...(why === undefined ? {} : { google_message: google?.message }), demo: plan.demo, ...(plan.demo ? { connect: CONNECT } : {}), log: logFile, workers })}\n`;
  }
  const url = urls[0] ?? "";
  const lines = [
    "",
    `  drover is ready          ${urls.join("  ")}${everywhere(input.bound)}`,
    `  Data                     ${dataSource(plan)}${why === undefined ? "" : ` (${why})`}`,
    ...(plan.app === undefined && url.startsWith("http")
      ? [`  Try                      curl -s '${url}/api/tables/players?limit=3'`].filter(() => plan.demo)
      : []),
    ...(input.dashboard === undefined ? [] : [`  Dashboard                ${input.dashboard}  (good once, for 10 minutes)`]),
    ...(plan.demo ? [`  Your own spreadsheet     ${CONNECT}`] : []),
    `  Processes                ${workers}`,
    `  Status                   ${status}`,
    `  Log                      ${logFile === "-" ? "on standard output" : `tail -f ${logFile}`}`,
    `  Stop                     Ctrl-C`,
    "",
  ];
  return `${lines.join("\n")}\n`;
}
