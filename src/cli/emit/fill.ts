import { DroverError } from "../../base/errors.ts";

/** Values by the hole's name; a list stands on as many lines, and an empty one takes the hole's line away. */
export type Values = Readonly<Record<string, string | readonly string[]>>;

const HOLE = /@([A-Z][A-Z_]*)@/g;

/**
 * Fills the `@NAME@` holes of a text. What is filled in is not looked at again.
 * @throws DroverError DROVER_E_BUG for a hole without a value, and for a list inside a line.
 */
export function fill(template: string, values: Values, name: string): string {
  const valueOf = (hole: string) => {
    const value = Object.hasOwn(values, hole) ? values[hole] : undefined;
    if (value === undefined) throw new DroverError("DROVER_E_BUG", `${name} has the hole @${hole}@, for which there is no value`);
    return value;
  };
  const inLine = (_all: string, hole: string) => {
    const value = valueOf(hole);
    if (typeof value === "string") return value;
    throw new DroverError("DROVER_E_BUG", `${name}: the hole @${hole}@ stands for lines and must be alone on its own`);
  };
  const lines = template.split("\n").flatMap((line) => {
    const alone = /^@([A-Z][A-Z_]*)@$/.exec(line)?.[1];
    const value = alone === undefined ? undefined : valueOf(alone);
    return value === undefined || typeof value === "string" ? line.replaceAll(HOLE, inLine) : value;
  });
  return lines.join("\n");
}
