/** What is said of a deployment, one finding a line or two, and the values that drover would run with. */
import type { SettingName } from "../../../settings/table.ts";

export type Finding =
  /** It means this to drover. */
  | { readonly is: "maps"; readonly where: string; readonly what: string; readonly to: string }
  /** It means nothing to drover, and why. */
  | { readonly is: "ignored"; readonly where: string; readonly what: string; readonly why: string }
  /** It is wrong, with drover or without it, and what to do. */
  | { readonly is: "mistake"; readonly where: string; readonly what: string; readonly mend: string };

/** What stands in a file of the deployment, as drover would have it. */
export interface Value {
  readonly name: SettingName;
  /** As drover's env file has it. */
  readonly text: string;
  readonly where: string;
}

/** What one file says. */
export interface Read {
  readonly findings: readonly Finding[];
  readonly values: readonly Value[];
}

/** Names of values that nobody should see: they are told of, never shown. */
export const SECRET_NAME = /SECRET|TOKEN|PASSW|PRIVATE|API_?KEY|_KEY$|CREDENTIAL|DSN|DATABASE_URL|REDIS_URL/i;

/** A file's own text can't send commands to a terminal, nor fill it. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, " ").slice(0, 200);

const WORDS = { maps: "maps", ignored: "ignored", mistake: "MISTAKE" } as const;

/** One finding as it is printed. */
export function findingText(finding: Finding): string {
  const head = `${WORDS[finding.is].padEnd(8)} ${plain(finding.where)}: ${plain(finding.what)}`;
  switch (finding.is) {
    case "maps":
      return `${head} → ${plain(finding.to)}\n`;
    case "ignored":
      return `${head}\n         ${finding.why}\n`;
    case "mistake":
      return `${head}\n         ${finding.mend}\n`;
  }
}
