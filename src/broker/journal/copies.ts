/** Copies of the journal that its thread makes, and who waits for them. */
import { DroverError } from "../../base/errors.ts";

const cant = (to: string, why: string): DroverError => new DroverError("DROVER_E_BROKER", `the journal can't be copied to ${to}: ${why}`);

export class Copies {
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();

  /** @param ask begins it in the thread. @returns when it is whole. @throws DroverError when it is not to be. */
  async make(to: string, ask: () => Promise<void>): Promise<void> {
    if (this.#waiting.has(to)) throw cant(to, "it is being copied there already");
    const copied = Promise.withResolvers<void>();
    this.#waiting.set(to, copied);
    copied.promise.catch(() => {}); // who asked is told by `ask`, when that fails first
    try {
      await ask();
      await copied.promise;
    } finally {
      this.#waiting.delete(to);
    }
  }

  ended(to: string, failed: string | undefined): void {
    const copy = this.#waiting.get(to);
    if (failed === undefined) copy?.resolve();
    else copy?.reject(cant(to, failed));
  }

  /** The thread is gone. */
  lost(why: string): void {
    for (const to of this.#waiting.keys()) this.ended(to, why);
  }
}
