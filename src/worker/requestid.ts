import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

const SANE = /^[A-Za-z0-9._-]{1,64}$/;

/** Nobody else uses this prefix; the counter makes the rest unique at almost no cost. */
const prefix = `${randomBytes(6).toString("hex")}-`;
let counter = 0;

/** The id a client or proxy gave, if it is harmless in a header and a log, else a new one. */
export function requestId(req: IncomingMessage): string {
  const given = req.headers["x-request-id"];
  if (typeof given === "string" && SANE.test(given)) return given;
  return newRequestId();
}

/** For what came without a request that could be read. */
export function newRequestId(): string {
  counter += 1;
  return `${prefix}${counter}`;
}
