/** Writes answers with the headers, layout and encodings of Google's front end. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Answer, Page } from "./google-errors.ts";

const compress = promisify(gzip);

/** As recorded, but without Alt-Svc, which would send clients to port 443. Google sends no ETag and no Last-Modified. */
const HEADERS = {
  "Cache-Control": "private",
  Server: "ESF",
  Vary: "Origin, X-Origin, Referer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "SAMEORIGIN",
  "X-XSS-Protection": "0",
  "x-l2-request-path": "l2-managed-6",
} as const;

/** @param isPretty with two spaces and a final newline: Google's layout unless a client sends prettyPrint=false. */
export function encodeJson(body: unknown, isPretty: boolean): Buffer {
  return Buffer.from(isPretty ? `${JSON.stringify(body, null, 2)}\n` : JSON.stringify(body));
}

/** Whether an Accept-Encoding header admits gzip; `gzip;q=0` does not. */
export function acceptsGzip(header: string | undefined): boolean {
  return (header ?? "")
    .split(",")
    .some((part) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(part));
}

const closing = (isClosing: boolean): Record<string, string> =>
  isClosing ? { Connection: "close" } : {};

export function headOf(
  { headers }: Pick<Answer, "headers">,
  isClosing: boolean,
): Record<string, string> {
  const type = { "Content-Type": "application/json; charset=UTF-8" };
  return { ...type, ...HEADERS, ...headers, ...closing(isClosing) };
}

export interface Layout {
  readonly isPretty: boolean;
  /** The server is closing: the client must use another connection next. */
  readonly isClosing: boolean;
}

export async function writeAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  answer: Answer,
  { isPretty, isClosing }: Layout,
): Promise<void> {
  const plain = encodeJson(answer.body, isPretty);
  const isZipped = acceptsGzip(req.headers["accept-encoding"]);
  const zipped = { "Content-Encoding": "gzip", Vary: `${HEADERS.Vary}, Accept-Encoding` };
  const bytes = isZipped ? await compress(plain) : plain;
  const head = { ...headOf(answer, isClosing), ...(isZipped ? zipped : {}) };
  res.writeHead(answer.status, { ...head, "Transfer-Encoding": "chunked" }).end(bytes);
}

export function writePage(res: ServerResponse, page: Page, isClosing: boolean): void {
  const bytes = Buffer.from(page.html);
  const head = {
    "Content-Type": "text/html; charset=UTF-8",
    "Referrer-Policy": "no-referrer",
    "Content-Length": bytes.length,
  };
  res.writeHead(page.status, { ...head, ...closing(isClosing) }).end(bytes);
}
