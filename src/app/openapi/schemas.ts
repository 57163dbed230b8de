/** What the operations of a table are described with. */
import type { ColumnType } from "../../sheets/types.ts";
import type { QueryColumn } from "../query/model.ts";
import type { Right } from "../visibility.ts";

export type Schema = Readonly<Record<string, unknown>>;

export interface DescribedTable {
  readonly name: string;
  /** What anyone may do with it. */
  readonly rights: { readonly [R in Right]: boolean };
  /** Visible columns; undefined while the table's rows have never been seen, and where nobody may see them. */
  readonly columns: readonly QueryColumn[] | undefined;
  readonly key: string | undefined;
}

/** What a cell that is not empty holds. */
export const SCALARS: { readonly [T in ColumnType]: Schema } = {
  auto: { type: ["string", "number", "boolean"] },
  string: { type: "string" },
  number: { type: "number" },
  integer: { type: "integer" },
  boolean: { type: "boolean" },
  date: { type: "string", description: "ISO 8601 date, with or without a time" },
};

/** The same, or an empty cell. */
export function nullable(schema: Schema): Schema {
  return { ...schema, type: [schema["type"], "null"].flat() };
}

/** The part of the path that names a row. */
export const keyParameter = ({ key }: DescribedTable): Schema => ({
  name: "key",
  in: "path",
  required: true,
  description: key === undefined ? "The row's key, or its id in a table without a key column" : `The row's ${key}`,
  schema: { type: "string" },
});
