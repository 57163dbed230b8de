/** Request bodies: read up to a limit, and parsed as Google parses them. */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { GoogleError } from "./google-errors.ts";

/** @returns "too large" for more than `limit` bytes, as soon as that is known; "gone" when the client closed the connection. */
export async function readBody(
  req: IncomingMessage,
  limit: number,
): Promise<Buffer | "too large" | "gone"> {
  if (Number(req.headers["content-length"] ?? 0) > limit) return "too large";
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limit) return "too large";
      chunks.push(chunk);
    }
  } catch {
    return "gone"; // no client is left to answer
  }
  return Buffer.concat(chunks);
}

/** The error position is not searched for in longer bodies. Characters. */
const LONGEST_SEARCHED = 65_536;

/** @returns undefined when the text is JSON, or could become JSON with more text. */
function errorIn(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = String(error);
    const at = /at position (\d+)/.exec(message)?.[1];
    const isCut = /Unexpected end|Unterminated/.test(message) || Number(at) === text.length;
    return isCut ? undefined : message;
  }
}

/** The index of the first character that no JSON can have there, by bisection: V8 does not tell it for every text. */
function errorPosition(text: string): number | undefined {
  if (text.length > LONGEST_SEARCHED || errorIn(text) === undefined) return undefined;
  let [good, bad] = [0, text.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (errorIn(text.slice(0, middle)) === undefined) good = middle;
    else bad = middle;
  }
  return good;
}

/** Characters that Google shows on each side of the error. */
const CONTEXT = 20;

function invalidJson(what: string): GoogleError {
  const description = `Invalid JSON payload received. ${what}`;
  const type = "type.googleapis.com/google.rpc.BadRequest";
  return new GoogleError(400, description, [{ "@type": type, fieldViolations: [{ description }] }]);
}

/** @returns `{}` for an empty body. @throws GoogleError 400 */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return {};
  if (!isUtf8(bytes)) throw invalidJson("Encountered non UTF-8 code points.");
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    const at = errorPosition(text);
    if (at === undefined)
      throw invalidJson(
        text.length > LONGEST_SEARCHED ? "Parsing terminated." : "Unexpected end of string.",
      );
    const from = Math.max(0, at - CONTEXT);
    const shown = text.slice(from, at + CONTEXT).replace(/\s/g, " ");
    throw invalidJson(`Unexpected token.\n${shown}\n${" ".repeat(at - from)}^`);
  }
}
