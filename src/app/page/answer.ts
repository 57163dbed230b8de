/** Answers to a form that a browser sends without a script: a page instead of JSON. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { languageOf, type Language } from "./language.ts";

export const PAGE_TYPE = "text/html; charset=utf-8";

const WORDS = {
  en: { refused: "Not saved", back: "Back" },
  fr: { refused: "Pas enregistré", back: "Retour" },
} as const satisfies Record<Language, object>;

/** Browsers name HTML when a person goes to an address or sends a form; scripts and programs do not. */
export const wantsPage = ({ headers }: IncomingMessage): boolean => /\btext\/html\b/.test(headers.accept ?? "");

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

/** @param title by language. @param text a sentence, as text. @param note for whoever is asked for help. */
export function answerPage(headers: IncomingHttpHeaders, title: Readonly<Record<Language, string>>, text: string, note = ""): string {
  const language = languageOf(headers["accept-language"]);
  const meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">';
  const head = `<head>${meta}<title>${escaped(title[language])}</title></head>`;
  const back = `<p><a href="${escaped(cameFrom(headers))}">${WORDS[language].back}</a></p>`;
  const small = note === "" ? "" : `<p><small>${escaped(note)}</small></p>`;
  return `<!doctype html><html lang="${language}">${head}<body><h1>${escaped(title[language])}</h1><p>${escaped(text)}</p>${back}${small}</body></html>`;
}

/** @param detail a problem's sentence. @param requestId what the operator finds the request by. */
export const refusalPage = (headers: IncomingHttpHeaders, detail: string, code: string, requestId: string): string =>
  answerPage(headers, { en: WORDS.en.refused, fr: WORDS.fr.refused }, detail, `${code} · ${requestId}`);

/** The page of this site that the form stands on, or the first page. */
function cameFrom({ referer, host }: IncomingHttpHeaders): string {
  const from = referer === undefined ? undefined : URL.parse(referer);
  return from === undefined || from === null || from.host !== host ? "/" : `${from.pathname}${from.search}`;
}
