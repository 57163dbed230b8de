/**
 * Writes generated.ts from Google's public discovery document of the Sheets API:
 *
 *   node src/tools/emulator/api/generate.ts FILE      FILE: https://sheets.googleapis.com/$discovery/rest?version=v4
 *
 * Descriptions are left out; what stays is names and types: what the router and the validator need.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface Property {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly enum?: readonly string[];
  readonly items?: Property;
  readonly additionalProperties?: Property;
  readonly location?: string;
  readonly repeated?: boolean;
}
interface Method {
  readonly id: string;
  readonly httpMethod: string;
  readonly path: string;
  readonly parameters?: Readonly<Record<string, Property>>;
  readonly request?: { readonly $ref: string };
  readonly response?: { readonly $ref: string };
}
interface Resource {
  readonly methods?: Readonly<Record<string, Method>>;
  readonly resources?: Readonly<Record<string, Resource>>;
}
interface Discovery {
  readonly revision: string;
  readonly baseUrl: string;
  readonly parameters: Readonly<Record<string, Property>>;
  readonly schemas: Readonly<
    Record<string, { readonly properties?: Readonly<Record<string, Property>> }>
  >;
  readonly resources: Readonly<Record<string, Resource>>;
}

/** Names of enums that the document leaves out and Google's error messages give; all others are named Schema.Field. */
const ENUM_NAMES: Readonly<Record<string, string>> = {
  majorDimension: "Dimension",
  dimension: "Dimension",
  valueRenderOption: "ValueRenderOption",
  responseValueRenderOption: "ValueRenderOption",
  dateTimeRenderOption: "DateTimeRenderOption",
  responseDateTimeRenderOption: "DateTimeRenderOption",
  valueInputOption: "ValueInputOption",
  insertDataOption: "AppendValuesRequest.InsertDataOption",
};

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const sorted = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/** Collects enums while types are written: the same name twice with other values keeps the owner's name. */
class Enums {
  readonly table = new Map<string, readonly string[]>();

  name(owner: string, field: string, values: readonly string[]): string {
    const wanted = ENUM_NAMES[field] ?? `${owner}.${capital(field)}`;
    const known = this.table.get(wanted);
    const name =
      known === undefined || known.join() === values.join() ? wanted : `${owner}.${capital(field)}`;
    this.table.set(name, values);
    return name;
  }
}

/** One field's type in the notation explained at the head of generated.ts. */
function notation(enums: Enums, owner: string, field: string, property: Property): string {
  if (property.$ref !== undefined) return `@${property.$ref}`;
  if (property.type === "array")
    return `${notation(enums, owner, field, property.items ?? { type: "any" })}[]`;
  if (property.additionalProperties !== undefined)
    return `${notation(enums, owner, field, property.additionalProperties)}{}`;
  if (property.enum !== undefined) return `#${enums.name(owner, field, property.enum)}`;
  const base = property.format?.replace(/^google-/, "") ?? property.type ?? "any";
  return base === "double" || base === "float" ? "number" : base;
}

function parameters(
  enums: Enums,
  owner: string,
  all: Readonly<Record<string, Property>>,
  location: string,
): Record<string, string> {
  const of = sorted(all).filter(([, p]) => p.location === location);
  return Object.fromEntries(
    of.map(([name, p]) => [
      name,
      notation(enums, owner, name, p) + (p.repeated === true ? "[]" : ""),
    ]),
  );
}

function methodsOf(resources: Readonly<Record<string, Resource>>): Method[] {
  return Object.values(resources).flatMap((r) => [
    ...Object.values(r.methods ?? {}),
    ...methodsOf(r.resources ?? {}),
  ]);
}

const lines = (rows: readonly (readonly [string, unknown])[]): string =>
  rows.map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`).join("\n");

function render(document: Discovery): string {
  const enums = new Enums();
  const routes = methodsOf(document.resources)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((m) => ({
      id: m.id,
      verb: m.httpMethod,
      path: `/${m.path}`,
      params: parameters(enums, capital(m.id.split(".").pop() ?? ""), m.parameters ?? {}, "path"),
      query: parameters(enums, capital(m.id.split(".").pop() ?? ""), m.parameters ?? {}, "query"),
      request: m.request?.$ref,
      response: m.response?.$ref,
    }));
  const common = parameters(enums, "Standard", document.parameters, "query");
  const schemas = sorted(document.schemas).map(
    ([name, s]) =>
      [
        name,
        Object.fromEntries(
          sorted(s.properties ?? {}).map(([field, p]) => [field, notation(enums, name, field, p)]),
        ),
      ] as const,
  );
  return `${head(document.revision)}
export const REVISION = ${JSON.stringify(document.revision)};

export const ROUTES: readonly Route[] = [
${routes.map((r) => `  ${JSON.stringify(r)},`).join("\n")}
];

/** Query parameters that every method takes. */
export const COMMON_QUERY: Fields = ${JSON.stringify(common)};

export const ENUMS: Readonly<Record<string, readonly string[]>> = {
${lines(sorted(Object.fromEntries(enums.table)))}
};

export const SCHEMAS: Readonly<Record<string, Fields>> = {
${lines(schemas)}
};
`;
}

const head = (revision: string): string => `/**
 * Generated by src/tools/emulator/api/generate.ts: do not edit. What came later stands in newer.ts.
 *
 * Source: Google's discovery document of the Sheets API v4, revision ${revision},
 * https://sheets.googleapis.com/$discovery/rest?version=v4. Reduced to names and types: no descriptions. Google publishes
 * its documentation under CC BY 4.0 and its samples and client libraries, which carry the same tables, under Apache-2.0.
 *
 * Types: string boolean int32 number any datetime fieldmask · @Schema · #Enum · T[] array · T{} map of strings to T.
 */
export type Fields = Readonly<Record<string, string>>;
export interface Route {
  readonly id: string;
  readonly verb: string;
  /** With {name} for path parameters. */
  readonly path: string;
  readonly params: Fields;
  readonly query: Fields;
  /** Schemas of the bodies. */
  readonly request?: string;
  readonly response?: string;
}
`;

const source = process.argv[2];
if (source === undefined) {
  process.stderr.write("usage: node src/tools/emulator/api/generate.ts DISCOVERY_DOCUMENT.json\n");
  process.exitCode = 64;
} else {
  const target = fileURLToPath(new URL("./generated.ts", import.meta.url));
  writeFileSync(target, render(JSON.parse(readFileSync(source, "utf8")) as Discovery));
}
