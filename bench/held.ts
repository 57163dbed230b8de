/**
 * As many keep-alive connections as the workers' caps allow together, really held: none may be lost while requests are served among
 * them and a tenth is exchanged for new ones. The clients come from several loopback addresses.
 *
 *   npm run bench held        [WORKERS=16] [CAP=1000] [SECONDS=10] [RATE=500] [ROUNDS=3]
 */
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { drover, statusOf } from "./stacks.ts";
import { cpuSeconds, pssMiB } from "./tree.ts";

const WORKERS = Number(process.env["WORKERS"] ?? 16);
const CAP = Number(process.env["CAP"] ?? 1_000);
const SECONDS = Number(process.env["SECONDS"] ?? 10);
const RATE = Number(process.env["RATE"] ?? 500);
const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const ALL = WORKERS * CAP;
const SOURCES = 8;
/** So many connections are being opened at a time. */
const AT_A_TIME = 200;
const REQUEST = "GET /api/tables/players?limit=115 HTTP/1.1\r\nHost: bench\r\n\r\n";

/** One client: whoever closes its connection but itself has lost it. */
class Held {
  static lost = 0;
  static wrong = 0;
  readonly #socket: net.Socket;
  #left = -1;
  #answered: (() => void) | undefined;
  #gone = false;

  constructor(port: number, nr: number) {
    this.#socket = net.connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${2 + (nr % SOURCES)}`, noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => this.#closed());
  }

  /** @returns ms from the request to the end of its answer. */
  async ask(): Promise<number> {
    const begun = performance.now();
    const answered = new Promise<void>((resolve) => (this.#answered = resolve));
    if (!this.#gone) this.#socket.write(REQUEST);
    else this.#answered?.();
    await answered;
    return performance.now() - begun;
  }

  close(): Promise<void> {
    if (this.#gone) return Promise.resolve();
    this.#gone = true;
    return new Promise((resolve) => {
      this.#socket.once("close", () => resolve());
      this.#socket.destroy();
    });
  }

  #closed(): void {
    if (this.#gone) return;
    this.#gone = true;
    Held.lost += 1;
    this.#answered?.();
  }

  #take(chunk: Buffer): void {
    if (this.#left < 0) {
      const head = chunk.toString("latin1");
      if (!head.startsWith("HTTP/1.1 200")) Held.wrong += 1;
      const end = head.indexOf("\r\n\r\n");
      this.#left = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0) - (chunk.length - end - 4);
    } else this.#left -= chunk.length;
    if (this.#left > 0) return;
    this.#left = -1;
    this.#answered?.();
  }
}

/** Opens `count` more and has each answered once. @returns ms each. */
async function openAll(held: Held[], port: number, count: number): Promise<number[]> {
  const waits: number[] = [];
  let opened = 0;
  const lane = async (): Promise<void> => {
    while (opened < count) {
      opened += 1;
      const one = new Held(port, held.length);
      held.push(one);
      waits.push(await one.ask());
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  return waits;
}

/** Requests over connections picked at random, RATE a second for SECONDS. @returns ms each. */
async function serve(held: readonly Held[]): Promise<number[]> {
  const all: Promise<number>[] = [];
  const busy = new Set<Held>();
  const begun = performance.now();
  for (let nr = 0; nr < RATE * SECONDS; nr += 1) {
    const due = begun + (nr * 1_000) / RATE - performance.now();
    if (due > 1) await sleep(due);
    const one = held[Math.floor(Math.random() * held.length)];
    if (one === undefined || busy.has(one)) continue;
    busy.add(one);
    all.push(one.ask().finally(() => busy.delete(one)));
  }
  return await Promise.all(all);
}

const spans = (millis: readonly number[]): string => {
  const sorted = millis.toSorted((a, b) => a - b);
  const at = (q: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN).toFixed(1);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms`;
};

const stack = await drover(WORKERS, { DROVER_WORKER_CONNECTIONS: String(CAP) });
const held: Held[] = [];
const line = async (what: string): Promise<void> => {
  const workers = (await statusOf(stack)).places.flatMap(({ role, child }) =>
    role === "worker" && child !== null ? [child.connections ?? 0] : [],
  );
  const [fewest, most, all] = [Math.min(...workers), Math.max(...workers), workers.reduce((sum, n) => sum + n, 0)];
  console.log(
    `${what}: ${all} held by ${workers.length} workers (${fewest} to ${most} each), ${Held.lost} lost, ${Held.wrong} wrong answers`,
  );
};
try {
  await sleep(2_000);
  const empty = pssMiB(stack.pid);
  const begun = performance.now();
  const waits = await openAll(held, stack.port, ALL);
  console.log(`opened ${ALL} in ${((performance.now() - begun) / 1_000).toFixed(1)} s: to the end of the first answer ${spans(waits)}`);
  await sleep(2_000);
  await line("opened");
  const cpu = cpuSeconds(stack.pid);
  await sleep(SECONDS * 1_000);
  console.log(`at rest: ${(((cpuSeconds(stack.pid) - cpu) / SECONDS) * 100).toFixed(1)} % of a core for the whole tree`);
  await line(`held for ${SECONDS} s more`);
  const before = cpuSeconds(stack.pid);
  const served = await serve(held);
  console.log(
    `served ${served.length} among them: ${spans(served)}, ${(((cpuSeconds(stack.pid) - before) * 1e6) / served.length).toFixed(0)} µs of CPU each`,
  );
  for (let round = 1; round <= ROUNDS; round += 1) {
    const gone = held.splice(0, ALL / 10);
    await Promise.all(gone.map((one) => one.close()));
    console.log(`exchanged ${gone.length}: ${spans(await openAll(held, stack.port, gone.length))}`);
    await sleep(2_000);
    await line(`exchange ${round}`);
  }
  console.log(`PSS ${empty.toFixed(0)} MiB empty, ${pssMiB(stack.pid).toFixed(0)} MiB now`);
  console.log(`one more than all caps: ${spans(await openAll(held, stack.port, 1))}`);
} finally {
  await Promise.all(held.map((one) => one.close()));
  await stack.stop();
}
