import type { Server } from "node:net";
import { attachHandle, isRawHandle, type RawHandle } from "../base/held.ts";
import type { Address } from "../base/protocol.ts";

/** The listening handles that the master lends, one for each address. */
export class Handles {
  readonly #addresses: readonly Address[];
  readonly #listen: (RawHandle | undefined)[];
  #complete: () => void = () => {};
  /** Resolves when a handle to listen on has come for every address. */
  readonly complete: Promise<void>;

  constructor(addresses: readonly Address[]) {
    this.#addresses = addresses;
    this.#listen = addresses.map(() => undefined);
    this.complete = new Promise((resolve) => (this.#complete = resolve));
    if (addresses.length === 0) this.#complete();
  }

  /** @returns false when the message came without a usable handle, or for an address that does not exist. */
  take(address: number, handle: unknown): boolean {
    if (!isRawHandle(handle)) return false;
    if (this.#addresses[address] === undefined || this.#listen[address] !== undefined) return (handle.close(), false);
    this.#listen[address] = handle;
    if (this.#listen.every((held) => held !== undefined)) this.#complete();
    return true;
  }

  /**
   * Makes the server accept on every address.
   * @throws Error when the kernel refuses to listen.
   */
  attach(server: Server, backlog: number): void {
    this.#listen.forEach((handle, nr) => {
      if (handle !== undefined) attachHandle(server, handle, backlog, this.#path(nr));
    });
  }

  #path(nr: number): string | undefined {
    const address = this.#addresses[nr];
    return address?.kind === "unix" ? address.name.replace(/^unix:/, "") : undefined;
  }
}
