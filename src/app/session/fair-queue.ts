/**
 * A bounded queue that is fair by address, and within an address by name: addresses take turns, and so do the names of one address, each
 * name in the order of arrival. A flood from one address delays another address by one turn, and a flood with one name delays another name
 * of the same address by one turn. When the queue is full a newcomer displaces the newest entry of the address with the most, if that has
 * more than the newcomer's own address would have. Pure.
 */

/** Whose turn it is. */
export interface Origin {
  readonly address: string;
  readonly name: string;
}

export interface QueueBounds {
  readonly most: number;
  readonly perAddress: number;
}

export type Queued<T> = { readonly is: "queued"; readonly displaced?: T } | { readonly is: "full" };

/** Entries of one address: by name, the name whose turn comes next first. */
interface Line<T> {
  readonly names: Map<string, T[]>;
  size: number;
}

export class FairQueue<T> {
  readonly #bounds: QueueBounds;
  /** The address whose turn comes next first. */
  readonly #lines = new Map<string, Line<T>>();
  #size = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#size;
  }

  /** At most so many entries are served before a new one of this address. */
  ahead(address: string): number {
    const own = this.#lines.get(address)?.size ?? 0;
    return [...this.#lines.values()].reduce((sum, { size }) => sum + Math.min(size, own + 1), 0);
  }

  push(item: T, { address, name }: Origin): Queued<T> {
    const own = this.#lines.get(address)?.size ?? 0;
    if (own >= this.#bounds.perAddress) return { is: "full" };
    const displaced = this.#size < this.#bounds.most ? undefined : this.#displace(own + 1);
    if (this.#size >= this.#bounds.most) return { is: "full" };
    const line = this.#lines.get(address) ?? { names: new Map<string, T[]>(), size: 0 };
    line.names.set(name, [...(line.names.get(name) ?? []), item]);
    line.size += 1;
    this.#lines.set(address, line);
    this.#size += 1;
    return displaced === undefined ? { is: "queued" } : { is: "queued", displaced };
  }

  /** @returns the entry whose turn it is. */
  shift(): T | undefined {
    for (const [address, line] of this.#lines)
      for (const [name, [item, ...rest]] of line.names) {
        line.names.delete(name);
        if (rest.length > 0) line.names.set(name, rest);
        line.size -= 1;
        this.#size -= 1;
        this.#lines.delete(address);
        if (line.size > 0) this.#lines.set(address, line);
        return item;
      }
    return undefined;
  }

  /** @returns whether it was there. */
  remove(item: T, { address, name }: Origin): boolean {
    const line = this.#lines.get(address);
    const items = line?.names.get(name);
    if (line === undefined || items === undefined || !items.includes(item)) return false;
    const rest = items.filter((other) => other !== item);
    if (rest.length > 0) line.names.set(name, rest);
    else line.names.delete(name);
    line.size -= 1;
    this.#size -= 1;
    if (line.size === 0) this.#lines.delete(address);
    return true;
  }

  /** Takes out the newest entry of the name with the most, of the address with the most, if that has more than `least`. */
  #displace(least: number): T | undefined {
    const [address, line] = [...this.#lines].reduce((a, b) => (b[1].size > a[1].size ? b : a));
    if (line.size <= least) return undefined;
    const [name, items] = [...line.names].reduce((a, b) => (b[1].length > a[1].length ? b : a));
    const newest = items.at(-1);
    if (newest !== undefined) this.remove(newest, { address, name });
    return newest;
  }
}
