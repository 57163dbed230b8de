/**
 * Frames on the socket between a worker and the broker: a JSON head and, for snapshots, raw bytes.
 *
 *   u32 BE head length · u32 BE body length · head (UTF-8 JSON) · body
 */
const PREFIX = 8;
/** No frame may be larger: what claims to be is a broken or hostile peer. */
export const MAX_FRAME = 64 * 1_048_576;

export interface Frame {
  readonly head: unknown;
  readonly body: Uint8Array;
}

/** @returns the chunks to write, in order; the body is not copied. */
export function encodeFrame(head: unknown, body?: Uint8Array): Uint8Array[] {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.allocUnsafe(PREFIX);
  prefix.writeUInt32BE(text.length, 0);
  prefix.writeUInt32BE(body?.byteLength ?? 0, 4);
  return body === undefined || body.byteLength === 0 ? [prefix, text] : [prefix, text, body];
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #held = 0;
  readonly #most: number;

  /** @param most bytes of one frame: less than MAX_FRAME where the peer has nothing large to say. */
  constructor(most = MAX_FRAME) {
    this.#most = most;
  }

  /**
   * @returns the frames completed by this chunk.
   * @throws RangeError when a frame is over the limit, SyntaxError when a head is not JSON: close the connection.
   */
  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#held += chunk.byteLength;
    const frames: Frame[] = [];
    for (;;) {
      const frame = this.#next();
      if (frame === undefined) return frames;
      frames.push(frame);
    }
  }

  #next(): Frame | undefined {
    if (this.#held < PREFIX) return undefined;
    const first = this.#chunks[0];
    if (first !== undefined && first.byteLength < PREFIX) this.#chunks = [Buffer.concat(this.#chunks)];
    const prefix = Buffer.from((this.#chunks[0] as Uint8Array).buffer, (this.#chunks[0] as Uint8Array).byteOffset, PREFIX);
    const headLength = prefix.readUInt32BE(0);
    const bodyLength = prefix.readUInt32BE(4);
    const whole = PREFIX + headLength + bodyLength;
    if (whole > this.#most) throw new RangeError(`a frame of ${whole} bytes is over the limit of ${this.#most}`);
    if (this.#held < whole) return undefined;
    const all =
      this.#chunks.length === 1
        ? Buffer.from(
            (this.#chunks[0] as Uint8Array).buffer,
            (this.#chunks[0] as Uint8Array).byteOffset,
            (this.#chunks[0] as Uint8Array).byteLength,
          )
        : Buffer.concat(this.#chunks);
    this.#chunks = all.byteLength > whole ? [all.subarray(whole)] : [];
    this.#held -= whole;
    return { head: JSON.parse(all.toString("utf8", PREFIX, PREFIX + headLength)), body: all.subarray(PREFIX + headLength, whole) };
  }
}
