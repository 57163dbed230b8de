/** Lines out of bytes, and bounded: a file that is no log has lines of any length. */
const LINE_FEED = 10;
/** What is longer is shown in parts. */
export const LONGEST = 1_048_576;

export class Lines {
  #rest: Buffer = Buffer.alloc(0);

  /** The lines that these bytes end, without their line feed. */
  take(bytes: Buffer): string[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const lines: string[] = [];
    let from = 0;
    for (let end = all.indexOf(LINE_FEED); end >= 0; end = all.indexOf(LINE_FEED, from)) {
      lines.push(all.toString("utf8", from, end));
      from = end + 1;
    }
    this.#rest = Buffer.from(all.subarray(from));
    return this.#rest.length > LONGEST ? [...lines, ...this.rest()] : lines;
  }

  /** What has no line feed and will get none. */
  rest(): string[] {
    const { length } = this.#rest;
    const text = this.#rest.toString();
    this.#rest = Buffer.alloc(0);
    return length === 0 ? [] : [text];
  }
}
