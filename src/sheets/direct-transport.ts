import type { Changes, Position } from "./events.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import type { SnapshotHead, TableInfo, Unavailable } from "./types.ts";
import { UnavailableError } from "./unavailable.ts";

/** What the broker tells all its clients, in this order for each table. */
export interface BrokerEvents {
  /** The bytes are the broker's own: not to be changed. */
  snapshot(head: SnapshotHead, bytes: Uint8Array): void;
  renewed(head: SnapshotHead): void;
  failed(why: Unavailable): void;
  tables(list: readonly TableInfo[]): void;
}

/** A broker within reach of a function call. */
export interface BrokerPort {
  /** Tells the listener at once all that is known, then every change. @returns a function that ends it. */
  subscribe(events: BrokerEvents): () => void;
  /**
   * Tells of the changes of rows: at once those after `from`, or all that are known, then each as it comes, after its snapshot.
   * @returns a function that ends it.
   */
  follow(from: Position | undefined, tell: (changes: Changes) => void): () => void;
  /** @returns why the table can't be had, or undefined once it has been told to all subscribers. */
  want(table: string): Promise<Unavailable | undefined>;
  touch(tables: readonly string[]): void;
  /** What is known of a table. */
  peek(table: string): { readonly head: SnapshotHead; readonly bytes: Uint8Array } | undefined;
}

/** A copy in shared memory. */
export function share(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(shared).set(bytes);
  return shared;
}

/** The transport of one process that talks to Google itself: tests and library use. Closing it does not close the broker. */
export function directTransport(broker: BrokerPort): Transport {
  let end: (() => void) | undefined;
  let events: TransportEvents | undefined;
  const deliver = (head: SnapshotHead, bytes: Uint8Array): void => events?.snapshot({ head, bytes: share(bytes) });
  return {
    async want(table, held) {
      const why = await broker.want(table);
      if (why !== undefined) throw new UnavailableError(why);
      const known = broker.peek(table);
      if (known !== undefined && held === undefined) deliver(known.head, known.bytes);
    },
    touch: (table) => broker.touch([table]),
    listen(listener) {
      events = listener;
      const unsubscribe = broker.subscribe({
        snapshot: deliver,
        renewed: (head) => listener.renewed(head),
        failed: (why) => listener.failed(why),
        tables: (list) => listener.tables(list),
      });
      const unfollow = broker.follow(undefined, (changes) => listener.changes(changes));
      end = () => {
        unsubscribe();
        unfollow();
      };
      listener.link(true);
    },
    close: () => end?.(),
  };
}
