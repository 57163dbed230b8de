import type { Socket } from "node:net";
import { encodeFrame } from "../base/frames.ts";
import { seconds } from "../base/units.ts";
import type { Step } from "../sheets/edits.ts";
import type { SnapshotHead } from "../sheets/types.ts";
import type { FromBroker } from "../sheets/wire.ts";

/** A client that has not read for so long is dropped: it will connect again, if it still can. */
const STALL = seconds(10);
const MOST_WAITING = 10_000;

/** The newest rows of tables, and what leads to them. */
export interface Source {
  peek(table: string): { readonly head: SnapshotHead; readonly bytes: Uint8Array } | undefined;
  since(table: string, version: number): readonly Step[] | undefined;
}
type Waiting = FromBroker | { readonly snapshotOf: string };

/**
 * What one client is still to be told, in order. A table's rows wait by name: when their turn comes the newest are sent, in the steps that
 * lead there from what the client has, or whole; so a slow client holds one snapshot, whatever happens to the table meanwhile.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #source: Source;
  /** The version of each table that the client has once it has read all that was written. */
  readonly #sent = new Map<string, number>();
  #queue: Waiting[] = [];
  readonly #snapshots = new Set<string>();
  #stalled: NodeJS.Timeout | undefined;

  constructor(socket: Socket, source: Source) {
    this.#socket = socket;
    this.#source = source;
    socket.on("drain", () => this.#pump());
    socket.on("close", () => clearTimeout(this.#stalled));
  }

  say(message: FromBroker): void {
    this.#push(message);
  }

  /** The client has these rows from another broker. */
  has({ table, version }: SnapshotHead): void {
    this.#sent.set(table, version);
  }

  /** The client has no rows of the table. */
  forget(table: string): void {
    this.#sent.delete(table);
  }

  /** Sends what the client lacks of a table; what waits already will lead to the newest anyway. */
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
    const table = waiting.snapshotOf;
    this.#snapshots.delete(table);
    const rows = this.#source.peek(table);
    if (rows === undefined) return true;
    const sent = this.#sent.get(table);
    const steps = sent === undefined ? undefined : this.#source.since(table, sent);
    this.#sent.set(table, rows.head.version);
    if (steps === undefined) return this.#frame({ type: "snapshot", head: rows.head }, rows.bytes);
    return steps.map(({ head, from, edits, added }) => this.#frame({ type: "edited", head, from, edits }, added)).at(-1) ?? true;
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
