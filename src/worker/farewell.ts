import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { Instant } from "../base/units.ts";
import { OutgoingFrames } from "./frames.ts";

/** RFC 6455: FIN and opcode 8 (close), unmasked, two bytes: 1001, "going away". */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** How a WebSocket ends when its worker drains. */
export interface Farewell {
  /** Says 1001: now, or as soon as the frame that is half sent has ended. Not where the application has said goodbye itself. */
  say(): void;
  /** When a close frame was sent, by us or by the application; or the upgrade was refused and there is nothing to say. */
  readonly saidAt: Instant | undefined;
}

type Write = (chunk: Uint8Array | string, ...rest: unknown[]) => boolean;

/**
 * Follows what the application writes on a connection that it upgrades to a WebSocket. Once we have said goodbye, what it still
 * writes is dropped, its own close frame included: nothing may follow the first one (RFC 6455 §5.5.1).
 */
export function followWebSocket(socket: Socket, clock: Clock): Farewell {
  const frames = new OutgoingFrames();
  const write = socket.write as Write;
  let wanted = false;
  let ours = false;
  let saidAt: Instant | undefined;

  const sayIfWanted = (): void => {
    if (frames.closed || frames.refused) saidAt ??= clock.now();
    if (!wanted || saidAt !== undefined || !frames.between || !socket.writable) return;
    ours = true;
    saidAt = clock.now();
    Reflect.apply(write, socket, [GOING_AWAY]);
  };
  const followed: Write = (chunk, ...rest) => {
    if (ours) return dropped(rest);
    frames.take(bytesOf(chunk, rest[0]));
    const more = Reflect.apply(write, socket, [chunk, ...rest]);
    sayIfWanted();
    return more;
  };
  socket.write = followed;
  return {
    say() {
      wanted = true;
      sayIfWanted();
    },
    get saidAt() {
      return saidAt;
    },
  };
}

/** Whoever waits for its bytes to be written goes on: a library ends the connection then. */
function dropped(rest: readonly unknown[]): boolean {
  const done = rest.find((argument) => typeof argument === "function") as (() => void) | undefined;
  if (done !== undefined) process.nextTick(done);
  return true;
}

function bytesOf(chunk: Uint8Array | string, encoding: unknown): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
  // Anything else makes the socket's own write throw, as it would without us.
  return ArrayBuffer.isView(chunk) ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.alloc(0);
}
