/** What `drover serve` says when it is ready: words on a terminal, one JSON object otherwise. */
import type { Plan } from "./plan.ts";

export interface GreetingInput {
  readonly urls: readonly string[];
  /** Addresses as they are bound: `0.0.0.0:8080`. */
  readonly bound: readonly string[];
  readonly plan: Plan;
  readonly logFile: string;
  readonly workers: string;
  readonly fromNpm: boolean;
  /** A link that is good once: for a terminal alone. */
  readonly dashboard?: string | undefined;
}

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
  const status = input.fromNpm ? "bin/drover status" : "drover status";
  if (!tty) {
    return `${JSON.stringify({ msg: "drover is ready", addresses: urls, bound: input.bound, status, data: dataSource(plan), demo: plan.demo, ...(plan.demo ? { connect: CONNECT } : {}), log: logFile, workers })}\n`;
  }
  const url = urls[0] ?? "";
  const lines = [
    "",
    `  drover is ready          ${urls.join("  ")}${everywhere(input.bound)}`,
    `  Data                     ${dataSource(plan)}`,
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
