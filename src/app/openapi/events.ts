/** `GET /api/events` in the OpenAPI document, which has no word for the events of a stream: they are described in its text. */
const problem = (status: number): object => ({ $ref: `#/components/responses/${status}` });

export const EVENTS: Readonly<Record<string, unknown>> = {
  operationId: "events",
  summary: "What becomes of rows, as it is noticed (server-sent events)",
  description:
    "Events row.created and row.updated: {table, key, version, row}; row.deleted: {table, key, version}; reset: {table, reason}: read this " +
    "table again, or all when table is null. The stream does not end by itself; come back with the last id.",
  parameters: [
    {
      name: "tables",
      in: "query",
      description: "Names separated by commas; without it all public tables",
      style: "form",
      explode: false,
      schema: { type: "array", items: { type: "string" }, minItems: 1 },
    },
    {
      name: "last-event-id",
      in: "query",
      description: "Where to go on, for clients that can't set the header",
      schema: { type: "string" },
    },
    { name: "Last-Event-ID", in: "header", description: "Where to go on; wins over the parameter", schema: { type: "string" } },
  ],
  responses: {
    "200": { description: "The stream", content: { "text/event-stream": { schema: { type: "string" } } } },
    "400": problem(400),
    "401": {
      description: "A table is for those who are signed in",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
    "404": problem(404),
    "429": problem(429),
    "503": problem(503),
  },
};
