/** Numbers, times, orders: arithmetic without a page. */

/** @param values put where the text says `{name}`. */
export const fill = (text, values = {}) => text.replaceAll(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/** @returns `0:09`, `2:30`, `1:00:00`: what is left of a wait, rounded up so that it never says 0 too early. */
export function countdown(ms) {
  const left = Math.max(0, Math.ceil(ms / 1_000));
  const [hours, minutes, seconds] = [Math.floor(left / 3_600), Math.floor(left / 60) % 60, left % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** @returns "3 min. ago" in that language. */
export function ago(seconds, language) {
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  if (seconds < 90) return words.format(-Math.max(0, Math.round(seconds)), "second");
  if (seconds < 5_400) return words.format(-Math.round(seconds / 60), "minute");
  return seconds < 129_600 ? words.format(-Math.round(seconds / 3_600), "hour") : words.format(-Math.round(seconds / 86_400), "day");
}

/** A cell as people read it. ISO moments are shown in the reader's zone. */
export function textOf(cell, language) {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number")
    return new Intl.NumberFormat(language, { maximumFractionDigits: 6, useGrouping: Math.abs(cell) >= 10_000 }).format(cell);
  if (typeof cell === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(cell)) return moment(cell, language);
  return String(cell);
}

function moment(iso, language) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(at);
}

/**
 * How long to wait before the next try: doubling from one second to thirty, at any moment of the second half, so that those who were
 * thrown out together do not come back together. @param asked seconds that the server asked for: never sooner.
 */
export function backoff(tries, asked = 0, chance = Math.random()) {
  const wait = Math.min(30_000, 1_000 * 2 ** Math.min(tries, 10));
  return Math.max(asked * 1_000, wait * (0.5 + chance / 2));
}

/** Numbers, then texts by the language's rules, then true and false; empty cells last in both directions. */
export function sorted(rows, { column, down }, language) {
  const texts = new Intl.Collator(language, { numeric: true });
  const kind = (cell) => ["number", "string", "boolean"].indexOf(typeof cell);
  const order = (a, b) => kind(a) - kind(b) || (typeof a === "string" ? texts.compare(a, b) : Number(a) - Number(b));
  const isEmpty = (cell) => cell === null || cell === undefined;
  return rows.toSorted((one, other) => {
    const [a, b] = [one[column], other[column]];
    if (isEmpty(a) || isEmpty(b)) return Number(isEmpty(a)) - Number(isEmpty(b));
    return down ? order(b, a) : order(a, b);
  });
}

/** Rows from the most to the fewest points, each with its place; equals share one, and the next is left out (1, 1, 3). */
export function ranked(rows, column, language) {
  let place = 0;
  let last;
  return sorted(rows, { column, down: true }, language).map((row, i) => {
    if (i === 0 || row[column] !== last) place = i + 1;
    last = row[column];
    return { row, place };
  });
}

/** Whether each word stands somewhere in the row; accents and case do not count. */
export function matches(row, search) {
  const fold = (text) => text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const words = fold(search).split(/\s+/).filter(Boolean);
  const text = fold(Object.values(row).join("\0"));
  return words.every((word) => text.includes(word));
}

/** Columns that hold numbers and nothing else. */
export function numericColumns(rows, columns) {
  const isNumber = (cell) => typeof cell === "number";
  const isEmpty = (cell) => cell === null || cell === undefined;
  return new Set(
    columns.filter((name) => rows.some((row) => isNumber(row[name])) && rows.every((row) => isEmpty(row[name]) || isNumber(row[name]))),
  );
}

/** A property of the thing's own: tables, columns and cells may be called `constructor`. */
export const own = (thing, name) => (Object.hasOwn(thing, name) ? thing[name] : undefined);

/** @returns the first language of the reader's that the page speaks. */
export function languageOf(wanted, known) {
  for (const one of wanted) {
    const found = known.find((language) => language === String(one).toLowerCase().split("-", 1)[0]);
    if (found !== undefined) return found;
  }
  return known[0];
}
