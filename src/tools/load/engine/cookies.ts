/** One user's cookies. RFC 6265 without domains and paths: there is one target. */

const MOST = 50;
/** Characters of a name and its value. */
const LONGEST = 4_096;

export class Cookies {
  readonly #values = new Map<string, string>();

  /** @param header the Set-Cookie lines of an answer. Cookies beyond what browsers keep are ignored. */
  take(header: readonly string[] | undefined): void {
    for (const line of header ?? []) {
      const [pair = "", ...attributes] = line.split(";");
      const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      if (name === undefined || value === undefined || pair.length > LONGEST) continue;
      if (attributes.some(isExpired)) this.#values.delete(name);
      else if (this.#values.has(name) || this.#values.size < MOST) this.#values.set(name, value);
    }
  }

  /** The Cookie header; undefined without cookies. */
  get header(): string | undefined {
    if (this.#values.size === 0) return undefined;
    return Array.from(this.#values, ([name, value]) => `${name}=${value}`).join("; ");
  }
}

/** Max-Age=0 or less, or a date in the past. */
function isExpired(attribute: string): boolean {
  const [, name = "", value = ""] = /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(attribute) ?? [];
  if (name.toLowerCase() === "max-age") return Number(value) <= 0;
  return name.toLowerCase() === "expires" && Date.parse(value) <= Date.now();
}
