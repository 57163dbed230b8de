/**
 * All event streams of one worker. An event is made into bytes once for all streams that watch the same tables; a stream
 * that can't keep up is dropped, and finds what it missed when it comes back.
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "../../base/clock.ts";
import { impossible } from "../../base/never.ts";
import type { Logger } from "../../base/log.ts";
import type { Ms } from "../../base/units.ts";
import type { Tables } from "../../sheets/client.ts";
import type { FeedEvent, Position } from "../../sheets/events.ts";
import type { TableInfo } from "../../sheets/types.ts";
import type { Who } from "../session/who.ts";
import { may } from "../visibility.ts";
import { OwnRows } from "./own.ts";
import { eventText, heartbeatText, pieceOf, placeText, resetText, retryText, type Piece } from "./piece.ts";

/** Where a client wants to begin. */
export type Wish =
  | { readonly is: "now" }
  | { readonly is: "after"; readonly place: Position }
  /** It named a place that is none: it missed something, and nobody knows what. */
  | { readonly is: "unreadable" };

export interface HubOptions {
  readonly tables: Tables;
  readonly clock: Clock;
  readonly log: Logger;
  /** Streams at a time. */
  readonly most: number;
  /** How long clients are told to wait before they come back. */
  readonly reconnect: Ms;
}

/** Who watches what. */
export interface Audience {
  /** undefined: all that they may read, those to come included. */
  readonly tables: readonly string[] | undefined;
  readonly who: Who;
  /** Whether they still are who they were. */
  stands(): boolean;
}

/** Streams that watch the same tables, of the same user or of strangers. */
interface Group {
  readonly key: string;
  readonly tables: ReadonlySet<string> | undefined;
  readonly who: Who;
  /** Of tables where they see only their own rows: which those are. */
  readonly own: OwnRows;
  readonly streams: Set<Stream>;
}

interface Stream {
  readonly res: ServerResponse;
  stands(): boolean;
  readonly group: Group;
  /** undefined once it has got its beginning. */
  wish: Wish | undefined;
}

/** A heartbeat of each stream comes every so many ticks; each tick serves its share of them. */
const TICKS = 15;
const TICK_MS = 1_000;
/** Bytes that a client may leave unread: all that is kept of the feed, and as much again. They are the same bytes for all. */
const MOST_UNREAD = 2 * 1_048_576;

export class Hub {
  readonly #options: HubOptions;
  readonly #groups = new Map<string, Group>();
  readonly #cohorts = Array.from({ length: TICKS }, () => new Set<Stream>());
  readonly #pieces = new WeakMap<FeedEvent, Piece>();
  readonly #unsubscribe: () => void;
  readonly #retry: Piece;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;
  #turn = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#retry = pieceOf(retryText(options.reconnect));
    this.#unsubscribe = options.tables.feed.subscribe({
      events: (events) => this.#publish(events),
      began: () => this.#began(),
    });
  }

  get full(): boolean {
    return this.#size >= this.#options.most;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#size;
  }

  /** @param res its head is written already. */
  open(res: ServerResponse, { tables, who, stands }: Audience, wish: Wish): void {
    const stream: Stream = { res, stands, group: this.#group(tables, who), wish };
    const cohort = this.#cohorts[this.#size % TICKS] as Set<Stream>;
    cohort.add(stream);
    stream.group.streams.add(stream);
    this.#size += 1;
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    res.once("close", () => {
      cohort.delete(stream);
      this.#leave(stream);
    });
    res.flushHeaders(); // nothing else goes through `res`: the head must be at the socket before the first piece
    this.#send(stream, this.#retry);
    this.#join(stream);
    this.#watch([stream.group]);
  }

  close(): void {
    this.#unsubscribe();
    clearInterval(this.#timer);
  }

  #group(tables: readonly string[] | undefined, who: Who): Group {
    const names = tables === undefined ? undefined : new Set(tables);
    const key = JSON.stringify([names === undefined ? null : [...names].sort(), who.is === "in" ? [who.user, who.role] : null]);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const own = new OwnRows(who, this.#options.tables);
    own.begin();
    const group: Group = { key, tables: names, who, own, streams: new Set() };
    this.#groups.set(key, group);
    return group;
  }

  #leave(stream: Stream): void {
    const { group } = stream;
    group.streams.delete(stream);
    if (group.streams.size === 0) this.#groups.delete(group.key);
    this.#size -= 1;
    if (this.#size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Gives a stream its beginning, once the feed is known. */
  #join(stream: Stream): void {
    const { feed } = this.#options.tables;
    const { wish } = stream;
    const { head } = feed;
    if (head === undefined || wish === undefined) return;
    stream.wish = undefined;
    switch (wish.is) {
      case "now":
        return this.#send(stream, pieceOf(placeText(head)));
      case "unreadable":
        return this.#send(stream, pieceOf(resetText(head, "id")));
      case "after": {
        const missed = feed.since(wish.place);
        if (missed === undefined) return this.#send(stream, pieceOf(resetText(head, "history")));
        const { socket } = stream.res;
        socket?.cork();
        stream.group.own.forget(); // what was theirs at that time is not known: they read those tables again
        for (const event of this.#visible(stream.group, missed, this.#infos())) this.#send(stream, this.#pieceOf(event));
        this.#send(stream, pieceOf(placeText(head)));
        socket?.uncork();
        return;
      }
      default:
        return impossible(wish);
    }
  }

  #began(): void {
    const { head } = this.#options.tables.feed;
    const reset = head === undefined ? undefined : pieceOf(resetText(head, "history"));
    for (const { streams } of this.#groups.values())
      for (const stream of streams) {
        if (stream.wish !== undefined) this.#join(stream);
        else if (reset !== undefined) this.#send(stream, reset);
      }
  }

  #publish(events: readonly FeedEvent[]): void {
    const infos = this.#infos();
    const pieces = new Map<string, Piece>();
    for (const group of this.#groups.values()) {
      const told = this.#visible(group, events, infos);
      const [first] = told;
      if (first === undefined) continue;
      const piece = told.length === 1 ? this.#pieceOf(first) : this.#pieceOfAll(told, pieces);
      for (const stream of group.streams) if (stream.wish === undefined) this.#send(stream, piece);
    }
  }

  /** Asked at the moment of sending: who may read a table, and how it is cut, may have changed since the event was made. */
  #visible({ tables, who, own }: Group, events: readonly FeedEvent[], infos: ReadonlyMap<string, TableInfo>): readonly FeedEvent[] {
    return events.flatMap((event) => {
      const { table, definition } = event;
      const info = infos.get(table);
      if (info === undefined || !may(info, "read", who) || info.definition !== definition || tables?.has(table) === false) return [];
      return own.cut(event, info) ?? [];
    });
  }

  /** Several events at once: most groups get the very same ones. */
  #pieceOfAll(told: readonly FeedEvent[], made: Map<string, Piece>): Piece {
    const key = told.map(({ seq, what }) => `${seq}${what.kind}`).join();
    const piece = made.get(key) ?? pieceOf(told.map(eventText).join(""));
    made.set(key, piece);
    return piece;
  }

  #infos(): ReadonlyMap<string, TableInfo> {
    return new Map(this.#options.tables.list().map((info) => [info.name, info]));
  }

  #pieceOf(event: FeedEvent): Piece {
    let piece = this.#pieces.get(event);
    if (piece === undefined) this.#pieces.set(event, (piece = pieceOf(eventText(event))));
    return piece;
  }

  /** Straight to the socket, in the chunk that stands ready: `res.write` would frame it anew for every client. */
  #send({ res }: Stream, { plain, chunk }: Piece): void {
    if (res.writableEnded || res.destroyed) return;
    if (res.writableLength > MOST_UNREAD) {
      this.#options.log.info({ unread: res.writableLength }, "the client does not read its event stream: connection closed");
      return void res.destroy();
    }
    if (res.socket === null) res.write(plain); // behind another answer of a client that pipelines
    else res.socket.write(res.chunkedEncoding ? chunk : plain);
  }

  #tick(): void {
    const { head } = this.#options.tables.feed;
    const [alive, moved] = [pieceOf(heartbeatText(undefined)), pieceOf(heartbeatText(head))];
    this.#turn = (this.#turn + 1) % TICKS;
    for (const stream of this.#cohorts[this.#turn] ?? [])
      if (stream.stands()) this.#send(stream, stream.wish === undefined ? moved : alive);
      else stream.res.end();
    this.#watch(this.#groups.values());
  }

  /** A table that is watched is in use: its rows are refreshed at their TTL as if they were read all the time. */
  #watch(groups: Iterable<Group>): void {
    const { tables, clock, log } = this.#options;
    const watched = new Set<string>();
    for (const group of groups)
      for (const info of tables.list()) if (may(info, "read", group.who) && (group.tables?.has(info.name) ?? true)) watched.add(info.name);
    for (const name of watched) {
      const view = tables.peek(name);
      if (view === undefined)
        tables.table(name).catch((e: unknown) => log.debug({ table: name, err: e }, "a watched table can't be read yet"));
      else if (clock.now() >= view.source.freshUntil) view.source.expired();
    }
  }
}
