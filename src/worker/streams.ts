import type { ServerResponse } from "node:http";
import type { Streams } from "./app.ts";
import type { InFlight } from "./inflight.ts";

/** Clients come back within this span, each at its own moment. */
const RETRY_MIN = 500;
const RETRY_MAX = 3_000;

/** The `streams` service: what an application says of its endless answers. */
export function createStreams(inFlight: InFlight): Streams {
  return {
    opened(res) {
      const exchange = inFlight.of(res);
      if (exchange === undefined) return;
      exchange.stream = true;
      exchange.release();
    },
    waits(res) {
      const exchange = inFlight.of(res);
      if (exchange !== undefined) exchange.waits = true;
    },
  };
}

/** Reads the head that was written. `_header` is Node's text of it: getHeader() does not know what writeHead() was given. */
function headOf(res: ServerResponse): string {
  return (res as unknown as { _header?: string | null })._header ?? "";
}

/** True once a head was written that says text/event-stream. */
export function isEventStream(res: ServerResponse): boolean {
  return /^content-type: *text\/event-stream/im.test(headOf(res));
}

/**
 * Ends an event stream so that the browser comes back by itself, to whichever worker accepts then. A compressed stream gets no
 * last words: plain text would break it.
 */
export function endStream(res: ServerResponse): void {
  res.on("error", () => {}); // the application may write once more before it learns of the end: that is no fault
  if (!res.writableEnded && isEventStream(res) && !/^content-encoding:/im.test(headOf(res))) {
    res.write(`retry: ${Math.round(RETRY_MIN + Math.random() * (RETRY_MAX - RETRY_MIN))}\n\n`);
  }
  res.end();
}
