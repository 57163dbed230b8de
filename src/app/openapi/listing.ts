import type { Schema } from "./schemas.ts";

const HOLDER: Schema = { enum: ["everybody", "you", "login"], description: "Who may: absent, if neither the caller nor a login helps" };
const TABLE: Schema = {
  type: "object",
  required: ["name", "key", "keyNamed", "columns", "read"],
  properties: {
    name: { type: "string" },
    key: { type: ["string", "null"], description: "The key column; null: rows have ids that are in no column, or nothing is known yet" },
    keyNamed: { type: "boolean", description: "The tables file names the key: a new row without one gets one" },
    columns: {
      type: ["array", "null"],
      description: "null while the table's rows have never been loaded",
      items: { type: "object", required: ["name", "type"], properties: { name: { type: "string" }, type: { type: "string" } } },
    },
    read: HOLDER,
    append: HOLDER,
    update: HOLDER,
  },
};

/** `GET /api/tables`. */
export const LISTING: Schema = {
  operationId: "list_tables",
  summary: "The tables that the caller may read",
  responses: {
    "200": {
      description: "OK",
      content: {
        "application/json": {
          schema: {
            type: "object",
            required: ["tables", "login", "session"],
            properties: {
              tables: { type: "array", items: TABLE },
              login: { type: "boolean", description: "Whether anybody can log in" },
              session: { enum: ["none", "in", "over"], description: "Whether the request came with a session, and whether it still holds" },
            },
          },
        },
      },
    },
    "429": { $ref: "#/components/responses/429" },
    "503": { $ref: "#/components/responses/503" },
  },
};
