/** One user's cookies of one server. RFC 6265 without domains and paths: there is one target, and all of it is that user's. */

const MOST = 50;
const LONGEST = 4_096;

export class Cookies {
  readonly #values = new Map<string, string>();

  /** @param header the Set-Cookie lines of an answer. What is larger than browsers take is left out. */
  take(header: readonly string[] | undefined): void {
    for (const line of header ?? []) {
      const [pair = "", ...attributes] = line.split(";");
      const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      if (name === undefined || value === undefined || pair.length > LONGEST) continue;
      if (attributes.some(ends)) this.#values.delete(name);
      else if (this.#values.has(name) || this.#values.size < MOST) this.#values.set(name, value);
    }
  }

  /** The Cookie line, or undefined when there is none to send. */
  line(): string | undefined {
    return this.#values.size === 0 ? undefined : Array.from(this.#values, ([name, value]) => `${name}=${value}`).join("; ");
  }

  clear(): void {
    this.#values.clear();
  }
}

/** Max-Age=0 or less, or a date that has passed: the server takes the cookie away. */
function ends(attribute: string): boolean {
  const [, name = "", value = ""] = /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(attribute) ?? [];
  if (name.toLowerCase() === "max-age") return Number(value) <= 0;
  return name.toLowerCase() === "expires" && Date.parse(value) <= Date.now();
}
