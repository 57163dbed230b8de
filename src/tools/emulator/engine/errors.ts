/**
 * Refusals of the engine. Wordings: recorded answers, and messages quoted in public issue threads of gspread, pygsheets,
 * googlesheets4 and node-google-spreadsheet.
 */
import type { Violation } from "../api/validate.ts";
import { GoogleError } from "../google-errors.ts";

/** 400 INVALID_ARGUMENT without details. */
export const invalid = (message: string): GoogleError => new GoogleError(400, message);

/** 404 for a spreadsheet or metadata that does not exist. */
export const notFound = (message = "Requested entity was not found."): GoogleError =>
  new GoogleError(404, message);

/** 400 with the violations as details. As in the JSON transcoder's refusals, each is a line of the message. */
export function badFields(
  violations: readonly Violation[],
  message = violations.map((v) => v.description).join("\n"),
): GoogleError {
  const type = "type.googleapis.com/google.rpc.BadRequest";
  return new GoogleError(400, message, [{ "@type": type, fieldViolations: violations }]);
}

/** Runs `act`; a 400 without details gets `prefix` before its message, as Google names the failing part of a batch. */
export function within<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof GoogleError) || error.answer.status !== 400) throw error;
    const { error: envelope } = error.answer.body as { error: { details?: unknown } };
    throw envelope.details === undefined ? invalid(`${prefix}: ${error.message}`) : error;
  }
}
