/**
 * Google's description of the Sheets API v4: its methods, and the names and types of their messages.
 *
 * discovery.json is https://sheets.googleapis.com/$discovery/rest?version=v4, revision 20230314, without descriptions.
 * Fields, schemas and kinds of requests that the API gained later are added from the types of @googleapis/sheets 18.1.1;
 * these types list no enum values, so such fields are strings. Google licenses its client libraries, which carry the same
 * tables, under Apache-2.0.
 */
import discovery from "./discovery.json" with { type: "json" };

/** The type of a field: one of `$ref`, `type` and, for text, `enum`. */
export interface Property {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly items?: Property;
  readonly additionalProperties?: Property;
}

export interface Parameter extends Property {
  readonly location: "path" | "query";
  readonly repeated?: boolean;
}

type Parameters = Readonly<Record<string, Parameter>>;

export interface Method {
  /** For example "sheets.spreadsheets.values.get". */
  readonly id: string;
  readonly httpMethod: string;
  /** With {name} for path parameters. */
  readonly path: string;
  /** Own parameters, and those that every method has. */
  readonly parameters: Parameters;
  readonly request?: { readonly $ref: string };
  readonly response: { readonly $ref: string };
}

interface Resource {
  readonly methods?: Readonly<Record<string, Method>>;
  readonly resources?: Readonly<Record<string, Resource>>;
}

interface Discovery extends Resource {
  readonly parameters: Parameters;
  readonly schemas: Readonly<
    Record<string, { readonly properties: Readonly<Record<string, Property>> }>
  >;
}

const { parameters: common, schemas, ...root } = discovery as unknown as Discovery;

const methodsOf = ({ methods = {}, resources = {} }: Resource): readonly Method[] => [
  ...Object.values(methods),
  ...Object.values(resources).flatMap(methodsOf),
];

/** Every method of the API by its id. */
export const METHODS: ReadonlyMap<string, Method> = new Map(
  methodsOf(root).map((method) => [
    method.id,
    { ...method, parameters: { ...common, ...method.parameters } },
  ]),
);

/** The field names of a message. */
export const fieldsOf = (schema: string): readonly string[] =>
  Object.keys(schemas[schema]?.properties ?? {});

/** @returns undefined when the message has no such field */
export function fieldOf(schema: string, name: string): Property | undefined {
  const properties = schemas[schema]?.properties;
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** Methods that change nothing: they take from the read quota and need only a read-only scope. */
export function isRead(method: string): boolean {
  const known = METHODS.get(method);
  return known?.httpMethod === "GET" || /:(search|\w*[gG]etByDataFilter)$/.test(known?.path ?? "");
}
