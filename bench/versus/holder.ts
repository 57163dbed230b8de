/**
 * Holds connections from one source address and asks now and then on one of them. A program of its own, because a process may only
 * have so many files open: `holder.ts '{"port":…,"path":…,"from":"127.0.0.2","connections":4000}'`. Lines on stdin: "ask SECONDS RATE", "end".
 */
import net from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const { port, path, from, connections } = JSON.parse(process.argv[2] ?? "{}") as {
  port: number;
  path: string;
  from: string;
  connections: number;
};
const REQUEST = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
/** So many handshakes at once. */
const OPENING = 64;

class Connection {
  readonly #socket: net.Socket;
  #answer: ((good: boolean) => void) | undefined;
  #left = -1;
  #head = "";

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#answer?.(false));
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.readable;
  }

  get busy(): boolean {
    return this.#answer !== undefined;
  }

  /** @returns whether a whole 200 came. */
  async ask(): Promise<boolean> {
    if (!this.open) return false;
    const answered = new Promise<boolean>((resolve) => (this.#answer = resolve));
    this.#socket.write(REQUEST);
    const good = await answered;
    this.#answer = undefined;
    return good;
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#left < 0) {
      this.#head += chunk.toString("latin1");
      const end = this.#head.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#left = Number(/\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1] ?? 0) - (this.#head.length - end - 4);
    } else this.#left -= chunk.length;
    if (this.#left > 0) return;
    const good = this.#head.startsWith("HTTP/1.1 200");
    this.#head = "";
    this.#left = -1;
    this.#answer?.(good);
  }
}

function connect(): Promise<Connection | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1", localAddress: from });
    socket.once("connect", () => resolve(new Connection(socket)));
    socket.once("error", () => resolve(undefined));
  });
}

const held: Connection[] = [];
let tried = 0;
const opener = async (): Promise<void> => {
  while (tried < connections) {
    tried += 1;
    const one = await connect();
    // A connection that only hangs in the kernel's queue is not held by the server: each is asked once.
    if (one !== undefined && (await one.ask())) held.push(one);
    else one?.end();
  }
};

const byLot = (): Connection | undefined => held[Math.floor(Math.random() * held.length)];

/** Requests at a rate, each on a connection drawn by lot, counted from when they were due. */
async function ask(seconds: number, rate: number): Promise<void> {
  const times: number[] = [];
  let errors = 0;
  const pending: Promise<void>[] = [];
  const begin = performance.now();
  for (let nr = 0; nr < seconds * rate; nr += 1) {
    const due = begin + (nr * 1_000) / rate;
    if (due > performance.now()) await sleep(due - performance.now());
    let one = byLot();
    while (one?.busy === true) one = byLot();
    if (one === undefined) break;
    const since = Math.min(due, performance.now()); // a timer may be a millisecond early
    pending.push(one.ask().then((good) => void (good ? times.push(performance.now() - since) : (errors += 1))));
  }
  await Promise.all(pending);
  console.log(JSON.stringify({ times, errors, alive: held.filter((one) => one.open).length }));
}

await Promise.all(Array.from({ length: OPENING }, opener));
console.log(JSON.stringify({ opened: held.length }));
for await (const line of createInterface(process.stdin)) {
  const [word, seconds, rate] = line.split(" ");
  if (word === "ask") await ask(Number(seconds), Number(rate));
  else break;
}
for (const one of held) one.end();
process.exit(0);
