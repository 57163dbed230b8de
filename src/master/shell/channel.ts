/**
 * The master's end of a child's IPC channel, proof against what stands on it. A worker runs application code, which has the
 * other end as its descriptor 3: Node parses what arrives inside the master, and throws where nobody could catch it, on a line
 * that is no JSON, an acknowledgement that nobody awaits, a `queryServer` of node:cluster that makes no sense. One such line
 * must cost one worker, not the service.
 */
import type { ChildProcess } from "node:child_process";
import { messageOf } from "../../base/errors.ts";

/** A beat has a few kilobytes, the longest death message 64 KiB; what an application sends itself we still have to read. */
export const LONGEST_MESSAGE = 4 * 1_048_576;

interface ReadingPipe {
  onread: (this: unknown, data: ArrayBuffer | undefined) => void;
}

/**
 * The pipe below a ChildProcess's channel: private to Node, found by its symbol's name. test/master/shell/channel.test.ts proves
 * that it is there.
 */
export function channelPipe(child: ChildProcess): ReadingPipe | undefined {
  const key = Object.getOwnPropertySymbols(child).find((symbol) => symbol.description === "kChannelHandle");
  const pipe = key === undefined ? undefined : (child as unknown as Record<symbol, unknown>)[key];
  return typeof (pipe as Partial<ReadingPipe> | undefined)?.onread === "function" ? (pipe as ReadingPipe) : undefined;
}

/**
 * Call it in the turn of the fork, before anything is read.
 * @param broken told once, when the channel can't be trusted any more. Nothing is read from it from then on.
 */
export function guardChannel(child: ChildProcess, broken: (why: string) => void): void {
  let sound = true;
  const fail = (why: string): void => {
    if (!sound) return;
    sound = false;
    broken(why);
  };
  guardReading(child, () => sound, fail);
  const emit = child.emit.bind(child) as (event: string | symbol, ...args: unknown[]) => boolean;
  child.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== "internalMessage") return emit(event, ...args);
    if (isBadQuery(args[0])) {
      fail("it asks node:cluster for a socket at an address that is none");
      return false;
    }
    try {
      return sound && emit(event, ...args);
    } catch (error) {
      fail(`a message to Node.js itself was refused: ${messageOf(error)}`);
      return false;
    }
  };
}

/** node:cluster would bind whatever such a `queryServer` means, and keep it. */
function isBadQuery(message: unknown): boolean {
  const { act, address, port } = (message ?? {}) as { act?: unknown; address?: unknown; port?: unknown };
  if (act !== "queryServer") return false;
  return typeof (address ?? "") !== "string" || typeof (port ?? 0) !== "number";
}

function guardReading(child: ChildProcess, sound: () => boolean, fail: (why: string) => void): void {
  const pipe = channelPipe(child);
  if (pipe === undefined) return;
  const read = pipe.onread;
  let unfinished = 0;
  pipe.onread = function (data) {
    if (data !== undefined) {
      if (!sound()) return;
      const end = new Uint8Array(data).lastIndexOf(0x0a);
      unfinished = end < 0 ? unfinished + data.byteLength : data.byteLength - end - 1;
      if (unfinished > LONGEST_MESSAGE) return fail(`a message is longer than ${LONGEST_MESSAGE} bytes`);
    }
    try {
      Reflect.apply(read, this, [data]);
    } catch (error) {
      fail(`what it sent is no message: ${messageOf(error)}`);
    }
  };
}
