/** A sentence in English that another language can be made of: what stays the same of it, and its figures. */

/** A figure may be a sentence's part again. */
export type Figure = string | number | Said;

export interface Said {
  readonly text: string;
  /** The text with {0}, {1} … for the figures: what a translation is found by. */
  readonly form: string;
  readonly with: readonly Figure[];
}

/** Says it in English, and remembers how. */
export function said(parts: TemplateStringsArray, ...figures: readonly Figure[]): Said {
  const joined = (between: (figure: Figure, i: number) => string): string =>
    parts.reduce((text, part, i) => text + between(figures[i - 1] ?? "", i - 1) + part);
  return { text: joined((figure) => plain(figure)), form: joined((_, i) => `{${i}}`), with: figures };
}

const plain = (figure: Figure): string => (typeof figure === "object" ? figure.text : String(figure));

/** Nothing to say. */
export const UNSAID: Said = said``;
