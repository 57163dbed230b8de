/** Writes answers with the headers, the layout and the encodings that Google's front end gives them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Answer, Page } from "./answers.ts";

const compress = promisify(gzip);

/**
 * As recorded, without Alt-Svc: it would send clients to a port 443 that is not ours. There is no ETag and no
 * Last-Modified: Google gives none.
 */
const HEADERS = {
  "Cache-Control": "private",
  Server: "ESF",
  Vary: "Origin, X-Origin, Referer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "SAMEORIGIN",
  "X-XSS-Protection": "0",
  "x-l2-request-path": "l2-managed-6",
} as const;

/** The bytes of a body: two spaces and a newline at the end, unless the client asked for prettyPrint=false. */
export function encodeJson(body: unknown, pretty: boolean): Buffer {
  return Buffer.from(pretty ? `${JSON.stringify(body, null, 2)}\n` : JSON.stringify(body));
}

/** Whether an Accept-Encoding header admits gzip; `gzip;q=0` does not. */
export function acceptsGzip(header: string | undefined): boolean {
  return (header ?? "")
    .split(",")
    .some((part) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(part));
}

export function headOf(answer: Answer, closing: boolean): Record<string, string> {
  return {
    "Content-Type": "application/json; charset=UTF-8",
    ...HEADERS,
    ...answer.headers,
    ...(closing ? { Connection: "close" } : {}),
  };
}

/** @param closing the server is going: the client is told to come back on another connection. */
export async function writeAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  answer: Answer,
  how: { pretty: boolean; closing: boolean },
): Promise<void> {
  const plain = encodeJson(answer.body, how.pretty);
  const zipped = acceptsGzip(req.headers["accept-encoding"]);
  const bytes = zipped ? await compress(plain) : plain;
  const head = headOf(answer, how.closing);
  res.writeHead(answer.status, {
    ...head,
    ...(zipped ? { "Content-Encoding": "gzip", Vary: `${HEADERS.Vary}, Accept-Encoding` } : {}),
    "Transfer-Encoding": "chunked",
  });
  res.end(bytes);
}

export function writePage(res: ServerResponse, page: Page, closing: boolean): void {
  const bytes = Buffer.from(page.html);
  res.writeHead(page.status, {
    "Content-Type": "text/html; charset=UTF-8",
    "Referrer-Policy": "no-referrer",
    "Content-Length": bytes.length,
    ...(closing ? { Connection: "close" } : {}),
  });
  res.end(bytes);
}
