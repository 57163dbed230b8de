/** "HTTP/1.1 101": what a server answers when it does change the protocol. */
const SWITCHED = /^HTTP\/1\.[01] 101 /;
const END_OF_HEAD = "\r\n\r\n";
/** A longer head than this is no handshake. */
const LONGEST_HEAD = 65_536;
/** RFC 6455 §5.2: two bytes, a length of eight, a mask of four. */
const LONGEST_HEADER = 14;
const CLOSE = 8;

/**
 * Follows what a server sends on a connection that may have become a WebSocket, as far as it must to know where a frame ends:
 * the head of the 101, then the frames' headers (RFC 6455 §5.2). A library writes whole frames, but a proxy passes on whatever
 * piece has come. Payloads are skipped, not looked at.
 */
export class OutgoingFrames {
  #is: "head" | "frames" | "other" = "head";
  #head = "";
  readonly #header = Buffer.alloc(LONGEST_HEADER);
  #collected = 0;
  /** Bytes of the present frame's payload that are still to come. */
  #left = 0;
  #closed = false;

  /** The handshake is done and no frame is half sent: here a control frame may stand, even inside a fragmented message (§5.4). */
  get between(): boolean {
    return this.#is === "frames" && this.#left === 0 && this.#collected === 0;
  }

  /** A close frame has been sent: nothing may follow it (§5.5.1). */
  get closed(): boolean {
    return this.#closed;
  }

  /** The upgrade was refused: this is no WebSocket. */
  get refused(): boolean {
    return this.#is === "other";
  }

  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) at = this.#step(bytes, at);
  }

  /** @returns how far it came. */
  #step(bytes: Buffer, at: number): number {
    if (this.#is === "other") return bytes.length;
    if (this.#is === "head") return this.#takeHead(bytes);
    if (this.#left > 0) {
      const skipped = Math.min(this.#left, bytes.length - at);
      this.#left -= skipped;
      return at + skipped;
    }
    this.#header[this.#collected] = bytes[at] ?? 0;
    this.#collected += 1;
    if (this.#collected >= 2 && this.#collected === this.#headerSize()) this.#beginFrame();
    return at + 1;
  }

  #takeHead(bytes: Buffer): number {
    const before = this.#head.length;
    this.#head += bytes.toString("latin1", 0, LONGEST_HEAD + 1);
    const end = this.#head.indexOf(END_OF_HEAD);
    if (end < 0) {
      if (this.#head.length > LONGEST_HEAD) this.#is = "other";
      return bytes.length;
    }
    this.#is = SWITCHED.test(this.#head) ? "frames" : "other";
    this.#head = "";
    return end + END_OF_HEAD.length - before;
  }

  #headerSize(): number {
    const second = this.#header[1] ?? 0;
    const length = second & 0x7f;
    return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + ((second & 0x80) === 0 ? 0 : 4);
  }

  #beginFrame(): void {
    const length = (this.#header[1] ?? 0) & 0x7f;
    this.#left = length === 127 ? Number(this.#header.readBigUInt64BE(2)) : length === 126 ? this.#header.readUInt16BE(2) : length;
    this.#collected = 0;
    if (((this.#header[0] ?? 0) & 0x0f) === CLOSE) this.#closed = true;
  }
}
