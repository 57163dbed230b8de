import { DroverError } from "../../base/errors.ts";

export type Fields = Readonly<Record<string, unknown>>;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};

/** One object of a file: its fields, each read as what it must be, or an error that names the place. Unknown fields are left alone. */
export class Reader {
  readonly #fields: Fields;
  readonly #file: string;
  readonly #place: string;
  constructor(fields: Fields, file: string, place: string) {
    this.#fields = fields;
    this.#file = file;
    this.#place = place;
  }

  /** @throws DroverError always. @param name "" for the object itself. */
  fail(name: string, value: unknown, expected: string): never {
    const place = [this.#place, name].filter((part) => part !== "").join(".");
    throw new DroverError(
      "DROVER_E_USAGE",
      `${this.#file}: ${place} is ${shown(value)}: expected ${expected}`,
    );
  }

  number(name: string, least: number, most = 1e15): number {
    const value = this.#fields[name];
    if (typeof value !== "number" || !(value >= least && value <= most))
      return this.fail(
        name,
        value,
        most === 1e15 ? `a number from ${least} on` : `a number from ${least} to ${most}`,
      );
    return value;
  }

  whole(name: string, least: number, most?: number): number {
    const value = this.number(name, least, most);
    return Number.isInteger(value)
      ? value
      : this.fail(name, value, `a whole number from ${least} on`);
  }

  /** The field as a record to spread; empty when it is left out. */
  maybe<const N extends string>(
    name: N,
    least: number,
    most?: number,
  ): { readonly [K in N]?: number } {
    if (this.#fields[name] === undefined) return {};
    return { [name]: this.number(name, least, most) } as { readonly [K in N]?: number };
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === "string" && value !== "" && value.length <= 1_000
      ? value
      : this.fail(name, value, "a text");
  }

  word<const W extends string>(name: string, words: readonly W[]): W {
    const value = this.#fields[name];
    return (
      words.find((word) => word === value) ??
      this.fail(name, value, `one of "${words.join('", "')}"`)
    );
  }

  flag(name: string): boolean {
    const value = this.#fields[name];
    return typeof value === "boolean" ? value : this.fail(name, value, "true or false");
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  /** The objects in an object, by name; none when it is absent. */
  entries(name: string): readonly (readonly [string, Fields])[] {
    const value = this.#fields[name];
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value as Fields).filter(
      (entry): entry is [string, Fields] => typeof entry[1] === "object" && entry[1] !== null,
    );
  }

  /** An object of numbers. */
  numbers(name: string, least: number): Readonly<Record<string, number>> {
    const inner = this.child(name);
    return Object.fromEntries(
      Object.keys(inner.#fields).map((key) => [key, inner.number(key, least)]),
    );
  }

  child(name: string): Reader {
    return this.#inner(name, this.#fields[name]);
  }

  /** A list of 1 to `most` objects. */
  list(name: string, most: number): Reader[] {
    const value = this.#fields[name];
    if (!Array.isArray(value) || value.length === 0 || value.length > most)
      return this.fail(name, value, `a list of 1 to ${most} objects`);
    return value.map((inner: unknown, i) => this.#inner(`${name}[${i}]`, inner));
  }

  #inner(name: string, value: unknown): Reader {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.fail(name, value, "an object");
    return new Reader(
      value as Fields,
      this.#file,
      this.#place === "" ? name : `${this.#place}.${name}`,
    );
  }
}
