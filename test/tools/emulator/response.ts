/** Whether an answer is as the API's description has it: every name known, every value of its type, nothing null. */
import { METHODS } from "../../../src/tools/emulator/api/discovery.ts";
import { inMessage } from "../../../src/tools/emulator/api/validate.ts";

const STATUSES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  404: "NOT_FOUND",
  403: "PERMISSION_DENIED",
};

function* inError(status: number, body: unknown): Generator<string> {
  const { error } = body as { error?: { code: number; message: string; status: string } };
  if (error === undefined) return yield "an error answer has an error";
  if (error.code !== status) yield `error.code is ${error.code}, the status ${status}`;
  if (typeof error.message !== "string" || error.message === "") yield "error.message is missing";
  if (STATUSES[status] !== undefined && error.status !== STATUSES[status])
    yield `error.status is ${error.status}`;
}

function* nulls(at: string, value: unknown): Generator<string> {
  if (value === null || value === undefined) yield `${at} is ${value}`;
  else if (typeof value === "object")
    for (const [key, inner] of Object.entries(value)) yield* nulls(`${at}.${key}`, inner);
}

/** @returns everything in an answer that the API's description does not have. */
export function strange(
  method: string,
  { status, body }: { status: number; body: unknown },
): readonly string[] {
  if (status !== 200) return [...inError(status, body)];
  const schema = METHODS.get(method)?.response.$ref;
  if (schema === undefined) return [`${method} is no method`];
  const violations = Array.from(inMessage(schema, "", body), ({ description }) => description);
  return [...violations, ...nulls(method, body)];
}
