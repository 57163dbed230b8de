/** Carries out faults that replace an answer. */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { errorPage, GoogleError, type Answer } from "../google-errors.ts";
import { encodeJson, headOf, writePage } from "../write-response.ts";
import type { ResponseFault } from "./fault.ts";

const CHUNK = Buffer.alloc(65_536, "x");
const AUTOMATED =
  "We're sorry... but your computer or network may be sending automated queries. To protect our users, we can't process your request right now.";

/** @param answer the true one; undefined when the call has not run. */
export async function respondWithFault(
  res: ServerResponse,
  fault: ResponseFault,
  answer: Answer | undefined,
): Promise<void> {
  switch (fault.kind) {
    case "status":
      return refuse(res, new GoogleError(fault.status, fault.message));
    case "denied":
      return refuse(res, new GoogleError(403));
    case "html": {
      const text = fault.status === 429 ? AUTOMATED : "The server encountered a temporary error.";
      return writePage(res, errorPage(fault.status, "Error", text), false);
    }
    case "hang":
      return;
    case "drop":
      return drop(res, fault.partial ? answer : undefined);
    case "malformed":
      return void res.writeHead(200, headOf({}, false)).end(firstHalf(answer));
    case "huge":
      return flood(res, fault.bytes, fault.gzip);
    case "late":
      if (fault.answer === "503") refuse(res, new GoogleError(503));
      if (fault.answer === "drop") await drop(res, undefined);
      return;
    default:
      return fault satisfies never;
  }
}

function refuse(res: ServerResponse, { answer }: GoogleError): void {
  res.writeHead(answer.status, headOf(answer, false)).end(encodeJson(answer.body, true));
}

function firstHalf(answer = new GoogleError(500).answer): Buffer {
  const bytes = encodeJson(answer.body, true);
  return bytes.subarray(0, bytes.length / 2);
}

/** Resets the connection, after half of the answer if there is one. */
async function drop(res: ServerResponse, answer: Answer | undefined): Promise<void> {
  if (answer !== undefined) {
    const length = encodeJson(answer.body, true).length;
    res.writeHead(answer.status, { ...headOf(answer, false), "Content-Length": length });
    await new Promise((resolve) => res.write(firstHalf(answer), resolve));
  }
  res.socket?.resetAndDestroy();
}

async function flood(res: ServerResponse, bytes: number, isZipped: boolean): Promise<void> {
  function* text(): Generator<Buffer> {
    yield Buffer.from('"');
    for (let left = bytes - 2; left > 0; left -= CHUNK.length)
      yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
    yield Buffer.from('"\n');
  }
  res.writeHead(200, { ...headOf({}, false), ...(isZipped ? { "Content-Encoding": "gzip" } : {}) });
  try {
    if (isZipped) await pipeline(Readable.from(text()), createGzip(), res);
    else await pipeline(Readable.from(text()), res);
  } catch {
    // the client has closed the connection, as it should
  }
}
