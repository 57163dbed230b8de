/** `GET /api/tables/{table}/export` in the OpenAPI document. */
import { MOST_ROWS } from "../export/asked.ts";
import { FORMATS, FORMAT_NAMES } from "../export/formats.ts";
import { READ_HEADERS } from "./common.ts";
import type { DescribedTable, Schema } from "./schemas.ts";

const HEADERS: Readonly<Record<string, Schema>> = {
  ...Object.fromEntries(Object.keys(READ_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }])),
  "Content-Disposition": { description: "A name for the file", schema: { type: "string" } },
  "X-Rows": { description: "Rows in the file: to show how far a download is", schema: { type: "integer", minimum: 0 } },
};

/** @param list the list's parameters. */
export function exportOperation({ name }: DescribedTable, list: readonly Schema[]): Schema {
  const row = { $ref: `#/components/schemas/row.${name}` };
  const schemas = { csv: { type: "string" }, xlsx: { type: "string", format: "binary" }, json: { type: "array", items: row } };
  const content = Object.fromEntries(FORMAT_NAMES.map((format) => [FORMATS[format].type.split(";")[0], { schema: schemas[format] }]));
  const refused = Object.fromEntries([400, 404, 429, 503].map((status) => [String(status), { $ref: `#/components/responses/${status}` }]));
  return {
    operationId: `export_${name}`,
    summary: `All rows of ${name}, or a selection, as a file`,
    parameters: [
      {
        name: "format",
        in: "query",
        required: true,
        description: FORMAT_NAMES.map((format) => `${format}: ${FORMATS[format].what}`).join("; "),
        schema: { enum: FORMAT_NAMES },
      },
      {
        name: "bom",
        in: "query",
        description: "1: CSV begins with a byte order mark, without which Excel misreads accents",
        schema: { enum: ["0", "1"], default: "0" },
      },
      {
        name: "limit",
        in: "query",
        description: "All rows if it is left out",
        schema: { type: "integer", minimum: 1, maximum: MOST_ROWS },
      },
      ...list.filter((parameter) => parameter["name"] !== "limit"),
    ],
    responses: {
      "200": { description: "The file", headers: HEADERS, content },
      "304": { description: "The file is still that of If-None-Match" },
      ...refused,
    },
  };
}
