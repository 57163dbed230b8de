/** Requests and answers of the admin API on Node's HTTP. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdminAnswer } from "../request.ts";

/**
 * @returns the body's text; undefined when it is longer than `most` bytes (the rest is not read),
 *   or the client left before its end.
 */
export async function readText(req: IncomingMessage, most: number): Promise<string | undefined> {
  if (Number(req.headers["content-length"] ?? 0) > most) return undefined; // a slow client would hold its place for as long as it liked
  const chunks: Buffer[] = [];
  let size = 0;
  // Left in the middle of a body that is too long, the request must live until it is answered.
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > most) return undefined;
    }
  } catch {
    return undefined; // "aborted": there is no client to answer
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A body that nobody reads is read by Node and forgotten, if it is small; else its connection ends. */
export function write(req: IncomingMessage, res: ServerResponse, { status, headers, body }: AdminAnswer): void {
  if (res.destroyed || res.headersSent) return;
  const unread = !req.complete && (Number(req.headers["content-length"] ?? 0) > 65_536 || req.headers["transfer-encoding"] !== undefined);
  const length = { "Content-Length": String(Buffer.byteLength(body)) };
  res.writeHead(status, { ...headers, ...(status === 304 ? {} : length), ...(unread ? { Connection: "close" } : {}) });
  res.end(req.method === "HEAD" || status === 304 ? undefined : body);
}
