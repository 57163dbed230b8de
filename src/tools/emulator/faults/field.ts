/** The fields of fault specs: what each accepts, and its value when it is left out. */

export interface Field<T> {
  /** For messages: "NAME must be …". */
  readonly expected: string;
  /** @param text empty for a name without a value. @returns undefined when it is no such value. */
  readonly read: (text: string) => T | undefined;
  /** The value when the field is left out; without it the field is required. */
  readonly otherwise?: { readonly value: T };
}

export type ValuesOf<F> = { readonly [N in keyof F]: F[N] extends Field<infer T> ? T : never };

export const or = <T>(field: Field<T>, value: T): Field<T> => ({ ...field, otherwise: { value } });
export const optional = <T>(field: Field<T>): Field<T | undefined> => ({
  ...field,
  otherwise: { value: undefined },
});

type Units = Readonly<Record<string, number>>;
const TIMES: Units = { "": 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SIZES: Units = {
  "": 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

const quantity =
  (units: Units, unit: string) =>
  (least: number, most: number): Field<number> => ({
    expected: `${least}…${most}${unit}`,
    read(text) {
      const [, digits, named = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
      const value = Number(digits) * (units[named] ?? NaN);
      return Number.isInteger(value) && value >= least && value <= most ? value : undefined;
    },
  });
export const integer = quantity({ "": 1 }, "");
export const duration = quantity(TIMES, " ms");
export const size = quantity(SIZES, " bytes");

export const word = (longest: number): Field<string> => ({
  expected: `a text of 1…${longest} characters`,
  read: (text) => (text.length > 0 && text.length <= longest ? text : undefined),
});

/** Letters of any case; the value has capitals. */
export const matching = (pattern: RegExp, expected: string): Field<string> => ({
  expected,
  read: (text) => (pattern.test(text) ? text.toUpperCase() : undefined),
});

export const choice = <const T extends string>(...words: readonly T[]): Field<T> => ({
  expected: words.join(", "),
  read: (text) => words.find((known) => known === text),
});

/** True when it is named; false when it is left out. */
export const flag: Field<boolean> = {
  expected: "true or false",
  read: (text) => (text === "" || text === "true" ? true : text === "false" ? false : undefined),
  otherwise: { value: false },
};
