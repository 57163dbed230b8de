/** Where the first row of each key stands. Never changed: rows that come at the end make another, which costs what they are. */
export interface Firsts {
  get(key: string): number | undefined;
  has(key: string): boolean;
}

/** So many keys beside the others; then all are put together. */
const MOST_BESIDE = 1_024;

class Layered implements Firsts {
  readonly #most: ReadonlyMap<string, number>;
  readonly #beside: ReadonlyMap<string, number>;
  /** Of the rows that are in here. */
  readonly rows: number;

  constructor(most: ReadonlyMap<string, number>, beside: ReadonlyMap<string, number>, rows: number) {
    this.#most = most;
    this.#beside = beside;
    this.rows = rows;
  }

  get(key: string): number | undefined {
    return this.#most.get(key) ?? this.#beside.get(key);
  }

  has(key: string): boolean {
    return this.#most.has(key) || this.#beside.has(key);
  }

  /** @returns undefined: it is time to put all together. */
  with(keys: readonly string[]): Firsts | undefined {
    if (this.#beside.size + keys.length - this.rows > MOST_BESIDE) return undefined;
    const beside = new Map(this.#beside);
    for (let row = this.rows; row < keys.length; row += 1) {
      const key = keys[row] as string;
      if (!this.#most.has(key) && !beside.has(key)) beside.set(key, row);
    }
    return new Layered(this.#most, beside, keys.length);
  }
}

/** @param before of other rows, of which the first `same` are the same. */
export function firstsOf(keys: readonly string[], before?: Firsts, same = 0): Firsts {
  if (before instanceof Layered && before.rows === same) {
    const more = before.with(keys);
    if (more !== undefined) return more;
  }
  const first = new Map<string, number>();
  for (const [row, key] of keys.entries()) if (!first.has(key)) first.set(key, row);
  return new Layered(first, new Map(), keys.length);
}
