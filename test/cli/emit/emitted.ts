/** An artefact's files in a folder of their own, for the programs that check or run them. */
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Artefact, Facts, OptionValues } from "../../../src/cli/emit/artefact.ts";
import { factsOf } from "../../../src/cli/emit/facts.ts";
import { machine, resolved } from "../../settings/given.ts";

/** @param flags settings, as on a command line. The sample is on: it has tables. */
export const facts = (flags: Readonly<Record<string, string>> = {}): Facts =>
  factsOf(resolved({ flags: { demo: "on", ...flags } }), machine());

export function emptyFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-emitted-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** @returns the folder with the files. */
export function emitted(t: TestContext, artefact: Artefact, options: OptionValues = {}, given = facts()): string {
  const dir = emptyFolder(t);
  for (const { path, text, mode } of artefact.files(given, options)) writeFileSync(join(dir, path), text, { mode: mode ?? 0o644 });
  return dir;
}

/** The text of its one file, or of the one that is named. */
export function textOf(
  artefact: Artefact,
  options: OptionValues = {},
  { given = facts(), path }: { readonly given?: Facts; readonly path?: string } = {},
): string {
  const files = artefact.files(given, options);
  const file = path === undefined ? files[0] : files.find((one) => one.path === path);
  return file?.text ?? assert.fail(`${artefact.name} writes no ${path}: ${files.map((one) => one.path).join(", ")}`);
}

/** @throws AssertionError with all that it printed when it does not exit with 0. */
export function runs(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const done = run(command, args, env);
  assert.equal(done.status, 0, `${command} ${args.join(" ")}: ${done.error?.message ?? ""}${done.stdout}${done.stderr}`);
  return done.stdout;
}

export const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> =>
  spawnSync(command, args, { encoding: "utf8", env: { ...process.env, ...env }, timeout: 60_000 });
