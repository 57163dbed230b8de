/** Who signs in: a file of users and their codes, JSON or lines. Codes are secrets: they are in no message. */
import { DroverError } from "../base/errors.ts";
import { plainText } from "../base/plain-text.ts";
import type { Person } from "./traffic.ts";

const MOST = 1_000_000;
const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

/**
 * `[{"user": "p001", "code": "…"}]`, or a line `p001,code` for each; a first line `user,code` is a heading. Lines that are empty or begin
 * with # are left out. @param file its name, for errors.
 */
export function readPeople(content: string, file: string): Person[] {
  const text = plainText(content, file);
  const people = /^\s*\[/.test(text) ? fromJson(text, file) : fromLines(text, file);
  if (people.length === 0) throw usage(`${file}: nobody is in it: expected lines such as p001,CODE`);
  if (people.length > MOST) throw usage(`${file}: ${people.length} people: expected at most ${MOST}`);
  return people;
}

function fromJson(text: string, file: string): Person[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the text.
    throw new DroverError("DROVER_E_USAGE", `${file} is no JSON, although it begins with [`, { cause: error });
  }
  return (list as unknown[]).map((one, i) => {
    const { user, code } = (typeof one === "object" && one !== null ? one : {}) as Record<string, unknown>;
    if (typeof user !== "string" || typeof code !== "string" || user === "")
      throw usage(`${file}: entry ${i + 1} is not {"user": "…", "code": "…"}`);
    return { user, code };
  });
}

/** Quotes may stand around a value. Within one they are doubled or part of the code, and nobody knows which. */
const LINE = /^(?:"([^,;\t"]+)" *|([^,;\t"]+))[,;\t]\s*(?:"([^"]+)"|([^"\s].*))$/;
const HEADING = /^\s*"?user"?\s*[,;\t]\s*"?code"?\s*$/i;

function fromLines(text: string, file: string): Person[] {
  const lines = text.split(/\r?\n/);
  return lines.flatMap((line, i) => {
    if (/^\s*(?:#.*)?$/.test(line) || (i === 0 && HEADING.test(line))) return [];
    const [, quotedUser, plainUser, quotedCode, plainCode] = LINE.exec(line.trim()) ?? [];
    const [user = "", code] = [quotedUser ?? plainUser?.trim(), quotedCode ?? plainCode];
    const why = line.includes('"') ? ": quotes and separators within quotes are not read here; JSON has them" : "";
    if (user === "" || code === undefined) throw usage(`${file}: line ${i + 1} is not USER,CODE${why}`);
    return [{ user, code }];
  });
}
