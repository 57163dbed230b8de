/** The change feed as every worker holds it: the newest events, and who wants to hear of more. */
import { samePlace, type Changes, type FeedEvent, type Position } from "./events.ts";
import { EventRing } from "./ring.ts";

export interface FeedListener {
  /** Events as they come, without a gap since the listener subscribed or was last told `began`. */
  events(events: readonly FeedEvent[]): void;
  /** The feed is known from here on: for the first time, or after a gap that nothing can fill. */
  began(): void;
}

export interface Feed {
  /** The last place of the sequence; undefined until the broker has told it. */
  readonly head: Position | undefined;
  /** @returns the events after a place, or undefined when that is not known any more, or never was. */
  since(place: Position): readonly FeedEvent[] | undefined;
  /** @returns a function that ends it. */
  subscribe(listener: FeedListener): () => void;
}

export class LiveFeed implements Feed {
  readonly #listeners = new Set<FeedListener>();
  #ring: EventRing | undefined;

  get head(): Position | undefined {
    return this.#ring?.head;
  }

  since(place: Position): readonly FeedEvent[] | undefined {
    return this.#ring?.since(place);
  }

  subscribe(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  arrived({ after, events, upTo }: Changes): void {
    const ring = this.#ring;
    if (ring !== undefined && samePlace(ring.head, after)) {
      ring.push(events, upTo);
      for (const listener of this.#listeners) listener.events(events);
      return;
    }
    this.#ring = new EventRing(after, events, upTo);
    for (const listener of this.#listeners) listener.began();
  }
}
