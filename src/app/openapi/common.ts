/** The parts of the OpenAPI document that are the same for every table. */
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
    parameter: { type: "string", description: "The query parameter that is wrong" },
    requestId: { type: "string", description: "The same as X-Request-Id" },
  },
};

export const READ_HEADERS: Readonly<Record<string, Schema>> = {
  ETag: { description: "Strong; the same from every worker", schema: { type: "string" } },
  Age: { description: "Seconds since Google last confirmed these rows", schema: { type: "integer" } },
  "X-Cache": { description: "HIT and MISS are fresh; STALE rows could not be refreshed yet", schema: { enum: ["HIT", "MISS", "STALE"] } },
  "X-Request-Id": { description: "What the operator finds the request by", schema: { type: "string" } },
};

const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
const retry = { "Retry-After": { description: "Whole seconds", schema: { type: "integer" } } };

export const PROBLEM_RESPONSES: Readonly<Record<string, Schema>> = {
  "400": { description: "A parameter is unknown, repeated or has a value it can't have; `parameter` names it", content },
  "404": { description: "No such table, or no row with this key", content },
  "503": { description: "The rows have never been loaded, or too many large queries are waiting", headers: retry, content },
};
