import { impossible } from "../base/never.ts";
import type { AnySetting } from "./setting.ts";

/** Where a value came from. */
export type Source =
  | { readonly from: "default"; readonly why: string }
  | { readonly from: "file"; readonly file: string; readonly line: number; readonly name: string }
  | { readonly from: "environment"; readonly name: string }
  | { readonly from: "flag"; readonly flag: string };

/** Places that stay as they were when drover started, whatever the env file says since. */
export type FrozenSource = Extract<Source, { from: "environment" | "flag" }>;

/** `flag --workers`, `environment PORT`, `/etc/drover/drover.env:3 DROVER_WORKERS`, `default (CPU decides: …)`. */
export function sourceText(source: Source): string {
  switch (source.from) {
    case "default":
      return source.why === "" ? "default" : `default (${source.why})`;
    case "file":
      return `${source.file}:${source.line} ${source.name}`;
    case "environment":
      return `environment ${source.name}`;
    case "flag":
      return `flag ${source.flag}`;
    default:
      return impossible(source);
  }
}

const LONGEST = 120;

/** A raw text as it may stand in an error: quoted, cut, and never a secret. */
export function quoted(row: Pick<AnySetting, "secret">, text: string, hide = false): string {
  if (row.secret || hide) return "***";
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

/** A value as it may be printed. */
export const printable = (row: AnySetting, value: unknown): string => (row.secret && value !== undefined ? "***" : row.codec.format(value));
