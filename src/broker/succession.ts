/**
 * How the journal passes from one generation's broker to the next. A roll starts the new broker before it drains the old one, and the
 * new one is ready only with the journal open; so it asks for it:
 *
 *   new: succeed → old: takes no more writes, commits, closes the journal → yielded → new: opens it, is ready, takes over the socket
 *
 * The connection lasts as long as both do. If it ends before the old one is told to leave, the new one has failed, and the old one
 * opens the journal again. A broker that was killed answers nobody: the journal's lock went with it.
 */
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf, messageOf } from "../base/errors.ts";
import { encodeFrame, FrameReader } from "../base/frames.ts";
import type { Logger } from "../base/log.ts";
import { seconds, type Ms } from "../base/units.ts";
import { readFromBroker } from "../sheets/wire-from-broker.ts";

/** An old broker commits and ends the request that is under way; longer, and the journal's lock decides. */
const YIELDS_WITHIN = seconds(3);
const ABSENT: readonly unknown[] = ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"];

/** While the predecessor's socket is missing. */
const TRY_EVERY = 50;

/**
 * Asks the broker that serves at this socket, if there is one, for the journal.
 * @param absent how long to wait for a socket that is missing: a predecessor whose socket was removed makes it again.
 * @returns when it may be opened: a function that ends the connection, for the end of this process.
 */
export async function askForJournal(path: string, log: Logger, absent: Ms): Promise<() => void> {
  const end = performance.now() + absent;
  while (performance.now() < end && !existsSync(path)) await sleep(TRY_EVERY);
  return await ask(path, log);
}

/** Whether a broker answers at this socket: then this process is the successor of a roll, not a replacement. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on("connect", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false)); // no file, or nothing listens: there is nothing to fall back to
  });
}

function ask(path: string, log: Logger): Promise<() => void> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const reader = new FrameReader();
    const done = (): void => {
      clearTimeout(timer);
      resolve(() => socket.destroy());
    };
    const timer = setTimeout(() => {
      log.warn("the broker that is there does not give up the journal in time");
      done();
    }, YIELDS_WITHIN);
    socket.on("connect", () => void socket.write(Buffer.concat(encodeFrame({ type: "succeed" }))));
    socket.on("error", (e) => void (ABSENT.includes(errnoOf(e)) || log.warn(`the broker that is there can't be asked: ${messageOf(e)}`)));
    socket.on("close", done);
    socket.on("data", (chunk: Buffer) => {
      try {
        if (reader.push(chunk).some(({ head }) => readFromBroker(head)?.type === "yielded")) done();
      } catch (e) {
        socket.destroy(e instanceof Error ? e : new Error(messageOf(e)));
      }
    });
  });
}
