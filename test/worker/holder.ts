import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { RawHandle } from "../../src/base/held.ts";

/** A second process that holds the listening socket: copies of one kernel queue can't be made within a process. */
export class Holder {
  readonly port: number;
  readonly #child: ChildProcess;
  /** Who waits for the next copies, in order. */
  readonly #takers: ((handle: RawHandle) => void)[] = [];

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on("message", (_, handle) => this.#takers.shift()?.(handle as unknown as RawHandle));
  }

  static async start(): Promise<Holder> {
    const child = fork(fileURLToPath(new URL("apps/holder.mjs", import.meta.url)));
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return new Holder(child, port);
  }

  /** Asks for copies; each is given to `take` when it arrives. */
  ask(count: number, take: (handle: RawHandle) => void): void {
    for (let nr = 0; nr < count; nr += 1) this.#takers.push(take);
    this.#child.send(count);
  }

  one(): Promise<RawHandle> {
    return new Promise((resolve) => this.ask(1, resolve));
  }

  stop(): void {
    this.#child.disconnect();
  }
}
