import type { IncomingMessage, ServerResponse } from "node:http";

/** What node:http keeps of an expectation; writeHead() closes the connection while it is not met. */
interface Expecting {
  _expect_continue?: boolean;
  _sent100?: boolean;
}

/** True when the request has a body, or announces one. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** A request without a body, or whose body has come, needs no 100 Continue (RFC 9110 §10.1.1): forgets the expectation. */
export function forgetExpectation(req: IncomingMessage, res: ServerResponse): void {
  if (!hasBody(req) || req.complete) (res as Expecting)._expect_continue = false;
}

/** True while the client may be waiting for 100 Continue. The body of its request may never come. */
export function expectsContinue(res: ServerResponse): boolean {
  const { _expect_continue: expected, _sent100: sent } = res as Expecting;
  return expected === true && sent !== true;
}

/** Sends 100 Continue as soon as no other answer precedes it, unless the final answer has been written by then. */
export function sendContinue(res: ServerResponse): void {
  if (!expectsContinue(res)) return;
  whenNext(res, () => res.writeContinue());
}

/**
 * Keeps the interim responses of a queued answer back until its turn comes. node:http puts the head of a queued answer before what
 * is queued already if the body is a Buffer, so that a 100 Continue ends up between head and body (lib/_http_outgoing.js, _send).
 */
export function deferInterim(res: ServerResponse): void {
  const given = res as ServerResponse & { writeInformation?: (...args: unknown[]) => void };
  const { writeContinue, writeInformation } = given;
  given.writeContinue = (...args) => whenNext(res, () => Reflect.apply(writeContinue, res, args));
  if (writeInformation !== undefined) given.writeInformation = (...args) => whenNext(res, () => Reflect.apply(writeInformation, res, args));
}

function whenNext(res: ServerResponse, write: () => void): void {
  if (res.socket !== null) return write();
  res.once("socket", () => {
    if (!res.headersSent) write();
  });
}
