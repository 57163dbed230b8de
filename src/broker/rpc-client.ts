/** One client of the broker's socket: a worker, the broker that takes over, or `drover backup`. What it says is input. */
import type { Socket } from "node:net";
import { messageOf } from "../base/errors.ts";
import { FrameReader, type Frame } from "../base/frames.ts";
import type { Logger } from "../base/log.ts";
import { impossible } from "../base/never.ts";
import { seconds } from "../base/units.ts";
import type { BrokerPort, Subscription } from "../sheets/direct-transport.ts";
import type { Changes } from "../sheets/events.ts";
import type { SnapshotHead } from "../sheets/types.ts";
import { MOST_FROM_CLIENT, PROTOCOL, type FromClient } from "../sheets/wire.ts";
import { UnavailableError } from "../sheets/unavailable.ts";
import { readFromClient } from "../sheets/wire-from-client.ts";
import { seatRpc, type SeatRpc, type SpentCalls } from "./ledger/seat.ts";
import { Outbox } from "./outbox.ts";
import type { CallOf, RpcCalls } from "./rpc-calls.ts";

/** Calls of one client under way. A worker joins its own, so that it never has more than there are tables. */
const MOST_CALLS = 1_000;
const HELLO_WITHIN = seconds(5);

/** What a broker leaves to the one that takes over. */
export interface Estate {
  /** Gives up the journal. @returns when another may open it. */
  yield(): Promise<void>;
  /** Whoever asked for the journal is gone: it is ours again, unless we go ourselves. */
  takeBack(): void;
  /** Copies the journal. @returns where the copy is. @throws when there is no open journal, or no room. */
  copy(): Promise<string>;
}

/** What all connections to one broker have in common. */
export interface Serving {
  readonly broker: BrokerPort;
  readonly calls: RpcCalls;
  readonly spent: SpentCalls;
  readonly log: Logger;
  readonly estate: Estate | undefined;
}

/** What a connection may begin with. */
const FIRST: readonly FromClient["type"][] = ["hello", "succeed", "copy"];

/** One connection, from its hello to its end. */
export class Client {
  readonly #serving: Serving;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #reader = new FrameReader(MOST_FROM_CLIENT);
  readonly #helloTimer: NodeJS.Timeout;
  #leave: (() => void) | undefined;
  #subscription: Subscription | undefined;
  #seat: SeatRpc | undefined;
  #underWay = 0;

  constructor(socket: Socket, serving: Serving) {
    this.#socket = socket;
    this.#serving = serving;
    this.#outbox = new Outbox(socket, serving.broker);
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
      if (FIRST.includes(message.type) === (this.#leave !== undefined))
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
      case "seen":
        return this.#saw(message);
      case "behind":
        this.#outbox.forget(message.table);
        return this.#outbox.sendRows(message.table);
      case "renew":
      case "refund":
      case "tally":
        return this.#seat?.heard(message);
      case "call":
        return void this.#answer(message);
      case "succeed":
        return void this.#succeed();
      case "copy":
        return void this.#copy();
      default:
        return impossible(message);
    }
  }

  #greet({ protocol, held: hashes, feed }: Extract<FromClient, { type: "hello" }>): void {
    clearTimeout(this.#helloTimer);
    this.#leave = () => {};
    if (protocol !== PROTOCOL) {
      this.#outbox.say({ type: "refused", message: `this broker speaks protocol ${PROTOCOL}, the worker ${protocol}` });
      return void this.#socket.end();
    }
    const outbox = this.#outbox;
    outbox.say({ type: "hello", protocol: PROTOCOL });
    const has = new Map(Object.entries(hashes));
    const held: SnapshotHead[] = [];
    const subscription = this.#serving.broker.subscribe({
      snapshot: (head) => {
        if (has.get(head.table) !== head.hash) return outbox.sendRows(head.table);
        outbox.say({ type: "renewed", head });
        outbox.has(head);
        held.push(head);
      },
      renewed: (head) => outbox.say({ type: "renewed", head }),
      failed: (why) => outbox.say({ type: "failed", why }),
      tables: (tables) => outbox.say({ type: "tables", tables }),
    });
    has.clear(); // what comes later is new
    this.#subscription = subscription;
    const tell = (changes: Changes): void => outbox.say({ type: "changes", ...changes });
    const unfollow = feed === undefined ? undefined : this.#serving.broker.follow(feed ?? undefined, tell);
    const seat = seatRpc(this.#serving.broker.ledger, this.#serving.spent, (message) => outbox.say(message));
    this.#seat = seat;
    this.#leave = () => {
      subscription.end();
      unfollow?.();
      seat.end();
    };
    for (const { table, version } of held.splice(0)) subscription.saw(table, version);
  }

  /** A worker says what it has of this broker's rows; those of another epoch are of no use to those who wait here. */
  #saw({ table, epoch, version }: Extract<FromClient, { type: "seen" }>): void {
    const known = this.#serving.broker.peek(table)?.head;
    if (known?.epoch === epoch && version <= known.version) this.#subscription?.saw(table, version);
  }

  /** A broker that takes over asks for the journal. */
  async #succeed(): Promise<void> {
    const { estate, log } = this.#serving;
    clearTimeout(this.#helloTimer);
    this.#leave = () => estate?.takeBack();
    log.info("another broker takes over: it gets the journal");
    await estate?.yield();
    if (!this.#socket.destroyed) this.#outbox.say({ type: "yielded" });
  }

  /** `drover backup` asks for a copy of the journal. */
  async #copy(): Promise<void> {
    const { estate, log } = this.#serving;
    clearTimeout(this.#helloTimer);
    this.#leave = () => {};
    try {
      if (estate === undefined) throw new Error("this broker keeps no journal");
      const path = await estate.copy();
      log.info({ path }, "the journal was copied for a backup");
      this.#outbox.say({ type: "copied", path });
    } catch (e) {
      this.#outbox.say({ type: "uncopied", why: messageOf(e) });
    }
  }

  async #answer(call: Extract<FromClient, { type: "call" }>): Promise<void> {
    if (this.#underWay >= MOST_CALLS) return this.#drop(`it has ${MOST_CALLS} calls under way`);
    this.#underWay += 1;
    try {
      await this.#reply(call);
    } catch (e) {
      this.#serving.log.error({ err: e }, `a worker's call failed, its connection is closed: ${messageOf(e)}`);
      this.#socket.destroy();
    }
    this.#underWay -= 1;
  }

  async #reply(call: Extract<FromClient, { type: "call" }>): Promise<void> {
    switch (call.method) {
      case "want":
        return this.#want(call);
      case "write":
        return this.#write(call);
      case "find":
        return this.#find(call);
      case "enter":
      case "leave":
      case "spend":
        return this.#seat?.answer(call);
      default:
        return impossible(call);
    }
  }

  async #write(call: CallOf<"write">): Promise<void> {
    const answer = await this.#serving.calls.write(call);
    this.#outbox.say({ type: "answer", id: call.id, answer });
  }

  async #find({ id, params }: CallOf<"find">): Promise<void> {
    try {
      const write = await this.#serving.broker.find(params.write);
      this.#outbox.say({ type: "found", id, ...(write === undefined ? {} : { write }) });
    } catch (e) {
      if (!(e instanceof UnavailableError)) throw e;
      this.#outbox.say({ type: "reply", id, why: e.why });
    }
  }

  async #want(call: CallOf<"want">): Promise<void> {
    const { table, held } = call.params;
    const before = this.#serving.broker.peek(table)?.head;
    const why = await this.#serving.calls.want(call);
    if (this.#socket.destroyed) return;
    const rows = this.#serving.broker.peek(table);
    if (held === undefined) this.#outbox.forget(table);
    if (why === undefined && rows !== undefined && rows.head.hash !== held) this.#outbox.sendRows(table);
    const waited = rows !== undefined && rows.head.checkedAt !== before?.checkedAt ? { waited: true as const } : {};
    this.#outbox.say({ type: "reply", id: call.id, ...(why === undefined ? waited : { why }) });
  }
}
