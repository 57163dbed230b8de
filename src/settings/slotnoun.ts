/** `DROVER_SLOT_NOUN`: what holds a slot, in the words of the site: `fr: bot actif/bots actifs, en: active bot/active bots`. */
import { SLOT_NOUN, type SlotNoun } from "../base/slots.ts";
import { expected, parsed, type Codec } from "./setting.ts";

const LOOKS = "SINGULAR/PLURAL in one language or both, such as fr: bot actif/bots actifs, en: active bot/active bots";
const LANGUAGES = ["fr", "en"] as const;
/** Words of a sentence: no separator of this setting, and no control character. */
const WORDS = /^[^/,:\p{Cc}]{1,60}$/u;

export const slotNoun: Codec<SlotNoun> = {
  looksLike: LOOKS,
  format: (noun) => LANGUAGES.map((language) => `${language}: ${noun[language].one}/${noun[language].many}`).join(", "),
  parse(text) {
    let noun: SlotNoun = SLOT_NOUN;
    for (const part of text.split(",")) {
      const [, language, words = ""] = /^\s*(fr|en)\s*:(.*)$/i.exec(part) ?? [];
      const [one = "", many = "", ...rest] = words.split("/").map((word) => word.trim());
      if (language === undefined || rest.length > 0 || !WORDS.test(one) || !WORDS.test(many)) return expected(LOOKS);
      noun = { ...noun, [language.toLowerCase()]: { one, many } };
    }
    return parsed(noun);
  },
};
