/** Which clients are cut off while too many bytes wait for all of them. */
import type { Socket } from "node:net";
import { addressKey } from "../base/addresskey.ts";
import { leftSocket } from "../base/sendqueue.ts";
import { between, ms, type Instant } from "../base/units.ts";
import type { Seat } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import type { Unread } from "./unread.ts";

/** Bytes a second: a client that receives less of its answer is slow. */
const SLOW = 65_536;
/** The rate is known after so long. */
const SAMPLE = ms(500);

/** One connection for which bytes wait, with its answers: those that are queued behind the first count, too. */
export interface Reader {
  readonly first: Exchange;
  readonly exchanges: readonly Exchange[];
  readonly slow: boolean;
}

export interface Sight {
  readonly now: Instant;
  queueOf(socket: Socket): number | undefined;
}

/** The readers, in the order in which they are cut off: those of the address for which most waits, and of these the one for which most waits. */
export function readersByWeight(exchanges: Iterable<Exchange>, unread: Unread, sight: Sight): Reader[] {
  const bySeat = new Map<Seat | Exchange, [Exchange, ...Exchange[]]>();
  for (const exchange of exchanges) {
    if (exchange.timedOut || exchange.stream || exchange.res.writableLength === 0) continue;
    const { seat = exchange } = exchange;
    const known = bySeat.get(seat);
    if (known === undefined) bySeat.set(seat, [exchange]);
    else known.push(exchange);
  }
  const totals = new Map<string, number>();
  const found = [...bySeat.values()].map((all) => {
    const first = all.find(({ res }) => res.socket !== null) ?? all[0];
    const bytes = all.reduce((sum, exchange) => sum + unread.weight(exchange), 0);
    const address = addressKey(first.client());
    totals.set(address, (totals.get(address) ?? 0) + bytes);
    return { first, exchanges: all, slow: isSlow(first, sight), bytes, address };
  });
  const total = (address: string): number => totals.get(address) ?? 0;
  return found.sort((a, b) => total(b.address) - total(a.address) || b.bytes - a.bytes);
}

/** Judges by what the client has acknowledged since the first look at this answer. */
function isSlow(exchange: Exchange, { now, queueOf }: Sight): boolean {
  const { socket } = exchange.res;
  if (socket === null) return false;
  const received = leftSocket(socket) - (queueOf(socket) ?? 0);
  exchange.seen ??= { at: now, received };
  const { seen } = exchange;
  const elapsed = between(seen.at, now);
  return elapsed >= SAMPLE && (received - seen.received) * 1_000 < SLOW * elapsed;
}
