/** Request bodies: read to a limit, parsed as Google parses them. */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Violation } from "./api/validate.ts";

/** @returns the bytes, "too large" as soon as they are more than `limit`, or "gone" when the client went away meanwhile. */
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
    return "gone"; // aborted: there is no one to tell
  }
  return Buffer.concat(chunks);
}

/** Longer bodies are not searched for the place where they break. */
const SEARCHED = 65_536;

/** @returns undefined when the text is JSON, or could become JSON by more text; else what V8 says. */
function breakIn(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = String(error);
    const at = /at position (\d+)/.exec(message)?.[1];
    return /Unexpected end|Unterminated/.test(message) || Number(at) === text.length
      ? undefined
      : message;
  }
}

/** The index of the first character after which nothing can make it JSON; undefined when the text merely ends too early. V8 does not tell it for all texts. */
function firstBreak(text: string): number | undefined {
  if (text.length > SEARCHED || breakIn(text) === undefined) return undefined;
  let [viable, broken] = [0, text.length];
  while (broken - viable > 1) {
    const middle = (viable + broken) >> 1;
    if (breakIn(text.slice(0, middle)) === undefined) viable = middle;
    else broken = middle;
  }
  return viable;
}

/** How much of a broken body Google shows on each side of the place. */
const CONTEXT = 20;

const complain = (what: string): { violation: Violation } => ({
  violation: { description: `Invalid JSON payload received. ${what}` },
});

/** @returns the value, `{}` for no bytes at all, or Google's complaint. */
export function parseJson(
  bytes: Buffer,
): { readonly value: unknown } | { readonly violation: Violation } {
  if (bytes.length === 0) return { value: {} };
  if (!isUtf8(bytes)) return complain("Encountered non UTF-8 code points.");
  const text = bytes.toString("utf8");
  try {
    return { value: JSON.parse(text) };
  } catch {
    const at = firstBreak(text);
    if (at === undefined)
      return complain(text.length > SEARCHED ? "Parsing terminated." : "Unexpected end of string.");
    const from = Math.max(0, at - CONTEXT);
    const shown = text.slice(from, at + CONTEXT).replace(/\s/g, " ");
    return complain(`Unexpected token.\n${shown}\n${" ".repeat(at - from)}^`);
  }
}
