import { connect, type Socket } from "node:net";
import { messageOf } from "../base/errors.ts";
import { encodeFrame, FrameReader, type Frame } from "../base/frames.ts";
import { seconds } from "../base/units.ts";
import type { FromBroker, FromClient } from "./wire.ts";
import { readFromBroker } from "./wire-from-broker.ts";

const HELLO_WITHIN = seconds(5);
/** What may wait to be read by the broker: more means that it does not read. */
const MOST_UNREAD = 4 * 1_048_576;

export interface Hearing {
  readonly hello: FromClient;
  readonly heard: (message: FromBroker, body: Uint8Array) => void;
  /** Called exactly once, whatever ends the connection. */
  readonly lost: (why: string) => void;
}

/** One socket from its hello to its end. */
export class Connection {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #hearing: Hearing;
  readonly #helloTimer: NodeJS.Timeout;
  #why = "it closed the connection";

  constructor(path: string, hearing: Hearing) {
    this.#hearing = hearing;
    this.#socket = connect({ path });
    this.#helloTimer = setTimeout(() => this.drop("it did not greet in time"), HELLO_WITHIN);
    this.#socket.on("connect", () => this.say(hearing.hello));
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("error", (e) => void (this.#why = messageOf(e)));
    this.#socket.on("close", () => {
      clearTimeout(this.#helloTimer);
      hearing.lost(this.#why);
    });
  }

  say(message: FromClient): void {
    if (this.#socket.writableLength > MOST_UNREAD) return this.drop("it does not read what it is told");
    this.#socket.write(Buffer.concat(encodeFrame(message)));
  }

  drop(why: string): void {
    this.#why = why;
    this.#socket.destroy();
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): void {
    let frames: readonly Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch (e) {
      return this.drop(`it sent no frame: ${messageOf(e)}`);
    }
    for (const frame of frames) {
      if (this.#socket.destroyed) return;
      const message = readFromBroker(frame.head);
      if (message === undefined) return this.drop("it sent something that is no message");
      if (message.type === "hello") clearTimeout(this.#helloTimer);
      this.#hearing.heard(message, frame.body);
    }
  }
}
