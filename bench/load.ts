/**
 * A small closed-model load generator over raw sockets: it costs so little that it does not blur what it measures.
 * Loopback only, bounded in requests.
 */
import net from "node:net";

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly requests: number;
  /** false: a connection for every request, closed by the client's wish. */
  readonly keepAlive: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers other than 200 are counted with the errors; else the first of them ends the measurement. */
  readonly countsRefusals?: boolean;
}

export interface LoadResult {
  readonly done: number;
  readonly errors: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** One connection's reader: says when a whole answer has come, by Content-Length. */
class Answer {
  #head = "";
  #left = -1;
  readonly #refused: (head: string) => void;

  constructor(refused: (head: string) => void) {
    this.#refused = refused;
  }
  /** @returns true when this chunk ends the answer. */
  take(chunk: Buffer): boolean {
    if (this.#left < 0) {
      this.#head += chunk.toString("latin1");
      const end = this.#head.indexOf("\r\n\r\n");
      if (end < 0) return false;
      if (!this.#head.startsWith("HTTP/1.1 200")) this.#refused(this.#head);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1] ?? 0);
      this.#left = length - (this.#head.length - end - 4);
    } else this.#left -= chunk.length;
    if (this.#left > 0) return false;
    this.#head = "";
    this.#left = -1;
    return true;
  }
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const { port, path, connections, requests, keepAlive } = options;
  const extra = Object.entries(options.headers ?? {})
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${extra}${keepAlive ? "" : "Connection: close\r\n"}\r\n`);
  const times = new Float64Array(requests);
  let started = 0;
  let done = 0;
  let errors = 0;
  const begin = performance.now();

  const refused = (head: string): void => {
    if (options.countsRefusals !== true) throw new Error(head.slice(0, 80));
    errors += 1;
  };
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
      const answer = new Answer(refused);
      let sent = performance.now();
      let open = true;
      const finish = (failed: boolean): void => {
        if (!open) return;
        open = false;
        if (failed) errors += 1;
        socket.destroy();
        resolve();
      };
      const send = (): void => {
        if (started >= requests) return finish(false);
        started += 1;
        sent = performance.now();
        socket.write(request);
      };
      socket.on("connect", send);
      socket.on("error", () => finish(true));
      socket.on("close", () => finish(true));
      socket.on("data", (chunk: Buffer) => {
        if (!answer.take(chunk)) return;
        times[done] = performance.now() - sent;
        done += 1;
        if (keepAlive) send();
        else finish(false);
      });
    });

  const more = (): boolean => started < requests;
  const lane = async (): Promise<void> => {
    while (more()) await one();
  };
  await Promise.all(Array.from({ length: connections }, keepAlive ? one : lane));
  const sorted = times.subarray(0, done).toSorted();
  const at = (q: number): number => sorted[Math.min(done - 1, Math.floor(q * done))] ?? Number.NaN;
  return { done, errors, seconds: (performance.now() - begin) / 1_000, p50: at(0.5), p99: at(0.99), max: at(1) };
}
