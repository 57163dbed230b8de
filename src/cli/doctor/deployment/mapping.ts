/** From names and values of others to settings of drover. */
import { variableOf, type AnySetting } from "../../../settings/setting.ts";
import { SETTINGS, type SettingName } from "../../../settings/table.ts";
import { SECRET_NAME, type Finding, type Read, type Value } from "./finding.ts";

const rows: readonly AnySetting[] = SETTINGS;

/** Where a value stands and what it says. */
export interface Entry {
  readonly name: string;
  readonly text: string;
  readonly where: string;
}

/** What becomes of a name: a setting, with its value put into drover's notation; or nothing, and why. */
export type Meaning = { readonly setting: SettingName; readonly text: (text: string) => string } | { readonly why: string };

export const same = (text: string): string => text;
export const inSeconds = (text: string): string => (/^\d+$/.test(text) ? `${text}s` : text);
export const inMilliseconds = (text: string): string => (/^\d+$/.test(text) ? `${text}ms` : text);

/** Several results as one. */
export const together = (reads: readonly Read[]): Read => ({
  findings: reads.flatMap(({ findings }) => findings),
  values: reads.flatMap(({ values }) => values),
});

export const found = (...findings: readonly Finding[]): Read => ({ findings, values: [] });

/** A value for a setting, if it can be one. */
export function mapped({ name, text, where }: Entry, setting: SettingName, translated: string): Read {
  const row = rows.find((one) => one.name === setting) as AnySetting;
  const hides = row.secret === true || SECRET_NAME.test(name);
  const what = hides ? name : `${name}=${text}`;
  const parsed = row.codec.parse(translated, "/");
  if (!parsed.ok)
    return found({
      is: "mistake",
      where,
      what: hides || parsed.hide ? name : what,
      mend: `${variableOf(row)} can't be that: expected ${parsed.problem}`,
    });
  const value: Value = { name: setting, text: translated, where };
  return { findings: [{ is: "maps", where, what, to: `${variableOf(row)}${hides ? "" : `=${translated}`}` }], values: [value] };
}

/** A name that drover's own table knows: its variable, or an alias. @returns undefined when it knows none. */
export function bySettings(entry: Entry): Read | undefined {
  const reads: Read[] = [];
  for (const row of rows) {
    const alias = row.aliases?.find(({ name }) => name === entry.name);
    if (variableOf(row) !== entry.name && alias === undefined) continue;
    const translated = alias?.translate?.(entry.text) ?? { ok: true as const, value: entry.text };
    reads.push(mapped(entry, row.name as SettingName, translated.ok ? translated.value : entry.text));
  }
  return reads.length === 0 ? undefined : together(reads);
}

/** What `meanings` has for this name. */
export function byMeaning(entry: Entry, meanings: Readonly<Record<string, Meaning>>, otherwise: string): Read {
  const meaning = Object.hasOwn(meanings, entry.name) ? meanings[entry.name] : undefined;
  if (meaning !== undefined && "setting" in meaning) return mapped(entry, meaning.setting, meaning.text(entry.text));
  const what = SECRET_NAME.test(entry.name) ? entry.name : `${entry.name} = ${entry.text}`;
  return found({ is: "ignored", where: entry.where, what, why: meaning?.why ?? otherwise });
}
