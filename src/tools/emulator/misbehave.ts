/** Carries out a fault on the wire. */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createGzip, gzip } from "node:zlib";
import { errorPage, googleError, type Answer } from "./answers.ts";
import type { Breaking } from "./fault-kinds.ts";
import { encodeJson, headOf, writePage } from "./respond.ts";

const compress = promisify(gzip);

const CHUNK = Buffer.alloc(65_536, "x");
const AUTOMATED =
  "We're sorry... but your computer or network may be sending automated queries. To protect our users, we can't process your request right now.";

/** @param answer what the call would have been answered: undefined when it was not carried out. */
export async function misbehave(
  res: ServerResponse,
  fault: Breaking,
  answer: Answer | undefined,
): Promise<void> {
  switch (fault.kind) {
    case "status":
      return refuse(res, googleError(fault.status, fault.message));
    case "denied":
      return refuse(res, googleError(403));
    case "html":
      return writePage(
        res,
        errorPage(
          fault.status,
          "Error",
          fault.status === 429 ? AUTOMATED : "The server encountered a temporary error.",
        ),
        false,
      );
    case "hang":
      return; // the client's patience ends it, or the emulator's own end
    case "drop":
      return drop(res, fault.partial === true ? answer : undefined);
    case "drip":
      return drip(res, answer ?? googleError(500), fault.everyMs);
    case "malformed":
    case "truncated":
      return cut(res, answer ?? googleError(500), fault.kind === "truncated");
    case "huge":
    case "bomb":
      return flood(res, fault.bytes, fault.kind === "bomb");
    case "redirect":
      res.writeHead(302, { Location: fault.location, "Content-Length": 0 }).end();
      return;
    case "late":
      return silently(res, fault.answer);
    default:
      return fault satisfies never;
  }
}

function refuse(res: ServerResponse, error: Answer): void {
  res.writeHead(error.status, headOf(error, false)).end(encodeJson(error.body, true));
}

/** An answer that leaves open what has become of the call. */
async function silently(res: ServerResponse, how: "drop" | "hang" | "503"): Promise<void> {
  if (how === "503") return refuse(res, googleError(503));
  if (how === "drop") await drop(res, undefined);
}

/** Resets the connection, after half of the answer when there is one to give. */
async function drop(res: ServerResponse, answer: Answer | undefined): Promise<void> {
  if (answer !== undefined) {
    const bytes = encodeJson(answer.body, true);
    res.writeHead(answer.status, { ...headOf(answer, false), "Content-Length": bytes.length });
    await new Promise((resolve) => res.write(bytes.subarray(0, bytes.length / 2), resolve));
  }
  res.socket?.resetAndDestroy();
}

async function drip(res: ServerResponse, answer: Answer, everyMs: number): Promise<void> {
  const bytes = encodeJson(answer.body, true);
  res.writeHead(answer.status, { ...headOf(answer, false), "Content-Length": bytes.length });
  for (const byte of bytes) {
    if (res.destroyed) return;
    res.write(Buffer.of(byte));
    await sleep(everyMs);
  }
  res.end();
}

/** Half of the answer, or of its gzip, as if it were all. */
async function cut(res: ServerResponse, answer: Answer, zipped: boolean): Promise<void> {
  const plain = encodeJson(answer.body, true);
  const bytes = zipped ? await compress(plain) : plain;
  const head = zipped
    ? { ...headOf(answer, false), "Content-Encoding": "gzip" }
    : headOf(answer, false);
  res.writeHead(200, head).end(bytes.subarray(0, bytes.length / 2));
}

async function flood(res: ServerResponse, bytes: number, zipped: boolean): Promise<void> {
  function* text(): Generator<Buffer> {
    yield Buffer.from('"');
    for (let left = bytes - 2; left > 0; left -= CHUNK.length)
      yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
    yield Buffer.from('"\n');
  }
  const head = headOf(googleError(500), false);
  res.writeHead(200, zipped ? { ...head, "Content-Encoding": "gzip" } : head);
  try {
    await (zipped
      ? pipeline(Readable.from(text()), createGzip(), res)
      : pipeline(Readable.from(text()), res));
  } catch {
    // the client has had enough and closed: that is what the fault is for
  }
}
