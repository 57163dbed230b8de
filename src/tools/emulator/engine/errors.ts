/**
 * Refusals in Google's words and envelope: `{error:{code,message,status,details?}}`. Wordings: recorded answers, and
 * messages quoted in public issue threads of gspread, pygsheets, googlesheets4 and node-google-spreadsheet.
 */
import type { Violation } from "../api/validate.ts";
import type { EngineAnswer } from "../engine.types.ts";

const STATUSES = { 400: "INVALID_ARGUMENT", 404: "NOT_FOUND" } as const;

/** A call that Google would refuse; thrown anywhere in the engine, answered by `call`. */
export class Refusal extends Error {
  readonly code: keyof typeof STATUSES;
  readonly violations: readonly Violation[];

  constructor(code: keyof typeof STATUSES, message: string, violations: readonly Violation[] = []) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.violations = violations;
  }

  answer(): EngineAnswer {
    const details =
      this.violations.length === 0
        ? {}
        : {
            details: [
              {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                fieldViolations: this.violations,
              },
            ],
          };
    const error = {
      code: this.code,
      message: this.message,
      status: STATUSES[this.code],
      ...details,
    };
    return { status: this.code, body: { error }, mutated: false };
  }
}

/** 400 INVALID_ARGUMENT without details. */
export const invalid = (message: string): Refusal => new Refusal(400, message);

/** 404 for a spreadsheet, sheet or metadata that isn't there. */
export const notFound = (message = "Requested entity was not found."): Refusal =>
  new Refusal(404, message);

/** 400 of the JSON transcoder: every violation a line of the message. */
export const badFields = (violations: readonly Violation[]): Refusal =>
  new Refusal(400, violations.map((v) => v.description).join("\n"), violations);

export const unparsable = (range: string): Refusal => invalid(`Unable to parse range: ${range}`);

/** Runs `act`; a 400 from inside gets `prefix` before its message, as Google names the failing part of a batch. */
export function within<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof Refusal && thrown.code === 400 && thrown.violations.length === 0)
      throw invalid(`${prefix}: ${thrown.message}`);
    throw thrown;
  }
}
