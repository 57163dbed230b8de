/**
 * Requests that a client pipelines on one connection are worked on a few at a time: their answers can only leave in order, so a
 * client that reads none of them would otherwise hold one answer for each, and a place in the queue.
 *
 * A request whose answer is the next to leave never waits: its body may have arrived after later requests of its connection had
 * begun, and their answers wait for its own.
 */
import type { Seat } from "../connections.ts";
import type { Exchange } from "../exchange.ts";
import { readOn, stopReading } from "../reading.ts";
import type { Stage, Verdict } from "./stage.ts";

/** Requests of one connection that are worked on, or whose answers have not left, at a time; and the one whose answer is next. */
export const AT_ONCE = 2;
/** Requests that wait behind them before no more are read. */
const FEW_WAITING = 8;

interface Line {
  /** Requests that are worked on, or whose answers have not left. */
  working: number;
  /** Requests that may begin, in this order; each is in here until it does. */
  readonly waiting: Set<() => void>;
}

/** Reads no more from a connection on which many answers wait for the client. node:http reads on when one of them has left. */
export function restrain(seat: Seat | undefined): void {
  if (seat !== undefined && seat.requests > FEW_WAITING) stopReading(seat.socket);
}

export function pipelineStage(): Stage {
  const lines = new WeakMap<Seat, Line>(); // goes with its connection, and what waits with it
  return {
    name: "pipeline",
    covers: "application",
    admit({ seat, req: { socket }, res }: Exchange): Verdict {
      if (seat === undefined) return undefined;
      const line = lines.get(seat) ?? { working: 0, waiting: new Set() };
      if (line.working === 0) lines.set(seat, line);
      const begin = (): undefined => {
        line.working += 1;
        res.once("close", () => {
          line.working -= 1;
          const [next] = line.waiting;
          if (line.working < AT_ONCE) next?.();
        });
      };
      const isNext = res.socket !== null;
      if (isNext || line.working < AT_ONCE) return begin();
      return new Promise((resolve) => {
        const leave = (): boolean => line.waiting.delete(admit);
        const admit = (): void => {
          if (!leave()) return;
          if (line.waiting.size < FEW_WAITING) readOn(socket);
          resolve(begin());
        };
        if (line.waiting.size >= FEW_WAITING) stopReading(socket);
        line.waiting.add(admit);
        res.once("socket", admit);
        res.once("close", leave);
      });
    },
  };
}
