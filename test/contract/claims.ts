/** The claims about Google's Sheets API on which drover relies. The table of docs/sheets.md is their only list. */
import { readFileSync } from "node:fs";

export interface Claim {
  readonly claim: string;
  /** The flag that it needs, and the recordings that agree with it. */
  readonly asked: string;
  /** What drover does if it is false. */
  readonly otherwise: string;
}

const [, list = ""] = readFileSync(new URL("../../docs/sheets.md", import.meta.url), "utf8").split("## What rests on Google");
const rows = list.matchAll(/^\| ([a-z-]+) \| (.+?) \| (.+?) \| (.+) \|$/gm);
/** By id, in the page's order. */
export const CLAIMS: ReadonlyMap<string, Claim> = new Map(
  Array.from(rows, ([, id = "", claim = "", asked = "", otherwise = ""]) => [id, { claim, asked, otherwise }]),
);
