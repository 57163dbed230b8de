import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Vitals } from "../base/beat.ts";
import type { Clock } from "../base/clock.ts";
import { isRawHandle, pause } from "../base/held.ts";
import type { Logger } from "../base/log.ts";
import type { ToChild } from "../base/protocol.ts";
import { between, type Ms } from "../base/units.ts";
import type { AccessLog } from "./access.ts";
import { limitBody } from "./bodylimit.ts";
import { Cap } from "./cap.ts";
import { boundBody } from "./closing.ts";
import { onClientError } from "./clienterror.ts";
import type { WorkerConfig } from "./config.ts";
import { Connections, type Seat } from "./connections.ts";
import { drain, type DrainParts, type Drained } from "./drain.ts";
import type { Exchange } from "./exchange.ts";
import type { Trust } from "./gate/address.ts";
import type { Handles } from "./handles.ts";
import { InFlight } from "./inflight.ts";
import { encrypt } from "./encrypt.ts";
import { deferInterim } from "./interim.ts";
import { Intake } from "./intake.ts";
import type { FurtherServers } from "./further-servers.ts";
import { refuseMalformed } from "./refusing.ts";
import { retuneServer } from "./limits.ts";
import { linger } from "./linger.ts";
import { observeRequests } from "./observe.ts";
import { Outcomes } from "./outcomes.ts";
import { Pace } from "./pace.ts";
import { notePeer } from "./peer.ts";
import { restrain } from "./gate/pipeline.ts";
import type { Written } from "./prepared.ts";
import type { Tally } from "./tally.ts";
import { Room } from "./room.ts";
import { BUILT_IN, FOREIGN, watchTimeouts } from "./timeouts.ts";
import { KEPT, Turnover } from "./turnover.ts";
import { watchUpgrades } from "./upgrades.ts";

export interface ServingParts {
  readonly handles: Handles;
  readonly further: FurtherServers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly trust: Trust;
  readonly access: AccessLog;
  readonly tally: Tally;
  /** Called for each request: see Beats. */
  alive(): void;
  /** The application closed its server by itself. */
  closed(): void;
  /** Tells the master how many connections have come to stay, whether the worker is at its cap, and whether many come and go. */
  holds(connections: number, full: boolean, churns: boolean): void;
}

type Share = Extract<ToChild, { type: "share" }>;

/** The one server that a worker serves with, whoever made it: its connections, requests, timeouts, cap and drain. */
export class Serving {
  readonly tally: Tally;
  readonly alive = (): void => this.#parts.alive();
  readonly outcomes: Outcomes;
  readonly connections: Connections;
  readonly inFlight: InFlight;
  readonly #intake = new Intake(() => this.#config.backlog);
  readonly #parts: ServingParts;
  readonly #cap: Cap;
  readonly #pace: Pace;
  readonly #room: Room;
  readonly #turnover: Turnover;
  #config: WorkerConfig;
  #server: Server | undefined;
  #draining = false;

  constructor(config: WorkerConfig, parts: ServingParts) {
    this.#config = config;
    this.#parts = parts;
    this.tally = parts.tally;
    this.outcomes = new Outcomes({ clock: parts.clock, tally: this.tally, trust: parts.trust, access: parts.access });
    const gone = (seat: Seat): void => {
      this.inFlight.dropped(seat);
      this.#room.left();
      this.#cap.left(seat);
      this.#turnover.left(between(seat.acceptedAt, parts.clock.now()) >= KEPT);
      this.#pace.left();
    };
    this.connections = new Connections(parts.clock, gone, config.app === null);
    this.inFlight = new InFlight(parts.clock, this.connections, (exchange) => this.outcomes.over(exchange));
    const intake = this.#intake;
    const tell = (full: boolean): void => parts.holds(this.#turnover.staying, full || this.#room.short, this.#turnover.churning);
    this.#cap = new Cap(config.connections, this.connections, intake.turnstile("cap"), tell);
    const size = (): number => this.connections.size;
    const staying = (): number => this.#turnover.staying;
    this.#pace = new Pace(staying, intake.turnstile("pace"));
    const told = (connections: number, churns: boolean): void => parts.holds(connections, this.#full, churns);
    this.#turnover = new Turnover(size, told, () => this.#pace.churns());
    const { further, log } = parts;
    this.#room = new Room({
      log,
      further,
      first: intake.turnstile("room"),
      unused: () => (further.size === 0 ? 0 : Math.max(0, this.#config.connections - this.connections.size)),
      changed: () => tell(this.#cap.full),
    });
    further.accepted = () => this.#room.accepted();
  }

  get #full(): boolean {
    return this.#cap.full || this.#room.short;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Makes `server` accept from the master's sockets. Its "listening" event follows.
   * @param observed the server is an application's own: its requests are watched from outside.
   * @throws Error when the kernel refuses to listen.
   */
  land(server: Server, observed: boolean): void {
    this.#server = server;
    this.#intake.land(server);
    const many = (socket: Socket): void => void (observed || socket.setMaxListeners(0)); // each of many pipelined requests may watch for its end (req.signal)
    const { tls, headersTimeout } = this.#config;
    if (tls !== null) {
      const secured = (raw: Socket, socket: Socket): void => (this.connections.secured(raw, socket), many(socket));
      encrypt(server, tls, { timeout: headersTimeout, log: this.#parts.log, secured });
    }
    server.on("connection", (socket) => {
      this.tally.counters.accepted += 1;
      notePeer(socket);
      this.connections.add(socket);
      many(socket);
      this.#room.accepted();
      this.#cap.accepted();
      this.#turnover.came();
      this.#pace.accepted();
    });
    // Accepting can fail (no descriptor left); nobody listening for that would end the process.
    server.on("error", (error) => this.#parts.log.error({ err: error }, "the server reports an error"));
    server.once("close", () => void (this.#draining || this.#parts.closed()));
    watchUpgrades(server, this.connections, this.#parts.clock);
    if (observed) observeRequests(server, (req, res) => this.#observed(req, res));
    if (observed && this.#config.strict) {
      const clientError = onClientError(this.tally, (turned) => this.outcomes.turned(turned));
      refuseMalformed(server, clientError, (res) => {
        const exchange = this.inFlight.of(res);
        if (exchange !== undefined) exchange.reason = "malformed";
      });
    }
    const { app, demo } = this.#config;
    const clients = app === null ? BUILT_IN : FOREIGN;
    watchTimeouts({ ...this.#parts, ...clients, demo, inFlight: this.inFlight, requestTimeout: () => this.#config.requestTimeout });
    if (!this.#draining) this.#parts.handles.attach(server, this.#config.backlog); // else: asked to go while it was loading
  }

  /** A listening socket of the master's. @returns false when there is none to use. @throws Error when the kernel refuses to listen. */
  lent(address: number, handle: unknown): boolean {
    if (this.#draining && this.#server !== undefined && isRawHandle(handle)) return (handle.close(), true);
    const taken = this.#parts.handles.take(address, handle);
    this.#intake.came();
    return taken;
  }

  /** What the master knows of the neighbours. */
  share({ connections, room, standby }: Share): void {
    this.#pace.share(connections, standby);
    this.#cap.share(room);
  }

  /** What only this process knows, for the beat. */
  vitals(): Vitals {
    return {
      inFlight: () => this.inFlight.size,
      connections: () => this.connections.size,
      full: () => (this.#room.look(), this.#full), // at each beat: files are opened without a request, too
      counters: () => ({ ...this.tally.counters }),
      latency: () => this.tally.latency.takeDelta(),
      counts: () => ({ ...this.tally.counts }),
      spans: () => ({ queue: this.tally.waits.takeDelta() }),
      requests: () => this.inFlight.oldest(),
      byClass: () => this.inFlight.byClass(),
    };
  }

  /** Applies live settings. @param own the server was made by the worker, so its limits are the worker's too. */
  retune(config: WorkerConfig, own: boolean): void {
    this.#config = config;
    this.#parts.access.retune(config.accessLog);
    this.#cap.retune(config.connections);
    if (own && this.#server !== undefined) retuneServer(this.#server, config);
  }

  /** A prepared answer was handed to the socket; most are over with that. */
  written(req: IncomingMessage, res: ServerResponse, written: Written): void {
    this.outcomes.prepared(req, res, written);
    const { socket } = res;
    if (socket !== null && socket.writableLength === 0) return;
    if (this.inFlight.of(res) === undefined) this.inFlight.begin(req, res).counted = true;
    restrain(this.connections.of(req.socket));
    this.inFlight.share(res, written.body);
  }

  /** A refusal was handed to the socket; most are over with that. */
  refused(exchange: Exchange): void {
    exchange.end();
    this.outcomes.over(exchange);
    const { socket } = exchange.res;
    if (socket !== null && socket.writableLength === 0) return;
    exchange.counted = true;
    this.inFlight.enter(exchange);
    restrain(exchange.seat);
  }

  /** From now on every answer closes its connection; accepts while connections rest that were there. @returns when none does. */
  linger(): Promise<void> {
    this.#draining = true;
    this.#pace.alone();
    return linger(this.#drainParts());
  }

  /**
   * Stops accepting, for good, and lets what is there end.
   * @param idle how long a connection may rest from now on, or, after linger(), have rested.
   * @returns when nothing is left, or `within` is over.
   */
  drain(within: Ms, idle?: Ms): Promise<Drained> {
    this.#draining = true;
    this.#cap.stop();
    this.#pace.stop();
    if (this.#server !== undefined) pause(this.#server);
    const parts = this.#drainParts();
    return drain(idle === undefined ? parts : { ...parts, drainIdle: idle, lingered: true }, within);
  }

  #drainParts(): DrainParts {
    return { connections: this.connections, inFlight: this.inFlight, clock: this.#parts.clock, drainIdle: this.#config.drainIdle };
  }

  #observed(req: IncomingMessage, res: ServerResponse): void {
    this.alive();
    if (this.#draining) res.shouldKeepAlive = false;
    this.#room.stirred();
    if ((req.socket as { _httpMessage?: unknown })._httpMessage) deferInterim(res);
    boundBody(req, res, false);
    limitBody(this.inFlight.begin(req, res), this.#config.bodyLimit);
  }
}
