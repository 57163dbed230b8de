import type { Who } from "./limiter.ts";

/** Places that clients hold in this worker for as long as an answer takes, by user, or by address for anonymous clients. */
export class Places {
  readonly #most: (who: Who) => number;
  readonly #open = new Map<string, number>();

  /** @param most how many places one client may hold; 0: no limit. */
  constructor(most: (who: Who) => number) {
    this.#most = most;
  }

  /** Clients that hold a place. */
  get clients(): number {
    return this.#open.size;
  }

  /** @returns the limit that another place of this client would exceed; undefined: there is room. */
  exceeded(who: Who): number | undefined {
    const most = this.#most(who);
    const key = keyOf(who);
    return key === undefined || most === 0 || (this.#open.get(key) ?? 0) < most ? undefined : most;
  }

  /** Takes a place if there is room: in one step, so that requests which arrive together can't all see the same room. @returns as enter. */
  tryEnter(who: Who): (() => void) | undefined {
    return this.exceeded(who) === undefined ? this.enter(who) : undefined;
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
