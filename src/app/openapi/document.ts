/** The OpenAPI 3.1 description of what strangers may do: made from the tables' own columns. Pure. */
import type { ColumnType } from "../../sheets/types.ts";
import { DEFAULT_LIMIT, MAX_FILTERS, MAX_LIMIT, MAX_LIST, MAX_SORT_KEYS, MAX_VALUE } from "../query/model.ts";
import { PROBLEM, PROBLEM_RESPONSES, READ_HEADERS, WRITE, WRITE_HEADERS, WRITE_PARAMETERS, WRITE_RESPONSES } from "./common.ts";
import { EVENTS } from "./events.ts";
import { exportOperation } from "./exports.ts";
import { LISTING } from "./listing.ts";
import { LOGIN_PATHS } from "./login.ts";
import { deleteOperation, inputSchema, patchOperation, postOperation, WRITE_OPERATION } from "./writes.ts";
import { keyParameter, nullable, SCALARS, type DescribedTable, type Schema } from "./schemas.ts";

/** @param login whether anybody can log in. @param tables those that anyone may do something with; nothing of any other table, and no hidden column, may be in them. */
export function openApiDocument(tables: readonly DescribedTable[], version: string, login: boolean): Schema {
  const written = tables.some(({ rights }) => rights.append || rights.update);
  return {
    openapi: "3.1.0",
    info: {
      title: "drover: tables of a spreadsheet",
      version,
      description: "The tables that everybody may read or write. Rows are as fresh as Age says.",
    },
    paths: {
      "/api/tables": { get: LISTING },
      ...Object.assign({}, ...tables.map(pathsOf)),
      ...(written ? { "/api/writes/{id}": { get: WRITE_OPERATION } } : {}),
      ...(login ? LOGIN_PATHS : {}),
      "/api/events": { get: EVENTS },
      "/healthz": { get: HEALTH },
    },
    components: {
      schemas: { Problem: PROBLEM, ...(written ? { Write: WRITE } : {}), ...Object.assign({}, ...tables.map(schemasOf)) },
      headers: { ...READ_HEADERS, ...(written ? WRITE_HEADERS : {}) },
      ...(written ? { parameters: WRITE_PARAMETERS } : {}),
      responses: { ...PROBLEM_RESPONSES, ...(written ? WRITE_RESPONSES : {}) },
    },
  };
}

function pathsOf(table: DescribedTable): Record<string, Schema> {
  const { name, rights } = table;
  const rows = { ...(rights.read ? { get: listOperation(table) } : {}), ...(rights.append ? { post: postOperation(table) } : {}) };
  const row = {
    ...(rights.read ? { get: rowOperation(table) } : {}),
    ...(rights.update ? { patch: patchOperation(table), delete: deleteOperation(table) } : {}),
  };
  return {
    ...(Object.keys(rows).length === 0 ? {} : { [`/api/tables/${name}`]: rows }),
    ...(rights.read ? { [`/api/tables/${name}/export`]: { get: exportOperation(table, listParameters(table)) } } : {}),
    ...(Object.keys(row).length === 0 ? {} : { [`/api/tables/${name}/{key}`]: row }),
  };
}

function schemasOf(table: DescribedTable): Record<string, Schema> {
  const { name, rights } = table;
  return {
    ...(rights.read ? { [`row.${name}`]: rowSchema(table) } : {}),
    ...(rights.append || rights.update ? { [`input.${name}`]: inputSchema(table) } : {}),
  };
}

function rowSchema({ columns }: DescribedTable): Schema {
  if (columns === undefined) return { type: "object", description: "The columns are not known yet: the rows have never been loaded." };
  const properties = Object.fromEntries(columns.map(({ name, type }) => [name, nullable(SCALARS[type])]));
  return { type: "object", properties, required: columns.map((column) => column.name), additionalProperties: false };
}

function listOperation(table: DescribedTable): Schema {
  const row = { $ref: `#/components/schemas/row.${table.name}` };
  const body = {
    type: "object",
    required: ["table", "rows", "total", "next", "asOf"],
    properties: {
      table: { const: table.name },
      rows: { type: "array", items: row, maxItems: MAX_LIMIT, description: "Fewer than limit when they are over 4 MiB together" },
      total: { type: "integer", minimum: 0, description: "Rows of the whole selection" },
      next: { type: ["string", "null"], description: "The cursor of the next page; null on the last" },
      asOf: { type: "string", format: "date-time", description: "When these rows were first seen in this form" },
    },
  };
  return operation(`list_${table.name}`, `Rows of ${table.name}`, listParameters(table), body);
}

function rowOperation(table: DescribedTable): Schema {
  const body = {
    type: "object",
    required: ["table", "row"],
    properties: { table: { const: table.name }, row: { $ref: `#/components/schemas/row.${table.name}` } },
  };
  return operation(`get_${table.name}`, `One row of ${table.name}`, [keyParameter(table)], body);
}

function operation(operationId: string, summary: string, parameters: readonly Schema[], schema: Schema): Schema {
  const headers = Object.fromEntries(Object.keys(READ_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]));
  const refused = Object.fromEntries([400, 404, 429, 503].map((status) => [String(status), { $ref: `#/components/responses/${status}` }]));
  return {
    operationId,
    summary,
    parameters,
    responses: {
      "200": { description: "OK", headers, content: { "application/json": { schema } } },
      "304": { description: "The rows are still those of If-None-Match" },
      ...refused,
    },
  };
}

function listParameters({ columns }: DescribedTable): readonly Schema[] {
  const names = (columns ?? []).map((column) => column.name);
  const filter =
    columns === undefined
      ? { type: "object" }
      : { type: "object", properties: Object.fromEntries(columns.map((c) => [c.name, filterSchema(c.type)])), additionalProperties: false };
  return [
    { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT } },
    { name: "page", in: "query", description: "The Nth page, from 1; not with a cursor", schema: { type: "integer", minimum: 1 } },
    {
      name: "cursor",
      in: "query",
      description: "The `next` of an earlier answer to the same filters and sort",
      schema: { type: "string" },
    },
    {
      name: "sort",
      in: "query",
      description: `Up to ${MAX_SORT_KEYS} columns separated by commas, downwards with a leading -. Empty cells come last.${names.length === 0 ? "" : ` Columns: ${names.join(", ")}`}`,
      schema: { type: "string" },
      ...(names[0] === undefined ? {} : { example: `-${names.at(-1)},${names[0]}` }),
    },
    {
      name: "filter",
      in: "query",
      style: "deepObject",
      explode: true,
      description: `filter[column]=value or filter[column][gt|gte|lt|lte|ne|in]=value, at most ${MAX_FILTERS}; all must hold. An empty value stands for empty cells; in takes up to ${MAX_LIST} values separated by commas.`,
      schema: filter,
    },
  ];
}

function filterSchema(type: ColumnType): Schema {
  const value = type === "string" || type === "auto" ? { ...SCALARS[type], maxLength: MAX_VALUE } : SCALARS[type];
  const ordering = type === "boolean" ? {} : { gt: value, gte: value, lt: value, lte: value };
  return {
    anyOf: [value, { type: "object", properties: { ...ordering, ne: value, in: { type: "string" } }, additionalProperties: false }],
  };
}

const HEALTH: Schema = {
  operationId: "health",
  summary: "Whether requests are served",
  responses: {
    "200": {
      description: "Requests are served, though perhaps from rows that could not be refreshed",
      content: {
        "application/json": {
          schema: {
            type: "object",
            required: ["status", "upstream", "demo"],
            properties: {
              status: { enum: ["ok", "degraded"] },
              upstream: { enum: ["ok", "never", "down", "denied", "locked"] },
              demo: { type: "boolean" },
            },
          },
        },
      },
    },
    "503": { description: "The service is stopping" },
  },
};
