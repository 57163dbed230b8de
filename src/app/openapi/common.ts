/** The parts of the OpenAPI document that are the same for every table. */
import { CAUSES } from "../../sheets/types.ts";

type Schema = Readonly<Record<string, unknown>>;

export const PROBLEM: Schema = {
  type: "object",
  description: "RFC 9457",
  required: ["type", "title", "status", "code", "detail", "requestId"],
  properties: {
    type: { type: "string", format: "uri-reference" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", description: "A word that stays the same: for programs" },
    detail: { type: "string", description: "What was wrong and what was expected" },
    parameter: { type: "string", description: "The query parameter or header that is wrong" },
    column: { type: "string", description: "The column whose value is refused" },
    row: { type: "integer", minimum: 0, description: "Of several rows the one that is refused, counted from 0" },
    requestId: { type: "string", description: "The same as X-Request-Id" },
  },
};

export const READ_HEADERS: Readonly<Record<string, Schema>> = {
  ETag: { description: "Strong; the same from every worker", schema: { type: "string" } },
  Age: { description: "Seconds since Google last confirmed these rows", schema: { type: "integer" } },
  "X-Cache": {
    description: "HIT did not wait for Google, MISS did; STALE rows could not be refreshed yet",
    schema: { enum: ["HIT", "MISS", "STALE"] },
  },
  "X-Cache-Reason": {
    description: `With STALE: why the last refresh failed (${CAUSES.join(", ")}; there may be more). Absent: no failure is known`,
    required: false,
    schema: { type: "string" },
  },
  "X-Request-Id": { description: "What the operator finds the request by", schema: { type: "string" } },
};

const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
const retry = { "Retry-After": { description: "Whole seconds", schema: { type: "integer" } } };

export const PROBLEM_RESPONSES: Readonly<Record<string, Schema>> = {
  "400": { description: "A parameter is unknown, repeated or has a value it can't have; `parameter` names it", content },
  "404": { description: "No such table, or no row with this key", content },
  "429": { description: "Too much of this client: `detail` says what, and nothing was done", headers: retry, content },
  "503": { description: "The rows have never been loaded, or too many large queries are waiting", headers: retry, content },
};

/** A cell of a column of which nothing is said. */
export const ANY_CELL: Schema = { type: ["string", "number", "boolean", "null"], maxLength: 50_000 };

export const WRITE: Schema = {
  type: "object",
  required: ["id", "table", "op", "state", "at"],
  properties: {
    id: { type: "string", pattern: "^[0-9A-HJKMNP-TV-Z]{26}$", description: "A ULID: unique, in the order of acceptance" },
    table: { type: "string" },
    op: { enum: ["append", "update", "delete"] },
    key: { type: "string", description: "The row's; absent where rows are not shown" },
    state: {
      enum: ["journaled", "sent", "landed", "parked"],
      description: "On this service's disk; on its way; in the spreadsheet; set aside because Google refuses it",
    },
    reason: { type: "string", description: "Why it was parked" },
    at: { type: "string", format: "date-time", description: "When it was accepted" },
    landedAt: { type: "string", format: "date-time", description: "When the spreadsheet had it" },
  },
};

export const WRITE_HEADERS: Readonly<Record<string, Schema>> = {
  "X-Write-State": {
    description: "Of several writes the state that is furthest from the spreadsheet",
    schema: { enum: ["journaled", "sent", "landed", "parked"] },
  },
  "X-Write-Delivery": {
    description: "Present when a write may reach the spreadsheet twice if Google loses an answer",
    schema: { const: "at-least-once" },
  },
  "Idempotency-Replayed": { description: "This is the answer to an earlier request with the same key", schema: { const: "true" } },
};

export const WRITE_PARAMETERS: Readonly<Record<string, Schema>> = {
  wait: {
    name: "wait",
    in: "query",
    description: "sheet: answered when the spreadsheet has it, or with 202 when that takes too long",
    schema: { enum: ["journal", "sheet"], default: "journal" },
  },
  once: {
    name: "Idempotency-Key",
    in: "header",
    description: "A random name of this request: sent again within a day, it is not done again",
    schema: { type: "string", minLength: 1, maxLength: 255 },
  },
  match: {
    name: "If-Match",
    in: "header",
    description: "The ETag of the row as it must be: else 412, and nothing is changed",
    schema: { type: "string" },
  },
};

export const WRITE_RESPONSES: Readonly<Record<string, Schema>> = {
  BadWrite: { description: "The body is no JSON, or a parameter or header is malformed", content },
  NotWritable: {
    description:
      "The table can't be written where it stands in the spreadsheet; or a page of another origin made the request (`cross-site`)",
    content,
  },
  DuplicateKey: { description: "There is a row with this key already, or more than one", content },
  Changed: { description: "The row is not the one that If-Match names", content },
  TooLarge: { description: "The body is over 1,000,000 bytes, or has over 500 rows", content },
  MediaType: { description: "The body is not application/json", content },
  Invalid: {
    description: "A value can't be taken: `column` and `row` say which. Or the Idempotency-Key was used for another request",
    content,
  },
  Later: { description: "Nothing was written, or it is not known: `detail` says it", headers: retry, content },
  DiskFull: { description: "Nothing was written: this service's disk is full", headers: retry, content },
};
