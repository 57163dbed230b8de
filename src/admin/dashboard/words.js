/** The reader's language, and figures as people of it write them. */
import { inFrench } from "./french.js";
import { TEXTS } from "./texts.js";

const KEPT = "drover-language";
const asked = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem(KEPT) ?? navigator.language;
export const language = asked.toLowerCase().startsWith("fr") ? "fr" : "en";
document.documentElement.lang = language;
const own = TEXTS[language];

/** A word, or a sentence with figures in it; what has none is shown as it is. */
export function t(key, ...figures) {
  const text = own[key] ?? key;
  return typeof text === "function" ? text(...figures) : text;
}

/** Whether the page has a word of its own for it. */
export const has = (key) => own[key] !== undefined;

/** The word for `kind.name`; a name that has none stands for itself. */
export const named = (kind, name) => own[`${kind}.${name}`] ?? String(name);

/** A sentence of the daemon's: `lang` is the language that it could be said in. */
export function spoken(said, english) {
  const words = language === "fr" && said !== undefined ? inFrench(said, (n) => tenth.format(n)) : undefined;
  return words === undefined ? { words: english, lang: "en" } : { words, lang: "fr" };
}

export function switchLanguage() {
  localStorage.setItem(KEPT, language === "fr" ? "en" : "fr");
  location.replace("/admin");
}

/** Puts the words where the page has marked a place for them. */
export function fillWords() {
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
}

const NONE = "–";
const whole = new Intl.NumberFormat(language);
const tenth = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export const number = (n) =>
  n === null || n === undefined ? NONE : n >= 100_000 ? short.format(n) : n >= 100 ? whole.format(Math.round(n)) : tenth.format(n);
export const percent = (n) => (n === null || n === undefined ? NONE : share.format(n));
export const millis = (n) =>
  n === null || n === undefined
    ? NONE
    : n >= 10_000
      ? `${tenth.format(n / 1_000)} s`
      : n >= 10
        ? `${Math.round(n)} ms`
        : `${tenth.format(n)} ms`;
export const mib = (n) =>
  n === null || n === undefined ? NONE : `${whole.format(Math.round(n / 1_048_576))} ${language === "fr" ? "Mio" : "MiB"}`;
const date = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
/** The time of day; of another day with its date. */
export function time(iso) {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? clock.format(at) : `${date.format(at)} ${clock.format(at)}`;
}

/** Seconds, in the two largest units that say something. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7_200) return `${Math.round(s / 60)} min`;
  const day = language === "fr" ? "j" : "d";
  return s < 172_800
    ? `${Math.floor(s / 3_600)} h ${String(Math.floor((s % 3_600) / 60)).padStart(2, "0")}`
    : `${Math.floor(s / 86_400)} ${day} ${Math.floor((s % 86_400) / 3_600)} h`;
}
