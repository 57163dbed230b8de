/** `drover codes`: what an event's organisers hand out. */
import { readFileSync } from "node:fs";
import { DroverError, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { parseFlags } from "../settings/flags.ts";
import { hashCode, makeCode } from "../sheets/secrets.ts";
import { printable } from "./terminal/printable.ts";

const MOST = 10_000;
const FLAGS = [
  { name: "count", takes: "value" },
  { name: "users", takes: "value" },
] as const;

/** Prints one line a code, with tabs between: name (with `--users`), code, and its hash for the sheet. */
export async function codes(argv: readonly string[]): Promise<number> {
  const { own, positional } = parseFlags(argv, [], FLAGS);
  if (positional.length > 0) throw new DroverError("DROVER_E_USAGE", `drover codes takes no argument such as "${positional[0] ?? ""}"`);
  const users = own.get("users");
  const count = own.get("count");
  if (users !== undefined && count !== undefined)
    throw new DroverError("DROVER_E_USAGE", "--users makes one code a name: leave --count out");
  const names = users === undefined ? Array.from({ length: readCount(count ?? "1") }, () => undefined) : readNames(users);
  const taken = new Set<string>();
  for (const name of names) {
    let code = makeCode();
    while (taken.has(code)) code = makeCode();
    taken.add(code);
    process.stdout.write(`${name === undefined ? "" : `${name}\t`}${code}\t${hashCode(code)}\n`);
  }
  process.stderr.write(
    "# the code is for its owner; of the two, either goes into the column of secrets: with the hash nobody reads the codes there\n",
  );
  return EXIT.done.code;
}

function readCount(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST) throw new DroverError("DROVER_E_USAGE", `--count is ${text}: expected a whole number from 1 to ${MOST}`);
  return count;
}

/** One name a line. What a terminal or a spreadsheet would obey to is no name: a tab would move the columns. */
function readNames(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (e) {
    throw new DroverError("DROVER_E_USAGE", `the names can't be read from ${file}: ${messageOf(e)}`);
  }
  const names = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map(printable)
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0 || names.length > MOST)
    throw new DroverError("DROVER_E_USAGE", `${file} has ${names.length} names: expected 1 to ${MOST}, one a line`);
  return names;
}
