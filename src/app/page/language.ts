/** The languages that the page speaks, and which one a reader gets. */
export const LANGUAGES = ["en", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];

/** @param header Accept-Language (RFC 9110 §12.5.4): the known language of the highest weight, the first of equals; else English. */
export function languageOf(header: string | undefined): Language {
  let best: { readonly language: Language; readonly weight: number } | undefined;
  for (const item of (header ?? "").slice(0, 512).split(",")) {
    const [range = "", ...parameters] = item.split(";").map((part) => part.trim());
    const language = LANGUAGES.find((known) => known === range.toLowerCase().split("-", 1)[0]);
    const q = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    const weight = q === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : 0;
    if (language !== undefined && weight > (best?.weight ?? 0)) best = { language, weight };
  }
  return best?.language ?? "en";
}
