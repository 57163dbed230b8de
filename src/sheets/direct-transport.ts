import { seconds, type Ms } from "../base/units.ts";
import type { Step } from "./edits.ts";
import type { Changes, Position } from "./events.ts";
import type { LedgerHost } from "./ledger-host.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import type { Priority, SnapshotHead, TableInfo, Unavailable } from "./types.ts";
import { UnavailableError } from "./unavailable.ts";
import type { Write, WriteAnswer, WriteRequest, WriteWait } from "./writes.ts";

const SHEET_WITHIN = seconds(15);

/** What the broker tells all its clients, in this order for each table. */
export interface BrokerEvents {
  /** The bytes are the broker's own: not to be changed. */
  snapshot(head: SnapshotHead, bytes: Uint8Array): void;
  renewed(head: SnapshotHead): void;
  failed(why: Unavailable): void;
  tables(list: readonly TableInfo[]): void;
}

/** One listener, and what it has seen. */
export interface Subscription {
  /** The listener's readers have these rows. */
  saw(table: string, version: number): void;
  end(): void;
}

/** A broker within reach of a function call. */
export interface BrokerPort {
  /** Tells the listener at once all that is known, then every change. */
  subscribe(events: BrokerEvents): Subscription;
  /**
   * Tells of the changes of rows: at once those after `from`, or all that are known, then each as it comes, after its snapshot.
   * @returns a function that ends it.
   */
  follow(from: Position | undefined, tell: (changes: Changes) => void): () => void;
  /** @returns why the table can't be had, or undefined once it has been told to all subscribers. */
  want(table: string, priority?: Priority): Promise<Unavailable | undefined>;
  touch(tables: readonly string[]): void;
  /** @returns what became of it: never rejects. */
  write(request: WriteRequest, call: WriteCall): Promise<WriteAnswer>;
  /** @returns a write by its id, or undefined when there is none, or it landed more than a day ago. @throws UnavailableError when that is not known now. */
  find(id: string): Promise<Write | undefined>;
  /** @returns what makes an earlier version of a table's rows into the newest; undefined: that is not known. */
  since(table: string, version: number): readonly Step[] | undefined;
  /** What is known of a table. */
  peek(table: string): { readonly head: SnapshotHead; readonly bytes: Uint8Array } | undefined;
  /** Who is in, and how often something was done; undefined: another broker has it. */
  readonly ledger?: LedgerHost | undefined;
}

/** How a call wants to be answered. */
export interface WriteCall {
  /** `sheet`: once the sheet has it, or after `within`, with the state it has then. */
  readonly wait: WriteWait;
  readonly within: Ms;
  /** Of the call: repeated under the same id it writes nothing more. */
  readonly id?: string;
}

/** A copy in shared memory. */
export function share(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(shared).set(bytes);
  return shared;
}

/** The transport of one process that talks to Google itself: tests and library use. Closing it does not close the broker. */
export function directTransport(broker: BrokerPort): Transport {
  let subscription: Subscription | undefined;
  let unfollow: (() => void) | undefined;
  let events: TransportEvents | undefined;
  const deliver = (head: SnapshotHead, bytes: Uint8Array): void => {
    events?.snapshot({ head, bytes: share(bytes) });
    subscription?.saw(head.table, head.version);
  };
  return {
    async want(table, held, priority) {
      const before = broker.peek(table)?.head;
      const why = await broker.want(table, priority);
      if (why !== undefined) throw new UnavailableError(why);
      const known = broker.peek(table);
      if (known !== undefined && held === undefined) deliver(known.head, known.bytes);
      return known !== undefined && known.head.checkedAt !== before?.checkedAt;
    },
    touch: (table) => broker.touch([table]),
    listen(listener) {
      events = listener;
      let known: readonly TableInfo[] = [];
      subscription = broker.subscribe({
        snapshot: deliver,
        renewed: (head) => listener.renewed(head),
        failed: (why) => listener.failed(why),
        tables: (list) => listener.tables((known = list)),
      });
      for (const { name } of known) {
        const rows = broker.peek(name); // told before there was a subscription to acknowledge to
        if (rows !== undefined) subscription.saw(name, rows.head.version);
      }
      unfollow = broker.follow(undefined, (changes) => listener.changes(changes));
      listener.link(true);
    },
    write: (request, wait) => broker.write(request, { wait, within: SHEET_WITHIN }),
    find: (id) => broker.find(id),
    close() {
      subscription?.end();
      unfollow?.();
    },
  };
}
