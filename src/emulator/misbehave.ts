/** Carries out a fault on the wire. */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { errorPage, googleError, type Answer } from "./answers.ts";
import type { Fault } from "./faults.ts";
import { encodeJson, headOf, writePage } from "./respond.ts";

const CHUNK = Buffer.alloc(65_536, "x");
const AUTOMATED =
  "We're sorry... but your computer or network may be sending automated queries. To protect our users, we can't process your request right now.";

/** @param answer what the call would have been answered: undefined when it was not carried out. */
export async function misbehave(res: ServerResponse, fault: Fault, answer: Answer | undefined): Promise<void> {
  switch (fault.kind) {
    case "status": {
      const error = googleError(fault.status, fault.message);
      res.writeHead(fault.status, headOf(error, false)).end(encodeJson(error.body, true));
      return;
    }
    case "html":
      writePage(
        res,
        errorPage(fault.status, "Error", fault.status === 429 ? AUTOMATED : "The server encountered a temporary error."),
        false,
      );
      return;
    case "hang":
      return; // the client's patience ends it, or the emulator's own end
    case "drop":
      return drop(res, fault.partial === true ? answer : undefined);
    case "drip":
      return drip(res, answer ?? googleError(500), fault.everyMs);
    case "malformed": {
      const bytes = encodeJson(answer?.body, true);
      res.writeHead(200, headOf(answer ?? googleError(500), false)).end(bytes.subarray(0, bytes.length / 2));
      return;
    }
    case "huge":
      res.writeHead(200, headOf(googleError(500), false));
      return flood(res, fault.bytes);
    case "redirect":
      res.writeHead(302, { Location: fault.location, "Content-Length": 0 }).end();
      return;
    default:
      return fault satisfies never;
  }
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

async function flood(res: ServerResponse, bytes: number): Promise<void> {
  function* text(): Generator<Buffer> {
    yield Buffer.from('"');
    for (let left = bytes - 2; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
    yield Buffer.from('"\n');
  }
  try {
    await pipeline(Readable.from(text()), res);
  } catch {
    // the client has had enough and closed: that is what the fault is for
  }
}
