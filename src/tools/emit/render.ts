/** Renders the templates of config/emit and systemd. */
import { readFileSync } from "node:fs";
import { Eta } from "eta/core";
import { DroverError, messageOf } from "../../base/errors.ts";
import { ownPath } from "../../base/place.ts";
import { parsed } from "../flags.ts";
import type { Artefact } from "./artefacts.ts";
import type { Installation, Options } from "./installation.ts";
import type { EmittedFile } from "./write.ts";

/** Only a text or a number is printed: a missing value, a list or an object is a bug. */
function printed(value: unknown): string {
  if (typeof value === "string" || Number.isFinite(value)) return String(value);
  throw new Error(`a value is ${String(value)} (expected a text or a number)`);
}

/** Values are validated for their format before they get here; escapes for HTML would damage them. */
const eta = new Eta({
  autoEscape: false,
  autoFilter: true,
  filterFunction: printed,
  autoTrim: false,
  useWith: true,
});

/** @throws DroverError DROVER_E_BUG for a value that is missing. */
export function renderText(name: string, text: string, values: object): string {
  try {
    return eta.renderString(text, values);
  } catch (e) {
    throw new DroverError("DROVER_E_BUG", `${name}: ${messageOf(e)}`, { cause: e });
  }
}

/** @param path of the template, below this package. @throws DroverError DROVER_E_BUG for a value that is missing. */
export const render = (path: string, values: object): string =>
  renderText(path, readFileSync(ownPath(path), "utf8"), values);

/**
 * @param name of a row in ARTEFACTS.
 * @param given the options as they are written on a command line.
 * @returns files with paths relative to --output, and the advice for where they were written.
 * @throws DroverError DROVER_E_USAGE for an option or a setting that the artefact cannot use.
 */
export function emitted(
  name: string,
  { options: rows = [], files, values }: Artefact,
  installation: Installation,
  given: Readonly<Record<string, string>> = {},
) {
  const options = parsed(rows, given) as unknown as Options;
  const writtenBy = `Written by \`drover emit ${name}\` (drover ${installation.version}).`;
  const all = { ...options, writtenBy, ...values?.(installation, options) };
  const texts = files.map((path): EmittedFile => ({
    path,
    text: render(`config/emit/${path}`, all),
    mode: path.endsWith(".sh") ? 0o755 : 0o644,
  }));
  return {
    files: texts.filter(({ text }) => text !== ""),
    next: (paths: readonly string[]) => render(`config/emit/next/${name}.txt`, { ...all, paths }),
  };
}
