/** The refusal of a full service, in the reader's language. */
import type { IncomingHttpHeaders } from "node:http";
import type { SlotNoun } from "../../base/slots.ts";
import type { Ms } from "../../base/units.ts";
import { languageOf, type Language } from "../page/language.ts";
import { problem, retryAfter, type Problem } from "../problem.ts";

export interface Full {
  readonly used: number;
  readonly max: number;
  readonly retryAfter: Ms;
}

const SENTENCES: Readonly<Record<Language, (slots: string) => string>> = {
  fr: (slots) => `Serveur complet (${slots}). Réessaie dans quelques minutes.`,
  en: (slots) => `Server full (${slots}). Try again in a few minutes.`,
};

/** The sentence alone, for a page. @param noun what holds a slot. */
export function fullSentence({ used, max }: Pick<Full, "used" | "max">, language: Language, noun: SlotNoun): string {
  const { one, many } = noun[language];
  return SENTENCES[language](`${used}/${max} ${Math.max(used, max) > 1 ? many : one}`);
}

/** All slots are taken: 503, in French or English by Accept-Language. Up to half as long again, so that those refused together come apart. */
export function fullProblem(full: Full, headers: IncomingHttpHeaders, noun: SlotNoun, random: () => number = Math.random): Problem {
  const language = languageOf(headers["accept-language"]);
  const wait = (full.retryAfter * (1 + random() / 2)) as Ms;
  return problem(503, "full", fullSentence(full, language, noun), {
    headers: { ...retryAfter(wait), "X-Drover-Refused": "full", "Content-Language": language, Vary: "Accept-Language" },
  });
}
