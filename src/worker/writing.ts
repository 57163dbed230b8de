import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { http } from "../base/http.ts";
import { expectsContinue } from "./interim.ts";
import type { Rendition } from "./rendition.ts";

/** Headers, flat name, value, … They must be fit for HTTP as they are. */
export type Late = readonly string[];

/**
 * Writes a whole answer on a response that has no head yet.
 * @param late what changes from second to second: the same array as long as it is the same.
 * @param own what is this request's alone; it comes last.
 */
export type Write = (req: IncomingMessage, res: ServerResponse, rendition: Rendition, late: Late, own: Late) => void;

/** What writeHead() leaves behind for end() (lib/_http_outgoing.js, _storeHeader). */
interface Internals {
  _header: string;
  _last: boolean;
  _hasBody: boolean;
  _keepAliveTimeout: number;
}

/** The documented way; headers set on the response before are kept. */
export const writeByNode: Write = (req, res, { status, head, body }, late, own) => {
  res.writeHead(status, [...head, ...late, ...own]);
  finish(req, res, body);
};

/**
 * The head in one piece. writeHead() checks every header again with two regular expressions and puts them together one by one:
 * a tenth of all that a hit costs (bench/hit.ts). Only for responses on which no header was set. Of the thousands that a second brings
 * nearly all differ in a few headers only: the rest of their head is put together once.
 */
const writeAtOnce: Write = (req, res, rendition, late, own) => {
  const inside = res as unknown as Internals;
  res.statusCode = rendition.status;
  if (expectsContinue(res)) res.shouldKeepAlive = false;
  if (!res.shouldKeepAlive) inside._last = true;
  if (rendition.body === undefined) inside._hasBody = false;
  const end = res.shouldKeepAlive ? keptEnd(inside._keepAliveTimeout) : CLOSED;
  inside._header = headOf(rendition, late) + lines(own) + end;
  finish(req, res, rendition.body);
};

/** What is asked for once in a second is not worth more than to be added up. */
function headOf(rendition: Rendition, late: Late): string {
  const same = rendition.frame?.late === late ? rendition.frame : undefined;
  if (same?.whole) return same.before;
  const before = same === undefined ? rendition.text + lines(late) : inOnePiece(same.before);
  rendition.frame = { late, before, whole: same !== undefined };
  return before;
}

function lines(headers: Late): string {
  let text = "";
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return text;
}

/** V8 keeps a text that was added up as a tree of its parts, and would put them together again at each writing. */
const inOnePiece = (text: string): string => Buffer.from(text, "latin1").toString("latin1");

function finish(req: IncomingMessage, res: ServerResponse, body: Buffer | undefined): void {
  if (body === undefined || req.method === "HEAD") res.end();
  else res.end(body);
}

const CLOSED = "Connection: close\r\n\r\n";
let kept = { timeout: 0, end: "Connection: keep-alive\r\n\r\n" };

/** All connections of a server are kept for as long. */
function keptEnd(timeout: number): string {
  if (timeout === kept.timeout) return kept.end;
  const told = timeout === 0 ? "" : `Keep-Alive: timeout=${Math.floor(timeout / 1_000)}\r\n`;
  kept = { timeout, end: `Connection: keep-alive\r\n${told}\r\n` };
  return kept.end;
}

let chosen: Write | undefined;

/**
 * Chooses how prepared answers and refusals are written: in one piece if on this Node.js that gives exactly the bytes of the documented way,
 * in every case that occurs; else the documented way.
 */
export const chooseWrite = (): Write => (chosen ??= choose());

function choose(): Write {
  const date = ["Date", "Sun, 06 Nov 1994 08:49:37 GMT"];
  const lates = [
    ["Age", "3", "X-Cache", "HIT", ...date],
    ["Age", "33", "X-Cache", "STALE", "X-Cache-Reason", "timeout", ...date],
  ];
  const owns = [
    ["X-Request-Id", "id-1"],
    ["Retry-After", "2", "X-Request-Id", "id-2"],
  ];
  const head = ["Content-Type", "text/plain", "Content-Length", "4"];
  const ok: Rendition = {
    status: 200,
    head,
    text: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n",
    body: Buffer.from("body"),
  };
  const not: Rendition = { status: 304, head: ["ETag", '"x"'], text: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n', body: undefined };
  for (const [rendition, late] of [ok, not].flatMap((made) => lates.map((late) => [made, late] as const)))
    for (const method of ["GET", "HEAD"])
      for (const version of [0, 1])
        for (const close of [false, true])
          for (const own of owns) {
            const written = [writeAtOnce, writeByNode].map((write) =>
              record(method, version, close, (req, res) => write(req, res, rendition, late, own)),
            );
            if (written[0] === undefined || written[0] !== written[1]) return writeByNode;
          }
  return writeAtOnce;
}

/** @returns what was written, and whether the connection would be closed; undefined when it failed. */
function record(
  method: string,
  httpVersionMinor: number,
  close: boolean,
  write: (req: IncomingMessage, res: ServerResponse) => void,
): string | undefined {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  const req = { method, httpVersionMajor: 1, httpVersionMinor, headers: {} } as IncomingMessage;
  try {
    const res = new http.ServerResponse(req);
    (res as unknown as Internals)._keepAliveTimeout = 75_000;
    res.assignSocket(sink as Socket);
    if (close) res.shouldKeepAlive = false;
    write(req, res);
    return `${Buffer.concat(chunks).toString("latin1")} ${(res as unknown as Internals)._last} ${res.headersSent} ${res.statusCode}`;
  } catch {
    return undefined; // this Node.js is built differently: the documented way it is
  }
}
