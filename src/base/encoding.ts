export type Encoding = "identity" | "gzip" | "br";

/** The server's taste among encodings that the client likes equally: the smallest first. */
const TASTE = ["br", "gzip", "identity"] as const satisfies readonly Encoding[];

/** Headers differ little among clients; when they do, what was remembered starts over. */
const MAX_REMEMBERED = 256;
const MAX_LENGTH = 256;

/** Reads Accept-Encoding headers, each spelling once. */
export class Negotiator {
  readonly #known = new Map<string, readonly Encoding[]>();
  #lastHeader = "";
  #lastOrder: readonly Encoding[] = ["identity"];

  /**
   * What a client accepts, best first (RFC 9110 §12.5.3). `identity` is always there: sending something is better than 406.
   * @param header the value of Accept-Encoding, "" when there is none.
   */
  preferences(header: string): readonly Encoding[] {
    if (header === this.#lastHeader) return this.#lastOrder;
    const order = header === "" ? IDENTITY_ONLY : (this.#known.get(header) ?? parse(header));
    if (header.length > MAX_LENGTH) return order;
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(header, order);
    this.#lastHeader = header;
    return (this.#lastOrder = order);
  }
}

const IDENTITY_ONLY: readonly Encoding[] = ["identity"];

/** The order in which a client likes what we have. */
function parse(header: string): readonly Encoding[] {
  const weights = new Map<string, number>();
  for (const item of header.split(",")) {
    const [name = "", ...parameters] = item.split(";");
    const coding = name.trim().toLowerCase();
    if (coding !== "") weights.set(coding === "x-gzip" ? "gzip" : coding, weight(parameters));
  }
  const any = weights.get("*");
  const liking = (encoding: Encoding): number => {
    const own = weights.get(encoding);
    if (own !== undefined) return own;
    // Not named: the rest is as good as `*` says; identity needs no naming, but what is named is preferred.
    return any ?? (encoding === "identity" ? Number.MIN_VALUE : 0);
  };
  const order = TASTE.filter((encoding) => liking(encoding) > 0).toSorted((a, b) => liking(b) - liking(a));
  return order.includes("identity") ? order : [...order, "identity"];
}

/** A weight that makes no sense is no weight at all: 1. */
function weight(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [, q] = /^\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*$/i.exec(parameter) ?? [];
    if (q !== undefined) return Number(q);
  }
  return 1;
}
