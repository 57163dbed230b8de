/** The files of an artefact, as texts or in a folder for the programs that check or run them. */
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ARTEFACTS } from "../../../src/tools/emit/artefacts.ts";
import { installationOf, type Installation } from "../../../src/tools/emit/installation.ts";
import { emitted } from "../../../src/tools/emit/render.ts";
import type { EmittedFile } from "../../../src/tools/emit/write.ts";
import { machine, resolved } from "../../settings/given.ts";

type Texts = Readonly<Record<string, string>>;

/** @param flags settings, as on a command line. */
export const installed = (flags: Texts = {}, cpus = 2): Installation =>
  installationOf(resolved({ flags }), machine({ cpus }));

/** With the sample, which has tables. */
export const sample = (flags: Texts = {}): Installation => installed({ demo: "on", ...flags });

/** @param options as on a command line. */
export function filesOf(
  name: string,
  options: Texts = {},
  given = sample(),
): readonly EmittedFile[] {
  const artefact = ARTEFACTS[name] ?? assert.fail(name);
  return emitted(name, artefact, given, options).files;
}

/** The text of its first file, or of the one that is named. */
export function textOf(
  name: string,
  options: Texts = {},
  { given = sample(), path }: { readonly given?: Installation; readonly path?: string } = {},
): string {
  const files = filesOf(name, options, given);
  const file = path === undefined ? files[0] : files.find((one) => one.path === path);
  return file?.text ?? assert.fail(`${name} writes no ${path}`);
}

export function emptyFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-emitted-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** @returns the folder with the files. */
export function inFolder(
  t: TestContext,
  name: string,
  options: Texts = {},
  given = sample(),
): string {
  const dir = emptyFolder(t);
  for (const { path, text, mode } of filesOf(name, options, given))
    writeFileSync(join(dir, path), text, { mode: mode ?? 0o644 });
  return dir;
}

/** @throws AssertionError with all that it printed when it does not exit with 0. */
export function runs(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): string {
  const done = run(command, args, env);
  const printed = `${done.error?.message ?? ""}${done.stdout}${done.stderr}`;
  assert.equal(done.status, 0, `${command} ${args.join(" ")}: ${printed}`);
  return done.stdout;
}

export const run = (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): SpawnSyncReturns<string> =>
  spawnSync(command, args, { encoding: "utf8", env: { ...process.env, ...env }, timeout: 60_000 });
