/** The refusal of a full service, in the reader's language. */
import type { IncomingHttpHeaders } from "node:http";
import type { Shortage, SlotNoun } from "../../base/slots.ts";
import type { Ms } from "../../base/units.ts";
import { languageOf, type Language } from "../page/language.ts";
import { problem, retryAfter, type Problem } from "../problem.ts";

export interface Full {
  readonly used: number;
  readonly max: number;
  readonly retryAfter: Ms;
  /** There are slots, but the machine is short of this. */
  readonly because?: Shortage;
}

const SENTENCES: Readonly<Record<Language, (slots: string) => string>> = {
  fr: (slots) => `Serveur complet (${slots}). Réessaie dans quelques minutes.`,
  en: (slots) => `Server full (${slots}). Try again in a few minutes.`,
};
const OVERLOADED: Readonly<Record<Language, string>> = {
  fr: "Serveur très chargé : aucune nouvelle session pour l’instant. Réessaie dans quelques minutes.",
  en: "The server is busy: no new session for the moment. Try again in a few minutes.",
};

/** The sentence alone, for a page. @param noun what holds a slot. */
export function fullSentence({ used, max, because }: Omit<Full, "retryAfter">, language: Language, noun: SlotNoun): string {
  if (because !== undefined) return OVERLOADED[language];
  const { one, many } = noun[language];
  return SENTENCES[language](`${used}/${max} ${Math.max(used, max) > 1 ? many : one}`);
}

/**
 * All slots are taken, or the machine is short of something: 503, in French or English by
 * Accept-Language. Retry-After is drawn from 1 to 1.5 times the wait, to spread the next tries.
 */
export function fullProblem(full: Full, headers: IncomingHttpHeaders, noun: SlotNoun, random: () => number = Math.random): Problem {
  const language = languageOf(headers["accept-language"]);
  const wait = (full.retryAfter * (1 + random() / 2)) as Ms;
  return problem(503, "full", fullSentence(full, language, noun), {
    headers: { ...retryAfter(wait), "X-Drover-Refused": full.because ?? "full", "Content-Language": language, Vary: "Accept-Language" },
  });
}
