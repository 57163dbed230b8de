/** Which column names mean a secret. */

/** Hidden wherever they stand as a word of a name: `code`, `userPin`, `pass_word`, `Hash 2`. */
const WHOLE = new Set(["code", "codes", "password", "passwords", "secret", "secrets", "token", "tokens", "pin", "pins", "hash", "hashes"]);
/** Long enough to mean nothing else, so hidden even inside a word: `userpassword`. */
const INSIDE = /password|secret|token/;

/** True for a column whose name suggests that it holds a secret (see `secretWord`). */
export const namesSecret = (column: string): boolean => secretWord(column) !== undefined;

/**
 * The word that makes a column's name suggest a secret. Case, accents and separators do not matter. The tables file can
 * overrule it (`"hidden"`): a guess that hides too much costs a line, one that hides too little costs the secret.
 * @returns undefined when there is none.
 */
export function secretWord(column: string): string | undefined {
  const words = column
    .normalize("NFKD")
    .replace(/[\p{M}\p{Cf}]/gu, "")
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== "");
  const joined = words.join("");
  return words.find((word) => WHOLE.has(word)) ?? (WHOLE.has(joined) ? joined : INSIDE.exec(joined)?.[0]);
}
