import type { Server } from "node:net";
import { attachHandle, detach, isRawHandle, type RawHandle } from "../base/held.ts";
import type { Address } from "../base/protocol.ts";

/**
 * The listening handles that the master lends, one for each address. A further one for the same address is a unix socket that was
 * bound again, because its file was removed: clients may still wait at the former one, so that it is closed with the next.
 */
export class Handles {
  readonly #addresses: readonly Address[];
  readonly #listen: (RawHandle | undefined)[];
  readonly #former: (RawHandle | undefined)[];
  #attached: { readonly server: Server; readonly backlog: number } | undefined;
  #complete: () => void = () => {};
  /** Resolves when a handle to listen on has come for every address. */
  readonly complete: Promise<void>;

  constructor(addresses: readonly Address[]) {
    this.#addresses = addresses;
    this.#listen = addresses.map(() => undefined);
    this.#former = addresses.map(() => undefined);
    this.complete = new Promise((resolve) => (this.#complete = resolve));
    if (addresses.length === 0) this.#complete();
  }

  /**
   * @returns false when the message came without a usable handle, or for an address that does not exist.
   * @throws Error when the kernel refuses to listen.
   */
  take(nr: number, handle: unknown): boolean {
    if (!isRawHandle(handle)) return false;
    if (this.#addresses[nr] === undefined) return (handle.close(), false);
    this.#replace(nr, handle);
    this.#listen[nr] = handle;
    if (this.#attached !== undefined) attachHandle(this.#attached.server, handle, this.#attached.backlog, this.#path(nr));
    if (this.#listen.every((held) => held !== undefined)) this.#complete();
    return true;
  }

  /**
   * Makes the server accept on every address.
   * @throws Error when the kernel refuses to listen.
   */
  attach(server: Server, backlog: number): void {
    this.#attached = { server, backlog };
    this.#listen.forEach((handle, nr) => {
      if (handle !== undefined) attachHandle(server, handle, backlog, this.#path(nr));
    });
  }

  #replace(nr: number, handle: RawHandle): void {
    const [before, former] = [this.#listen[nr], this.#former[nr]];
    if (before === undefined || before === handle) return;
    if (this.#attached === undefined) return before.close();
    if (former !== undefined) detach(this.#attached.server, former);
    this.#former[nr] = before;
  }

  #path(nr: number): string | undefined {
    const address = this.#addresses[nr];
    return address?.kind === "unix" ? address.name.replace(/^unix:/, "") : undefined;
  }
}
