import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { http } from "../base/http.ts";
import { cutLater } from "./closing.ts";
import { rendition, type Rendition } from "./rendition.ts";

/** No browser should ever interpret them, whatever application they stand in for. */
const HEAD: Readonly<Record<string, string>> = {
  "Content-Type": "application/problem+json",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
};

/** An error body after RFC 9457. */
function problem(status: number, detail: string): Buffer {
  return Buffer.from(JSON.stringify({ type: "about:blank", title: http.STATUS_CODES[status] ?? "Error", status, detail }));
}

/**
 * A problem that is answered often, ready to be written.
 * @param constant headers that it carries besides: flat name, value, …
 */
export function renderProblem(status: number, detail: string, constant: readonly string[]): Rendition {
  const body = problem(status, detail);
  return rendition(status, [...Object.entries(HEAD).flat(), "Content-Length", String(body.length), ...constant], body);
}

/** Answers with application/problem+json. Headers set on `res` before are kept. */
export function sendProblem(res: ServerResponse, status: number, detail: string, headers: Readonly<Record<string, string>> = {}): void {
  const body = problem(status, detail);
  res.writeHead(status, { ...HEAD, "Content-Length": body.length, ...headers });
  res.end(body);
}

/**
 * Answers on the socket itself and closes it, past a ServerResponse that belongs to somebody else or that does not exist.
 * To an application that is still at work it looks like a client that went away, which every application can bear.
 */
export function endWithProblem(socket: Socket, status: number, detail: string, headers: readonly string[] = []): void {
  socket.write(whole(status, detail, headers));
  socket.destroySoon();
}

/** The same for a client that has not sent all of its request: what still comes is read and forgotten for a moment. */
export function lingerWithProblem(socket: Socket, status: number, detail: string): void {
  socket.end(whole(status, detail, []));
  cutLater(socket);
}

/** Head and body of an answer that ends its connection. */
function whole(status: number, detail: string, headers: readonly string[]): Buffer {
  const body = problem(status, detail);
  const head = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? "Error"}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Length: ${body.length}`,
    ...Object.entries(HEAD).map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}
