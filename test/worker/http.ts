/** A client that sees the bytes: tests must know what was really sent. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly head: string;
  readonly body: string;
}

export class Client {
  readonly socket: Socket;
  #buffer = "";
  closed = false;
  error: Error | undefined;
  #wake: () => void = () => {};

  /** @param localAddress to be told apart from others. */
  constructor(port: number, localAddress = "127.0.0.1") {
    this.socket = connect({ port, host: "127.0.0.1", localAddress });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.#buffer += text;
      this.#wake();
    });
    this.socket.on("error", (error) => (this.error = error));
    this.socket.on("close", () => {
      this.closed = true;
      this.#wake();
    });
  }

  get received(): string {
    return this.#buffer;
  }

  async until(met: () => boolean): Promise<void> {
    while (!met()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  write(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  get(target: string, headers: readonly string[] = [], method = "GET"): Promise<Raw> {
    this.write([`${method} ${target} HTTP/1.1`, "Host: t", ...headers, "", ""].join("\r\n"));
    return this.response(method === "HEAD");
  }

  /** The next whole response: by Content-Length, or up to the end of the connection. */
  async response(headOnly = false): Promise<Raw> {
    await this.until(() => this.#buffer.includes("\r\n\r\n") || this.closed);
    const cut = this.#buffer.indexOf("\r\n\r\n") + 4;
    if (cut < 4) throw new Error(`closed without an answer (${this.error?.message ?? "no error"}): ${this.#buffer}`);
    const head = this.#buffer.slice(0, cut);
    const [line = "", ...lines] = head.trimEnd().split("\r\n");
    const headers = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(":")).toLowerCase(), l.slice(l.indexOf(":") + 2)]));
    const status = Number(line.split(" ")[1]);
    if (!headOnly && headers["transfer-encoding"] === "chunked") return { status, headers, head, body: await this.#chunked(cut) };
    const bodyless = headOnly || status === 304 || status === 204;
    const length = bodyless ? 0 : Number(headers["content-length"] ?? Number.NaN);
    await this.until(() => this.closed || this.#buffer.length >= cut + length);
    const body = this.#buffer.slice(cut, Number.isNaN(length) ? undefined : cut + length);
    this.#buffer = this.#buffer.slice(cut + body.length);
    return { status, headers, head, body };
  }

  async #chunked(from: number): Promise<string> {
    await this.until(() => this.closed || this.#buffer.indexOf("0\r\n\r\n", from) >= 0);
    const end = this.#buffer.indexOf("0\r\n\r\n", from);
    const chunks = this.#buffer.slice(from, end).matchAll(/[0-9a-f]+\r\n([^]*?)\r\n(?=[0-9a-f]+\r\n|$)/g);
    this.#buffer = this.#buffer.slice(end + 5);
    return [...chunks].map(([, chunk]) => chunk).join("");
  }

  async end(): Promise<void> {
    if (this.closed) return;
    this.socket.destroy();
    await once(this.socket, "close");
  }
}
