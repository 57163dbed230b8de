import type { LimitRules } from "./rules.ts";
import type { Who } from "./limiter.ts";

/** Event streams that are open in this worker, by user, or by address for anonymous clients. */
export class StreamPlaces {
  readonly #rules: Pick<LimitRules, "streamsPerAddress" | "streamsPerUser">;
  readonly #open = new Map<string, number>();

  constructor(rules: Pick<LimitRules, "streamsPerAddress" | "streamsPerUser">) {
    this.#rules = rules;
  }

  /** Clients that have streams open. */
  get clients(): number {
    return this.#open.size;
  }

  /** @returns the limit that another stream of this client would exceed; undefined: there is room. */
  exceeded(who: Who): number | undefined {
    const most = who.user === undefined ? this.#rules.streamsPerAddress : this.#rules.streamsPerUser;
    const key = keyOf(who);
    return key === undefined || most === 0 || (this.#open.get(key) ?? 0) < most ? undefined : most;
  }

  /** Takes a place. @returns what gives it back; to be called once. */
  enter(who: Who): () => void {
    const key = keyOf(who);
    if (key === undefined) return () => {};
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#open.get(key) ?? 0) - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
    };
  }
}

/** undefined: a proxy that does not say for whom it asks. */
function keyOf({ user, address }: Who): string | undefined {
  return user === undefined ? address && `address:${address}` : `user:${user}`;
}
