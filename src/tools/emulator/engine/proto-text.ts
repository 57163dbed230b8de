/** protobuf's text format of a google.protobuf.Value: Google quotes it when a cell's value is a list or an object. */
import { isObject, type Json } from "./json.ts";

/** Enough of it to see what was wrong. */
const LONGEST = 2000;

export function protoText(value: Json): string {
  const text = lines(value, "").join("\n");
  return `${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}\n`;
}

function lines(value: Json, indent: string): string[] {
  if (indent.length > 64) return [`${indent}…`];
  const inner = `${indent}  `;
  if (isObject(value)) {
    const fields = Object.entries(value).flatMap(([key, v]) => [
      `${inner}fields {`,
      `${inner}  key: ${JSON.stringify(key)}`,
      `${inner}  value {`,
      ...lines(v ?? null, `${inner}    `),
      `${inner}  }`,
      `${inner}}`,
    ]);
    return [`${indent}struct_value {`, ...fields, `${indent}}`];
  }
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).flatMap((v) => [
      `${inner}values {`,
      ...lines(v, `${inner}  `),
      `${inner}}`,
    ]);
    return [`${indent}list_value {`, ...items, `${indent}}`];
  }
  if (value === null) return [`${indent}null_value: NULL_VALUE`];
  const kind = typeof value === "boolean" ? "bool" : typeof value;
  return [`${indent}${kind}_value: ${JSON.stringify(value)}`];
}
