import type { Socket } from "node:net";
import { encodeFrame } from "../base/frames.ts";
import { seconds } from "../base/units.ts";
import type { SnapshotHead } from "../sheets/types.ts";
import type { FromBroker } from "../sheets/wire.ts";

/** A client that has not read for so long is dropped: it will connect again, if it still can. */
const STALL = seconds(10);
const MOST_WAITING = 10_000;

/** @returns a table's newest rows. */
type Newest = (table: string) => { readonly head: SnapshotHead; readonly bytes: Uint8Array } | undefined;
type Waiting = FromBroker | { readonly snapshotOf: string };

/**
 * What one client is still to be told, in order. A snapshot waits by name: when its turn comes the table's newest is
 * sent, so that a slow client holds one snapshot, whatever happens to the table meanwhile.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #newest: Newest;
  #queue: Waiting[] = [];
  readonly #snapshots = new Set<string>();
  #stalled: NodeJS.Timeout | undefined;

  constructor(socket: Socket, newest: Newest) {
    this.#socket = socket;
    this.#newest = newest;
    socket.on("drain", () => this.#pump());
    socket.on("close", () => clearTimeout(this.#stalled));
  }

  say(message: FromBroker): void {
    this.#push(message);
  }

  /** Sends a table's rows; those that wait already will be the newest anyway. */
  sendRows(table: string): void {
    if (this.#snapshots.has(table)) return;
    this.#snapshots.add(table);
    this.#push({ snapshotOf: table });
  }

  #push(waiting: Waiting): void {
    if (this.#queue.length >= MOST_WAITING) return void this.#socket.destroy();
    this.#queue.push(waiting);
    if (this.#stalled === undefined) this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#stalled);
    this.#stalled = undefined;
    let sent = 0;
    for (const waiting of this.#queue) {
      if (this.#socket.destroyed) return;
      sent += 1;
      if (this.#write(waiting)) continue;
      this.#stalled = setTimeout(() => this.#socket.destroy(), STALL);
      break;
    }
    this.#queue = this.#queue.slice(sent);
  }

  /** @returns false when the socket has enough for now. */
  #write(waiting: Waiting): boolean {
    if (!("snapshotOf" in waiting)) return this.#frame(waiting);
    this.#snapshots.delete(waiting.snapshotOf);
    const rows = this.#newest(waiting.snapshotOf);
    return rows === undefined || this.#frame({ type: "snapshot", head: rows.head }, rows.bytes);
  }

  #frame(head: FromBroker, body?: Uint8Array): boolean {
    this.#socket.cork();
    const full = encodeFrame(head, body)
      .map((chunk) => this.#socket.write(chunk))
      .includes(false);
    this.#socket.uncork();
    return !full;
  }
}
