/** `drover hash`: a password, read where nobody sees it, as it may stand in the spreadsheet. */
import { randomBytes, scryptSync } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { parseFlags } from "../settings/flags.ts";
import { MOST_SECRET, writeScrypt } from "../sheets/secrets.ts";

/** OWASP's parameters for scrypt with 16 MiB: about 0.25 s of CPU. */
const COST = { ln: 14, r: 8, p: 5 } as const;
const LEAST = 8;

/** Reads one line from the terminal, without echo, or from standard input. Never an argument: those are seen by everybody on the machine. */
export async function hash(argv: readonly string[]): Promise<number> {
  const { positional } = parseFlags(argv, [], []);
  if (positional.length > 0)
    throw new DroverError("DROVER_E_USAGE", "drover hash reads the password from standard input: as an argument others could see it");
  const password = (await readLine("password: ")).normalize("NFC");
  if (password.length < LEAST || password.length > MOST_SECRET)
    throw new DroverError("DROVER_E_USAGE", `the password has ${password.length} characters: expected ${LEAST} to ${MOST_SECRET}`);
  process.stdout.write(`${hashPassword(password)}\n`);
  return EXIT.done.code;
}

/** @returns `$scrypt$…` under a salt of its own. */
export function hashPassword(password: string): string {
  const salt = randomBytes(16);
  const { ln, r, p } = COST;
  const made = scryptSync(password.normalize("NFC"), salt, 32, { N: 2 ** ln, r, p, maxmem: 67_108_864 });
  return writeScrypt({ ln, r, p, salt, hash: made });
}

async function readLine(question: string): Promise<string> {
  const isTerminal = process.stdin.isTTY;
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (isTerminal) process.stderr.write(question);
  const lines = createInterface({ input: process.stdin, output: isTerminal ? mute : undefined, terminal: isTerminal });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write("\n");
  }
}
