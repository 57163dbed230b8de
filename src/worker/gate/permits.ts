import assert from "node:assert/strict";
import type { Permit } from "../exchange.ts";

/** A number of places; each is taken by a permit and given back exactly once. */
export class Permits {
  #limit: number;
  #taken = 0;
  readonly #freed: () => void;

  /** @param freed called after each release. */
  constructor(limit: number, freed: () => void) {
    this.#limit = limit;
    this.#freed = freed;
  }

  get taken(): number {
    return this.#taken;
  }

  get free(): boolean {
    return this.#taken < this.#limit;
  }

  /** Fewer places than are taken: those stay until they are given back. */
  resize(limit: number): void {
    this.#limit = limit;
  }

  /** @returns undefined when every place is taken. */
  take(): Permit | undefined {
    if (!this.free) return undefined;
    this.#taken += 1;
    let held = true;
    return {
      release: () => {
        assert(held, "a permit was released twice");
        held = false;
        this.#taken -= 1;
        this.#freed();
      },
    };
  }
}
