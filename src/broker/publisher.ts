/** Who is told what: every listener hears of new rows, failures and tables, and the feed of what changed in them. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { ms } from "../base/units.ts";
import type { BrokerEvents, Subscription } from "../sheets/direct-transport.ts";
import type { Changes, Position } from "../sheets/events.ts";
import type { Content } from "../sheets/snapshot.ts";
import type { SnapshotHead, Table, Unavailable } from "../sheets/types.ts";
import { Acks } from "./acks.ts";
import type { Catalog } from "./catalog.ts";
import { Feed } from "./feed/feed.ts";
import { Pusher } from "./pusher.ts";
import type { Accepted, Snapshots } from "./snapshots.ts";
import type { Store } from "./store.ts";

export interface PublisherPort {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly catalog: Catalog;
  readonly snapshots: Snapshots;
  /** A written table's rows with all that was accepted; undefined: nothing of it is kept. */
  readonly content: (table: string) => Content | undefined;
  /** Why tables can't be read now. */
  readonly failures: () => readonly Unavailable[];
}

const READERS_COME_WITHIN = ms(1_000);

export class Publisher {
  readonly #port: PublisherPort;
  readonly #listeners = new Set<BrokerEvents>();
  readonly #acks: Acks;
  readonly #feed: Feed;
  readonly #pusher = new Pusher((table) => this.push(table));
  /** Workers that the broker before this one had. */
  readonly #expected: number;
  #leaving = false;

  constructor(port: PublisherPort) {
    const { dataDir, clock, log, store } = port;
    this.#port = port;
    this.#expected = store.readers();
    this.#feed = new Feed({ dataDir, epoch: store.epoch, log });
    this.#acks = new Acks(clock);
  }

  /** From now on a listener hears of everything; at first of all that there is. */
  subscribe(events: BrokerEvents): Subscription {
    const { catalog, snapshots } = this.#port;
    this.#listeners.add(events);
    const reader = this.#acks.join();
    this.#keepReaders();
    if (catalog.failure !== undefined) events.failed(catalog.failure);
    if (catalog.tables !== undefined) events.tables(catalog.infos());
    for (const { head, bytes } of snapshots.all()) events.snapshot(head, bytes);
    for (const why of this.#port.failures()) events.failed(why);
    return {
      saw: (table, version) => reader.saw(table, version),
      end: () => {
        this.#listeners.delete(events);
        reader.leave();
        this.#keepReaders();
      },
    };
  }

  /** For the next broker. One that closes loses its workers to it. */
  #keepReaders(): void {
    if (!this.#leaving) this.#port.store.keepReaders(this.#acks.readers);
  }

  /** See Feed. */
  follow(from: Position | undefined, tell: (changes: Changes) => void): () => void {
    return this.#feed.follow(from, tell);
  }

  /** Connections that another broker had are about to come: until they have, answers to writers wait for them. */
  expectReaders(): void {
    this.#acks.settle(this.#expected, READERS_COME_WITHIN);
  }

  /** There are other tables now. */
  listed(): void {
    const { catalog, snapshots } = this.#port;
    for (const listener of this.#listeners) {
      listener.tables(catalog.infos());
      for (const { head, bytes } of snapshots.all()) listener.snapshot(head, bytes);
    }
    this.#feed.tables(catalog.infos());
  }

  failed(why: Unavailable): void {
    for (const listener of this.#listeners) listener.failed(why);
  }

  renewed(head: SnapshotHead): void {
    for (const listener of this.#listeners) listener.renewed(head);
  }

  /** Tells all listeners what came of new rows. @returns why they were refused. */
  tell(table: Table, accepted: Accepted): string | undefined {
    switch (accepted.is) {
      case "malformed":
        this.#port.log.warn({ table: table.name }, `new rows were refused, what was there stays: ${accepted.why}`);
        return accepted.why;
      case "withheld":
        return undefined;
      case "same":
        this.renewed(accepted.head);
        this.#told(table.name);
        return undefined;
      case "changed":
        for (const listener of this.#listeners) listener.snapshot(accepted.head, accepted.bytes);
        this.#told(table.name);
        return undefined;
      default:
        return accepted satisfies never;
    }
  }

  /** After the workers know a table's rows: what changed in them becomes events. */
  #told(table: string): void {
    const rows = this.#port.snapshots.get(table);
    if (rows !== undefined) this.#feed.seen(rows.head, rows.bytes);
  }

  /** Tells of a table's rows with all that was accepted, at once. */
  push(name: string): void {
    const { catalog, snapshots, content, clock } = this.#port;
    const table = catalog.find(name);
    const shown = content(name);
    if (table === undefined || shown === undefined) return;
    this.tell(table, snapshots.show(table, shown, clock.wall()));
  }

  /** Pushes a table's rows with all that was accepted, and waits for readers. */
  async show(table: string): Promise<void> {
    await this.#pusher.push(table);
    const version = this.#port.snapshots.get(table)?.head.version;
    if (version !== undefined) await this.#acks.reached(table, version);
  }

  /** Whatever comes of a push that is due: what it showed is on disk, or could not be written. */
  async keep(table: string): Promise<void> {
    await Promise.allSettled([this.#pusher.pushed(table)]);
    await this.#port.snapshots.written(table);
  }

  /** Who leaves from now on goes to the next broker, which is to expect them. */
  leave(): void {
    this.#leaving = true;
  }

  close(): void {
    this.#feed.close();
  }
}
