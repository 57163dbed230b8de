/** The broker's socket: who connects is a worker, and workers run application code, so what they say is input. */
import { chmodSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { LRUCache } from "lru-cache";
import { DroverError, messageOf } from "../base/errors.ts";
import { FrameReader, type Frame } from "../base/frames.ts";
import { impossible } from "../base/never.ts";
import type { Logger } from "../base/log.ts";
import { seconds } from "../base/units.ts";
import type { BrokerPort } from "../sheets/direct-transport.ts";
import type { Unavailable } from "../sheets/types.ts";
import { MOST_FROM_CLIENT, PROTOCOL, readFromClient, type FromClient } from "../sheets/wire.ts";
import { Outbox } from "./outbox.ts";

/** sun_path without its terminating zero. */
const LONGEST_PATH = 107;
const MOST_CLIENTS = 1_024;
/** Calls of one client under way. A worker joins its own, so that it never has more than there are tables. */
const MOST_CALLS = 1_000;
const ANSWERS_KEPT = 1_000;
const HELLO_WITHIN = seconds(5);

type Call = Extract<FromClient, { type: "call" }>;

/** Calls by id, answered once: a repeated one, from whichever connection, gets the same answer. */
class Calls {
  readonly #broker: BrokerPort;
  readonly #answers = new LRUCache<string, Promise<Unavailable | undefined>>({ max: ANSWERS_KEPT });
  constructor(broker: BrokerPort) {
    this.#broker = broker;
  }
  answer({ id, params }: Call): Promise<Unavailable | undefined> {
    const known = this.#answers.get(id);
    if (known !== undefined) return known;
    const answer = this.#broker.want(params.table);
    this.#answers.set(id, answer);
    return answer;
  }
}

interface Serving {
  readonly broker: BrokerPort;
  readonly calls: Calls;
  readonly log: Logger;
}

/** One connection, from its hello to its end. */
class Client {
  readonly #serving: Serving;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #reader = new FrameReader(MOST_FROM_CLIENT);
  readonly #helloTimer: NodeJS.Timeout;
  #leave: (() => void) | undefined;
  #underWay = 0;

  constructor(socket: Socket, serving: Serving) {
    this.#socket = socket;
    this.#serving = serving;
    this.#outbox = new Outbox(socket, (table) => serving.broker.peek(table));
    this.#helloTimer = setTimeout(() => this.#drop("it did not greet in time"), HELLO_WITHIN);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (e) => serving.log.debug(`a worker's connection failed: ${messageOf(e)}`));
    socket.on("close", () => {
      clearTimeout(this.#helloTimer);
      this.#leave?.();
    });
  }

  #drop(why: string): void {
    this.#serving.log.warn(`a worker's connection is closed: ${why}`);
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): void {
    let frames: readonly Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch (e) {
      return this.#drop(`it sent no frame: ${messageOf(e)}`);
    }
    for (const { head } of frames) {
      const message = readFromClient(head);
      if (message === undefined) return this.#drop("it sent something that is no message");
      if ((message.type === "hello") === (this.#leave !== undefined))
        return this.#drop("its first message, and no other, is to be a hello");
      this.#heard(message);
      if (this.#socket.destroyed) return;
    }
  }

  #heard(message: FromClient): void {
    switch (message.type) {
      case "hello":
        return this.#greet(message);
      case "touch":
        return this.#serving.broker.touch(message.tables);
      case "call":
        return void this.#answer(message);
      default:
        return impossible(message);
    }
  }

  #greet({ protocol, held, feed }: Extract<FromClient, { type: "hello" }>): void {
    clearTimeout(this.#helloTimer);
    this.#leave = () => {};
    if (protocol !== PROTOCOL) {
      this.#outbox.say({ type: "refused", message: `this broker speaks protocol ${PROTOCOL}, the worker ${protocol}` });
      return void this.#socket.end();
    }
    const outbox = this.#outbox;
    outbox.say({ type: "hello", protocol: PROTOCOL });
    const has = new Map(Object.entries(held));
    const unsubscribe = this.#serving.broker.subscribe({
      snapshot: (head) => (has.get(head.table) === head.hash ? outbox.say({ type: "renewed", head }) : outbox.sendRows(head.table)),
      renewed: (head) => outbox.say({ type: "renewed", head }),
      failed: (why) => outbox.say({ type: "failed", why }),
      tables: (tables) => outbox.say({ type: "tables", tables }),
    });
    has.clear(); // what comes later is new
    const unfollow =
      feed === undefined
        ? undefined
        : this.#serving.broker.follow(feed ?? undefined, (changes) => outbox.say({ type: "changes", ...changes }));
    this.#leave = () => {
      unsubscribe();
      unfollow?.();
    };
  }

  async #answer(call: Call): Promise<void> {
    if (this.#underWay >= MOST_CALLS) return this.#drop(`it has ${MOST_CALLS} calls under way`);
    this.#underWay += 1;
    const { table, held } = call.params;
    const why = await this.#serving.calls.answer(call);
    this.#underWay -= 1;
    if (this.#socket.destroyed) return;
    const rows = this.#serving.broker.peek(table);
    if (why === undefined && rows !== undefined && rows.head.hash !== held) this.#outbox.sendRows(table);
    this.#outbox.say(why === undefined ? { type: "reply", id: call.id } : { type: "reply", id: call.id, why });
  }
}

export interface RpcServer {
  /** Puts this server where workers look for the broker: whoever was there gets no new connections. One rename, no gap. */
  takeOver(): void;
  /** How many workers are connected. */
  connections(): number;
  /** Ends every connection: workers connect again, to whoever is there by then. */
  close(): void;
}

/** In a cluster's child `exclusive` keeps the socket in this process, and binding happens within the call, so that the mask covers it. */
function listenPrivately(server: Server, path: string): void {
  const mask = process.umask(0o077);
  try {
    server.listen({ path, exclusive: true });
    chmodSync(path, 0o600);
  } finally {
    process.umask(mask);
  }
}

/**
 * Serves a broker on a unix socket (0600), at first under a name of its own in the same directory.
 * @param path where workers will look, at most 107 bytes. @throws DroverError DROVER_E_BOOT.
 */
export function serveBroker(broker: BrokerPort, path: string, log: Logger): RpcServer {
  const own = join(dirname(path), `.b${process.pid.toString(36)}${Date.now().toString(36).slice(-4)}`);
  for (const name of [path, own])
    if (Buffer.byteLength(name) > LONGEST_PATH)
      throw new DroverError(
        "DROVER_E_BOOT",
        `the broker's socket ${name} is over ${LONGEST_PATH} bytes: set DROVER_RUN_DIR to a shorter path`,
      );
  const serving: Serving = { broker, calls: new Calls(broker), log };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void new Client(socket, serving);
  });
  server.maxConnections = MOST_CLIENTS;
  server.on("error", (e) => log.error(`the broker's socket failed: ${messageOf(e)}`));
  try {
    listenPrivately(server, own);
  } catch (e) {
    throw new DroverError("DROVER_E_BOOT", `can't listen on the broker's socket ${own}: ${messageOf(e)}`);
  }
  return {
    takeOver: () => renameSync(own, path),
    connections: () => sockets.size,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      rmSync(own, { force: true });
    },
  };
}
