import { http } from "../base/http.ts";
import type { Encoding } from "../base/encoding.ts";
import type { PreparedAnswer } from "./app.ts";

/** One form of an answer, ready to be written but for the few values that differ from one writing to the next. */
export interface Rendition {
  readonly status: number;
  /** The constant part of the head: flat name, value, … */
  readonly head: readonly string[];
  /** The same as text, status line included. */
  readonly text: string;
  /** undefined: a 304 has none. */
  readonly body: Buffer | undefined;
  /** What it was written with last: writing.ts's own. */
  frame?: Frame;
}

/** The head with what changes from second to second, put together. */
export interface Frame {
  readonly late: readonly string[];
  readonly before: string;
  /** It has been written with more than once, and is in one piece since. */
  readonly whole: boolean;
}

const SUFFIX = { identity: "", gzip: "-gz", br: "-br" } as const satisfies Record<Encoding, string>;
/** What describes a body that a 304 does not have. */
const OF_A_BODY = /^content-(?:type|length|encoding|language|range|disposition)$/i;

/** @returns the strong tag of one encoding, with its quotes. */
export function tagOf(answer: PreparedAnswer, encoding: Encoding): string {
  return `"${answer.etag}${SUFFIX[encoding]}"`;
}

/**
 * The answer itself in one encoding.
 * @param constant headers that every answer of this worker carries.
 * @throws TypeError when a header's name or value is not allowed in HTTP.
 */
export function render(answer: PreparedAnswer, encoding: Encoding, body: Buffer, constant: readonly string[]): Rendition {
  const head = [...withVary(answer.head), "ETag", tagOf(answer, encoding), "Content-Length", String(body.length)];
  if (encoding !== "identity") head.push("Content-Encoding", encoding);
  return rendition(200, [...head, ...constant], body);
}

/**
 * The 304 for a client that has `tag`.
 * @throws TypeError as render() does.
 */
export function renderNotModified(answer: PreparedAnswer, tag: string, constant: readonly string[]): Rendition {
  const kept: string[] = [];
  const head = withVary(answer.head);
  for (let at = 0; at < head.length; at += 2) if (!OF_A_BODY.test(head[at] ?? "")) kept.push(head[at] ?? "", head[at + 1] ?? "");
  return rendition(304, [...kept, "ETag", tag, ...constant], undefined);
}

/**
 * Checks the head here, once: later it is written as it is.
 * @throws TypeError as render() does.
 */
export function rendition(status: number, head: readonly string[], body: Buffer | undefined): Rendition {
  let text = `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? "Error"}\r\n`;
  for (let at = 0; at < head.length; at += 2) {
    const name = head[at] ?? "";
    const value = head[at + 1] ?? "";
    http.validateHeaderName(name);
    http.validateHeaderValue(name, value);
    text += `${name}: ${value}\r\n`;
  }
  return { status, head, text, body };
}

/** Every answer with a body may come in several encodings: its caches must know, even while there is only one. */
function withVary(head: readonly string[]): string[] {
  const copy = [...head];
  const at = copy.findIndex((name, nr) => nr % 2 === 0 && name.toLowerCase() === "vary");
  if (at < 0) copy.push("Vary", "Accept-Encoding");
  else if (!/accept-encoding|\*/i.test(copy[at + 1] ?? "")) copy[at + 1] = `${copy[at + 1]}, Accept-Encoding`;
  return copy;
}
