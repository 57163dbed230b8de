/** The operations that change a table, in OpenAPI's words. */
import { MOST_CHANGES } from "../../sheets/writes.ts";
import { ANY_CELL, WRITE_HEADERS, WRITE_PARAMETERS } from "./common.ts";
import { keyParameter, nullable, SCALARS, type DescribedTable, type Schema } from "./schemas.ts";

/** What a row may be sent with: the columns that are shown, and whatever others there are, unnamed. */
export function inputSchema({ columns, key }: DescribedTable): Schema {
  const properties = (columns ?? []).map(({ name, type }): [string, Schema] => {
    const made = name === key && (type === "string" || type === "auto");
    return [name, { ...nullable(SCALARS[type]), ...(made ? { description: "The row's key; made when a new row has none" } : {}) }];
  });
  return {
    type: "object",
    minProperties: 1,
    description: "Values by column; null empties a cell. The table may have columns that are not shown, and those can be written too.",
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
    additionalProperties: ANY_CELL,
    ...(key === undefined ? {} : { "x-key": key }),
  };
}

const WRITE_REF = { $ref: "#/components/schemas/Write" };
const one = { type: "object", required: ["write"], properties: { write: WRITE_REF } };
const several = { type: "object", required: ["writes"], properties: { writes: { type: "array", items: WRITE_REF } } };
const parameters = (names: readonly (keyof typeof WRITE_PARAMETERS)[]): readonly Schema[] =>
  names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
const json = (schema: Schema) => ({ "application/json": { schema } });
const headers = Object.fromEntries(Object.keys(WRITE_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const REFUSED = {
  "400": "BadWrite",
  "403": "NotWritable",
  "404": "404",
  "409": "DuplicateKey",
  "413": "TooLarge",
  "415": "MediaType",
  "422": "Invalid",
  "429": "429",
  "503": "Later",
  "507": "DiskFull",
} as const;

function responses(done: Readonly<Record<string, Schema>>, body: Schema, more: Readonly<Record<string, string>> = {}): Schema {
  const late = { description: "With wait=sheet: not in the spreadsheet yet, or parked", headers, content: json(body) };
  const refused = Object.entries({ ...REFUSED, ...more }).map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]);
  return { ...done, "202": late, ...Object.fromEntries(refused) };
}

/** Adds rows. */
export function postOperation(table: DescribedTable): Schema {
  const input = { $ref: `#/components/schemas/input.${table.name}` };
  const body = { oneOf: [one, several] };
  const place = { description: "Of a single row: where it is", schema: { type: "string" } };
  return {
    operationId: `append_${table.name}`,
    summary: `Add rows to ${table.name}: all of them, or none`,
    parameters: parameters(["wait", "once"]),
    requestBody: {
      required: true,
      content: json({ oneOf: [input, { type: "array", items: input, minItems: 1, maxItems: MOST_CHANGES }] }),
    },
    responses: responses(
      { "201": { description: "Accepted for good", headers: { ...headers, Location: place }, content: json(body) } },
      body,
    ),
  };
}

/** Changes cells of one row. */
export function patchOperation(table: DescribedTable): Schema {
  return {
    operationId: `update_${table.name}`,
    summary: `Change a row of ${table.name}`,
    parameters: [keyParameter(table), ...parameters(["wait", "once", "match"])],
    requestBody: { required: true, content: json({ $ref: `#/components/schemas/input.${table.name}` }) },
    responses: responses({ "200": { description: "Accepted for good", headers, content: json(one) } }, one, { "412": "Changed" }),
  };
}

/** Deletes one row. */
export function deleteOperation(table: DescribedTable): Schema {
  return {
    operationId: `delete_${table.name}`,
    summary: `Delete a row of ${table.name}`,
    parameters: [keyParameter(table), ...parameters(["wait", "once", "match"])],
    responses: responses({ "200": { description: "Accepted for good", headers, content: json(one) } }, one, { "412": "Changed" }),
  };
}

export const WRITE_OPERATION: Schema = {
  operationId: "get_write",
  summary: "What became of a write",
  parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
  responses: {
    "200": { description: "OK", headers: { "X-Write-State": headers["X-Write-State"] }, content: json(one) },
    "404": { $ref: "#/components/responses/404" },
    "503": { $ref: "#/components/responses/Later" },
  },
};
