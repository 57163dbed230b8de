/** Where a frame ends in what an application writes, and how a goodbye gets between two of them. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { systemClock } from "../../src/base/clock.ts";
import { followWebSocket } from "../../src/worker/farewell.ts";
import { OutgoingFrames } from "../../src/worker/frames.ts";

const HEAD = Buffer.from("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
const GOODBYE = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

function frame(opcode: number, length: number, masked = false): Buffer {
  const size = length < 126 ? Buffer.from([length]) : length < 65_536 ? Buffer.alloc(3, 126) : Buffer.alloc(9, 127);
  if (size.length === 3) size.writeUInt16BE(length, 1);
  if (size.length === 9) size.writeBigUInt64BE(BigInt(length), 1);
  if (masked) size[0] = (size[0] ?? 0) | 0x80;
  return Buffer.concat([Buffer.from([0x80 | opcode]), size, Buffer.alloc(masked ? 4 : 0, 7), Buffer.alloc(length, 0x88)]);
}

/** Cuts bytes into pieces of the given sizes, over and over. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

const frames = fc.array(
  fc
    .record({
      opcode: fc.constantFrom(0, 1, 2, 9, 10),
      length: fc.constantFrom(0, 1, 125, 126, 127, 300, 65_535, 65_536),
      masked: fc.boolean(),
    })
    .map(({ opcode, length, masked }) => frame(opcode, length, masked)),
  { minLength: 1, maxLength: 6 },
);
const sizes = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 4 });

test("it is between frames exactly where a frame has ended, however the bytes are cut", () => {
  fc.assert(
    fc.property(frames, sizes, (sent, cuts) => {
      const ends = new Set(sent.map((_, i) => HEAD.length + Buffer.concat(sent.slice(0, i)).length));
      const whole = Buffer.concat([HEAD, ...sent]);
      ends.add(whole.length);
      const followed = new OutgoingFrames();
      let at = 0;
      for (const piece of pieces(whole, cuts)) {
        followed.take(piece);
        at += piece.length;
        assert.equal(followed.between, ends.has(at), `at ${at} of ${whole.length}`);
      }
      assert.equal(followed.closed, false);
    }),
    { numRuns: 200 },
  );
});

test("a close frame is seen; a refusal is no WebSocket; a head without an end is none either", () => {
  const closed = new OutgoingFrames();
  for (const byte of Buffer.concat([HEAD, frame(1, 3), GOODBYE])) closed.take(Buffer.from([byte]));
  assert.deepEqual([closed.closed, closed.between, closed.refused], [true, true, false]);
  const refused = new OutgoingFrames();
  refused.take(Buffer.from("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"));
  assert.deepEqual([refused.refused, refused.between], [true, false]);
  const endless = new OutgoingFrames();
  endless.take(Buffer.alloc(70_000, "x"));
  assert.equal(endless.refused, true);
});

interface Sent {
  readonly socket: Socket;
  bytes(): Buffer;
}

function fakeSocket(): Sent {
  const chunks: Buffer[] = [];
  const write = (chunk: Uint8Array | string, encoding?: unknown, done?: () => void): boolean => {
    chunks.push(typeof chunk === "string" ? Buffer.from(chunk, encoding as BufferEncoding) : Buffer.from(chunk));
    done?.();
    return true;
  };
  return { socket: { write, writable: true } as unknown as Socket, bytes: () => Buffer.concat(chunks) };
}

test("the goodbye waits for the end of a frame, once; what follows is dropped, and whoever waits for it goes on", async () => {
  const { socket, bytes } = fakeSocket();
  const farewell = followWebSocket(socket, systemClock);
  farewell.say(); // during the handshake
  const long = frame(2, 1_000);
  socket.write(HEAD.toString("latin1"), "latin1");
  assert.deepEqual(bytes(), Buffer.concat([HEAD, GOODBYE]));
  const late = fakeSocket();
  const other = followWebSocket(late.socket, systemClock);
  late.socket.write(HEAD);
  late.socket.write(long.subarray(0, 10));
  other.say();
  other.say();
  assert.equal(other.saidAt, undefined);
  late.socket.write(long.subarray(10));
  assert.deepEqual(late.bytes(), Buffer.concat([HEAD, long, GOODBYE]));
  assert.notEqual(other.saidAt, undefined);
  await new Promise<void>((resolve) => void late.socket.write(frame(1, 5), () => resolve()));
  assert.deepEqual(late.bytes(), Buffer.concat([HEAD, long, GOODBYE]));
});

test("an application that has said goodbye itself is not spoken over", () => {
  const { socket, bytes } = fakeSocket();
  const farewell = followWebSocket(socket, systemClock);
  const own = Buffer.concat([HEAD, Buffer.from([0x88, 0x02, 0x03, 0xe8])]);
  socket.write(own);
  farewell.say();
  assert.deepEqual(bytes(), own);
  assert.notEqual(farewell.saidAt, undefined);
});
