import { samePlace, type FeedEvent, type Position } from "./events.ts";

/** So many events are kept for clients that come back, and so many bytes of rows: more than a reload and a reconnection need. */
export const MOST_EVENTS = 4_096;
export const MOST_BYTES = 1_048_576;

/** About what an event weighs, whatever its row. */
const OVERHEAD = 128;

/** What an event counts against MOST_BYTES. */
export const weightOf = ({ what }: FeedEvent): number =>
  OVERHEAD + ("key" in what ? what.key.length : 0) + ("row" in what ? what.row.length : 0);

/** The newest events in their order, bounded in number and bytes, between two places of the sequence. */
export class EventRing {
  #floor: Position;
  #head: Position;
  #events: FeedEvent[] = [];
  #bytes = 0;

  /** @param floor the place that the first of `events` follows. @param head the last place that was given; after the last event or at it. */
  constructor(floor: Position, events: readonly FeedEvent[] = [], head: Position = floor) {
    this.#floor = floor;
    this.#head = head;
    this.push(events, head);
  }

  /** What is before it is not known any more. */
  get floor(): Position {
    return this.#floor;
  }

  /** The last place that was given: the next event follows it. */
  get head(): Position {
    return this.#head;
  }

  /** A copy: the ring goes on. */
  get events(): readonly FeedEvent[] {
    return this.#events.slice();
  }

  /** Appends; the oldest go where there is no room. @param upTo the last place, when it is no event's. */
  push(events: readonly FeedEvent[], upTo?: Position): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += weightOf(event);
      this.#head = placeOf(event);
    }
    if (upTo !== undefined) this.#head = placeOf(upTo);
    let gone = 0;
    for (; this.#events.length - gone > MOST_EVENTS || this.#bytes > MOST_BYTES; gone += 1) {
      const event = this.#events[gone] as FeedEvent;
      this.#bytes -= weightOf(event);
      this.#floor = placeOf(event);
    }
    if (gone > 0) this.#events.splice(0, gone);
  }

  /** Takes out events that may not be told any more. */
  remove(gone: (event: FeedEvent) => boolean): void {
    this.#events = this.#events.filter((event) => !gone(event));
    this.#bytes = this.#events.reduce((sum, event) => sum + weightOf(event), 0);
  }

  /** @returns what came after a place, or undefined when that is not known any more, or never was. */
  since(place: Position): readonly FeedEvent[] | undefined {
    if (samePlace(place, this.#floor)) return this.events;
    if (samePlace(place, this.#head)) return [];
    const at = this.#events.findLastIndex((event) => event.seq <= place.seq);
    const event = this.#events[at];
    return event !== undefined && samePlace(event, place) ? this.#events.slice(at + 1) : undefined;
  }
}

const placeOf = ({ epoch, seq }: Position): Position => ({ epoch, seq });
