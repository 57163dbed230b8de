import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { isHost } from "../base/target.ts";
import type { FetchApplication, Listener } from "./app.ts";
import { isEncrypted } from "./peer.ts";

/**
 * Serves an object with `fetch(request)`: the Fetch standard's Request from Node's, and back. Bodies stream both ways with
 * back-pressure; `request.signal` aborts when the client goes away or the request timeout strikes.
 */
export function fetchListener(app: FetchApplication, log: Logger): Listener {
  return (req, res) =>
    answer(app, req, res).catch((thrown: unknown) => {
      if (res.destroyed || req.signal.aborted) return; // nobody is there to be told
      log.error({ err: thrown, method: req.method }, `the application's fetch failed: ${messageOf(thrown)}`);
      if (res.headersSent) res.destroy();
      else res.writeHead(500, { "Content-Length": 0 }).end();
    });
}

async function answer(app: FetchApplication, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const request = requestOf(req);
  if (request === undefined) return void res.writeHead(400, { "Content-Length": 0, Connection: "close" }).end();
  const response = await app.fetch(request);
  if (!(response instanceof Response)) throw new TypeError("fetch() did not return a Response");
  const { body } = response;
  if (res.destroyed) return await body?.cancel();
  res.statusCode = response.status === 0 ? 500 : response.status;
  if (response.statusText !== "") res.statusMessage = response.statusText;
  res.setHeaders(response.headers);
  if (body === null || req.method === "HEAD") {
    res.end();
    return await body?.cancel();
  }
  await pipeline(Readable.fromWeb(body), res);
}

/** @returns undefined for what the Fetch standard can't express: TRACE, CONNECT, a Host that makes no URL. */
function requestOf(req: IncomingMessage): Request | undefined {
  const { method = "GET", rawHeaders } = req;
  const headers = new Headers();
  const host = req.headers.host ?? "localhost"; // HTTP/1.0 may have none
  if (!isHost(host)) return undefined;
  try {
    for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
    const url = /^https?:\/\//i.test(req.url ?? "")
      ? (req.url as string)
      : `${isEncrypted(req.socket) ? "https" : "http"}://${host}${req.url}`;
    const hasBody =
      method !== "GET" && method !== "HEAD" && (req.headers["content-length"] ?? req.headers["transfer-encoding"]) !== undefined;
    const body = hasBody ? { body: Readable.toWeb(req) as ReadableStream<Uint8Array>, duplex: "half" as const } : {};
    return new Request(url, { method, headers, signal: req.signal, ...body });
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}
