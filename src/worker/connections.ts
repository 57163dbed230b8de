import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { between, type Instant, type Ms } from "../base/units.ts";
import type { Farewell } from "./farewell.ts";

/** One accepted connection. */
export interface Seat {
  /** What it is read and written by; of an encrypted one that is not the accepted socket, once the handshake is over. */
  socket: Socket;
  /** Before the handshake of an encrypted one. */
  readonly acceptedAt: Instant;
  /** Requests of it that are being answered. */
  requests: number;
  /** Bytes read when its latest request was parsed, and its requests in this turn of the loop, if there are several: see bursts.ts. */
  readAt: number;
  inTurn: number;
  /** It left HTTP by an Upgrade to this protocol; it is no longer ours to judge. */
  upgraded: string | undefined;
  /** It is a WebSocket: how it is told that we go. */
  farewell: Farewell | undefined;
  /** Bytes both ways at the last look, and since when they have not moved. */
  bytes: number;
  quietSince: Instant;
  /** Not a byte has come of it, as far as was looked. */
  silent: boolean;
  /** Bytes sent at the last look, and whether others have come since then: a head that trickles in moves bytes, but gets no answer. */
  sent: number;
  asking: boolean;
  /** Since the head began, or, if none has, since it was answered or accepted. */
  unansweredSince: Instant;
}

/** For how long a connection without a request is idle. */
export interface Idle {
  /** Without a byte. */
  readonly quiet: Ms;
  /** The same of one that has never sent any; as long as others if not said. */
  readonly silent?: Ms;
  /** Bytes move, but there is no answer to give; if not said, it is not idle however long that takes. */
  readonly trickling?: Ms;
}

/**
 * The connections of the worker's server. Whether one is idle is found out by looking (sample), never noted per request, so
 * that a request costs nothing here; what has not been looked at yet counts as busy.
 */
export class Connections {
  readonly #seats = new Map<Socket, Seat>();
  readonly #clock: Clock;
  readonly #gone: (seat: Seat) => void;

  /** One function for all sockets: a connection is made for every request of a client without keep-alive. */
  readonly #closed: (this: Socket) => void;

  /**
   * @param gone called once for each connection that closed or was closed.
   * @param own no code of the user's listens on the sockets. node:stream keeps a closed one reachable until V8's next full collection (a
   *   function of each is made in the old generation), and with it everything that ever listened: half of what a short connection leaves
   *   behind (ADR 26). Nothing follows `close`, and emit() calls those who listen from a list of its own.
   */
  constructor(clock: Clock, gone: (seat: Seat) => void, own = false) {
    this.#clock = clock;
    this.#gone = gone;
    const remove = (socket: Socket): void => {
      const seat = this.#seats.get(socket);
      if (seat !== undefined) this.#remove(seat);
    };
    this.#closed = function closed() {
      remove(this);
      if (own) this.removeAllListeners();
    };
  }

  get size(): number {
    return this.#seats.size;
  }

  [Symbol.iterator](): Iterator<Seat> {
    return this.#seats.values();
  }

  of(socket: Socket): Seat | undefined {
    return this.#seats.get(socket);
  }

  add(socket: Socket): Seat {
    const now = this.#clock.now();
    const seat: Seat = {
      socket,
      acceptedAt: now,
      requests: 0,
      readAt: 0,
      inTurn: 0,
      upgraded: undefined,
      farewell: undefined,
      bytes: 0,
      quietSince: now,
      silent: true,
      sent: 0,
      asking: false,
      unansweredSince: now,
    };
    this.#seats.set(socket, seat);
    socket.on("close", this.#closed);
    return seat;
  }

  /** The handshake is over: from now on the connection is read and written by `socket`. It keeps its seat. */
  secured(raw: Socket, socket: Socket): void {
    const seat = this.#seats.get(raw);
    if (seat === undefined) return void socket.destroy(); // closed meanwhile
    this.#seats.delete(raw);
    const now = this.#clock.now();
    const answered = { bytes: 0, sent: 0, silent: false, asking: false, quietSince: now, unansweredSince: now }; // bytes of the handshake don't count here
    Object.assign(seat, { socket, ...answered });
    this.#seats.set(socket, seat);
    socket.on("close", this.#closed);
  }

  /** Looks at every connection: one that moved bytes since the last look, or is in use, is quiet from now on. */
  sample(): void {
    const now = this.#clock.now();
    for (const seat of this.#seats.values()) {
      const sent = seat.socket.bytesWritten;
      const bytes = seat.socket.bytesRead + sent;
      const used = inUse(seat);
      if (bytes === seat.bytes && !used) continue;
      seat.bytes = bytes;
      seat.quietSince = now;
      seat.silent = false;
      const answered = sent !== seat.sent || used;
      if (answered || !seat.asking) seat.unansweredSince = now;
      seat.sent = sent;
      seat.asking = !answered;
    }
  }

  /** Connections that are idle by these measures, the longest unanswered first. Call sample() before. */
  idle({ quiet, silent = quiet, trickling }: Idle): Seat[] {
    const now = this.#clock.now();
    const found: Seat[] = [];
    for (const seat of this.#seats.values()) {
      if (inUse(seat)) continue;
      const still = between(seat.quietSince, now) >= (seat.silent ? silent : quiet);
      if (still || between(seat.unansweredSince, now) >= (trickling ?? Infinity)) found.push(seat);
    }
    return found.sort((a, b) => a.unansweredSince - b.unansweredSince);
  }

  /**
   * Closes connections that are still idle once the loop has read what had already arrived for them: a request that crossed
   * our decision is answered, not reset.
   * @param done told how many were closed.
   */
  closeIdle(seats: readonly Seat[], done: (closed: number) => void = () => {}): void {
    if (seats.length === 0) return done(0);
    setImmediate(() => {
      let closed = 0;
      for (const seat of seats) {
        if (inUse(seat) || seat.socket.bytesRead + seat.socket.bytesWritten !== seat.bytes) continue;
        seat.socket.destroy();
        this.#remove(seat);
        closed += 1;
      }
      done(closed);
    });
  }

  destroyAll(): void {
    for (const seat of this.#seats.values()) seat.socket.destroy();
  }

  #remove(seat: Seat): void {
    if (this.#seats.delete(seat.socket)) this.#gone(seat);
  }
}

/** Being answered, still sending, or no longer HTTP (Node takes the parser off an upgraded or CONNECTed socket). */
export function inUse(seat: Seat): boolean {
  const { parser } = seat.socket as { parser?: unknown };
  return seat.requests > 0 || seat.upgraded !== undefined || parser === null || seat.socket.writableLength > 0;
}
