/** Without the table of all 1,112,064 characters that fast-check's `unit: "binary"` builds: a second of CPU in each process. */
import { fc } from "./fast-check.ts";

const LAST = 0x10ffff;
/** Surrogates are no characters: what follows them moves down. */
const SURROGATES = 0xd800;
const COUNT = 0x800;

/** Every character of Unicode, each as likely, as the `unit` of `fc.string`. */
export const ANY_CHARACTER = fc.nat(LAST - COUNT).map(
  (nr) => String.fromCodePoint(nr < SURROGATES ? nr : nr + COUNT),
  (text) => {
    const code = typeof text === "string" ? text.codePointAt(0) : undefined;
    if (code === undefined || text !== String.fromCodePoint(code) || !text.isWellFormed()) throw new Error("not one character");
    return code < SURROGATES ? code : code - COUNT;
  },
);
