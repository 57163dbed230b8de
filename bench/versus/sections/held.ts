/** The documents' "theoretical" 16 × 1,000 connections, really held on one machine, with requests served among them. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { cpuSeconds, pssMiB } from "../../tree.ts";
import type { Context } from "../context.ts";
import { rounded } from "../measure.ts";
import type { Held } from "../results.ts";
import { start } from "../start.ts";

/** A tenth more than 1,000: they need not be spread to the last one. */
const [WORKERS, PER_WORKER, RATE] = [16, 1_100, 400];
/** Each source address has its own ports, and each holder its own limit of open files. */
const ADDRESSES = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"] as const;
const HOLDER = new URL("../holder.ts", import.meta.url).pathname;

/** A holder's process and what it says, line by line. */
class Holder {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(order: object) {
    this.#child = spawn(process.execPath, [HOLDER, JSON.stringify(order)], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
  }

  async says<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("a holder of connections ended");
    return JSON.parse(value) as T;
  }

  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null) return resolve();
      this.#child.once("exit", () => resolve());
      this.tell("end");
      return undefined;
    });
  }
}

export async function held(context: Context): Promise<Held> {
  const { heldConnections: wanted, heldSeconds } = context.sizes;
  const running = await start("drover", { workers: WORKERS, answerFile: context.answerFile, connections: PER_WORKER });
  const holders: Holder[] = [];
  try {
    const pssBefore = Math.round(pssMiB(running.root));
    const begin = performance.now();
    for (const from of ADDRESSES)
      holders.push(new Holder({ port: running.port, path: running.path, from, connections: wanted / ADDRESSES.length }));
    const opened = (await Promise.all(holders.map((one) => one.says<{ opened: number }>()))).reduce((sum, { opened }) => sum + opened, 0);
    const openSeconds = rounded((performance.now() - begin) / 1_000);
    const cpu = cpuSeconds(running.root);
    const asking = performance.now();
    for (const one of holders) one.tell(`ask ${heldSeconds} ${RATE / ADDRESSES.length}`);
    const told = await Promise.all(holders.map((one) => one.says<{ times: number[]; errors: number; alive: number }>()));
    const cpus = rounded((cpuSeconds(running.root) - cpu) / ((performance.now() - asking) / 1_000), 3);
    const times = told.flatMap((one) => one.times).sort((a, b) => a - b);
    const at = (q: number): number => rounded(times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0);
    const sum = (pick: (one: (typeof told)[number]) => number): number => told.reduce((all, one) => all + pick(one), 0);
    return {
      workers: WORKERS,
      perWorker: PER_WORKER,
      wanted,
      opened,
      addresses: ADDRESSES.length,
      openSeconds,
      alive: sum((one) => one.alive),
      requests: times.length,
      errors: sum((one) => one.errors),
      p50: at(0.5),
      p99: at(0.99),
      max: at(1),
      pss: Math.round(pssMiB(running.root)),
      pssBefore,
      cpus,
    };
  } finally {
    await Promise.all(holders.map((one) => one.end()));
    await running.stop();
  }
}
