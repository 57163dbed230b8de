/** What of a spreadsheet's locale changes how an entry is read and shown: the separators and the order of day and month. */
export interface Locale {
  readonly decimal: "." | ",";
  readonly group: string;
  readonly monthFirst: boolean;
}

/** Languages that write 1.234,5 or 1 234,5. */
const COMMA: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["de", "es", "it", "nl", "pt", "da", "tr", "id", "el", "ca", "hr", "ro", "sl", "vi", "is", "az", "gl"].map((l) => [l, "."]),
  ),
  ...Object.fromEntries(
    ["fr", "ru", "uk", "pl", "cs", "sk", "sv", "nb", "no", "fi", "hu", "bg", "lt", "lv", "et", "be", "kk"].map((l) => [l, "\u00a0"]),
  ),
};
/** Places whose language writes a comma but who don't. */
const POINT = new Set(["es_MX", "de_CH", "fr_CH", "it_CH", "de_LI"]);
const MONTH_FIRST = new Set(["en_US", "en", "en_PH", "es_PR", "fil_PH"]);

/** @param name as in SpreadsheetProperties.locale: en_US, fr_FR */
export function localeOf(name: string): Locale {
  const group = POINT.has(name) ? undefined : COMMA[name.split(/[_-]/)[0] ?? ""];
  return { decimal: group === undefined ? "." : ",", group: group ?? ",", monthFirst: MONTH_FIRST.has(name) };
}

export const EN_US = localeOf("en_US");
