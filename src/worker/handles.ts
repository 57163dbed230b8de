import type { Server } from "node:net";
import { attachHandle, isRawHandle, type RawHandle } from "../base/held.ts";
import type { MasterPort } from "../base/port.ts";
import type { Address } from "../base/protocol.ts";

/**
 * The listening handles that the master lends: for each address one to listen on and copies in reserve, so that a worker
 * which stopped accepting at its connection cap starts again without asking first.
 */
export class Handles {
  readonly #addresses: readonly Address[];
  readonly #port: MasterPort;
  readonly #listen: (RawHandle | undefined)[];
  readonly #reserve: RawHandle[][];
  #complete: () => void = () => {};
  /** Resolves when a handle to listen on has come for every address. */
  readonly complete: Promise<void>;
  /** Called when a reserve handle came: somebody may be waiting for it. */
  refilled: () => void = () => {};

  constructor(addresses: readonly Address[], port: MasterPort) {
    this.#addresses = addresses;
    this.#port = port;
    this.#listen = addresses.map(() => undefined);
    this.#reserve = addresses.map(() => []);
    this.complete = new Promise((resolve) => (this.#complete = resolve));
    if (addresses.length === 0) this.#complete();
  }

  /** @returns false when the message came without a usable handle, or for an address that does not exist. */
  take(address: number, use: "listen" | "reserve", handle: unknown): boolean {
    const reserve = this.#reserve[address];
    if (reserve === undefined || !isRawHandle(handle)) return false;
    if (use === "listen" && this.#listen[address] === undefined) {
      this.#listen[address] = handle;
      if (this.#listen.every((held) => held !== undefined)) this.#complete();
    } else {
      reserve.push(handle);
      this.refilled();
    }
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

  /** Accepts again after a pause, from the reserve. @returns false when an address has none left: `refilled` will tell. */
  rearm(server: Server, backlog: number): boolean {
    if (this.#reserve.some((reserve) => reserve.length === 0)) return false;
    this.#reserve.forEach((reserve, nr) => {
      attachHandle(server, reserve.shift() as RawHandle, backlog, this.#path(nr));
      this.#port.send({ type: "refill", address: nr, count: 1 });
    });
    return true;
  }

  #path(nr: number): string | undefined {
    const address = this.#addresses[nr];
    return address?.kind === "unix" ? address.name.replace(/^unix:/, "") : undefined;
  }
}
