/** What a reload changes, and what it can't. */
import { isDeepStrictEqual } from "node:util";
import type { HiddenLine, Resolved } from "./resolve.ts";
import type { Reload } from "./setting.ts";
import { printable, sourceText, type FrozenSource, type Source } from "./source.ts";
import { SETTINGS, type SettingName } from "./table.ts";

export interface Change {
  readonly name: SettingName;
  /** As they may be printed: secrets are `***`. */
  readonly before: string;
  readonly after: string;
  /** Where the new value came from. */
  readonly source: Source;
}

export interface SettingsDiff {
  /** Applied at once. */
  readonly live: readonly Change[];
  /** Reach the next generation. */
  readonly roll: readonly Change[];
  /** Refused: the old value stays until a restart. */
  readonly restart: readonly Change[];
  /** Changed lines of the env file that have no effect, one sentence each. */
  readonly hidden: readonly string[];
}

const frozenBy = (source: FrozenSource): string =>
  `${source.from === "flag" ? `the flag ${source.flag}` : `${source.name} in the environment`}, which stays as it was when drover started`;

/** Lines that appeared, changed or went since the last resolve. Their text was never judged and may be anything, so it is not shown. */
function hiddenChanges(old: readonly HiddenLine[], fresh: readonly HiddenLine[]): string[] {
  const appeared = fresh
    .filter((line) => old.find((o) => o.name === line.name)?.text !== line.text)
    .map((l) => `${sourceText(l.line)} changes nothing: it is hidden by ${frozenBy(l.by)}`);
  const went = old
    .filter((line) => !fresh.some((f) => f.name === line.name))
    .map((l) => `${l.line.name} is gone from ${l.line.file}, which changes nothing: it was hidden by ${frozenBy(l.by)}`);
  return [...appeared, ...went];
}

/** @param old what runs now. */
export function diffSettings(old: Resolved, fresh: Resolved): SettingsDiff {
  const changes: Record<Reload, Change[]> = { live: [], roll: [], restart: [] };
  for (const row of SETTINGS) {
    const { name } = row;
    if (isDeepStrictEqual(old.settings[name], fresh.settings[name])) continue;
    changes[row.reload].push({
      name,
      before: printable(row, old.settings[name]),
      after: printable(row, fresh.settings[name]),
      source: fresh.sources[name],
    });
  }
  return { ...changes, hidden: hiddenChanges(old.hidden, fresh.hidden) };
}

/** What runs after a reload: `restart` rows keep their old value and source. */
export function afterReload(old: Resolved, fresh: Resolved): Resolved {
  const settings: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const { name, reload } of SETTINGS) {
    const from = reload === "restart" ? old : fresh;
    settings[name] = from.settings[name];
    sources[name] = from.sources[name];
  }
  return Object.freeze({
    ...fresh,
    settings: Object.freeze(settings) as unknown as Resolved["settings"],
    sources: Object.freeze(sources),
  });
}
