/** One worker's loop is blocked for a minute: who notices, how soon, and what the others' clients feel meanwhile. */
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { each, withOne, type Context } from "../context.ts";
import { rounded } from "../measure.ts";
import type { Probes, Stuck } from "../results.ts";
import type { Running } from "../stack.ts";

const TIMEOUT_SECONDS = 5;
/** So many kept connections that every worker has some. */
const [EVERY_MS, KEPT, PAUSE_MS, LATE_MS] = [20, 64, 200, 500];

export function stuck(context: Context): Promise<Stuck[]> {
  const { sizes, workers, answerFile } = context;
  const wish = { workers, answerFile, timeoutSeconds: TIMEOUT_SECONDS };
  return each(context, sizes.stuck, (stack) => withOne(stack, wish, (running) => watched(running, sizes.stuckSeconds)));
}

async function watched(running: Running, seconds: number): Promise<Stuck> {
  const fresh = new Prober();
  const kept = new Prober();
  const agents = Array.from({ length: KEPT }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  await Promise.all(agents.map((agent) => fetchOnce(running, agent)));
  const before = running.workers().length;
  const blocked = http.get({ host: "127.0.0.1", port: running.port, path: "/block?s=60", agent: false }).on("error", () => {});
  const begin = performance.now();
  let replacedAfter: number | null = null;
  const end = begin + seconds * 1_000;
  const conversations = agents.map(async (agent) => {
    while (performance.now() < end) {
      await Promise.race([kept.probe(() => fetchOnce(running, agent)), sleep(end - performance.now())]);
      await sleep(PAUSE_MS);
    }
  });
  while (performance.now() < end) {
    void fresh.probe(() => fetchOnce(running, undefined));
    if (replacedAfter === null && running.workers().length > before) replacedAfter = rounded((performance.now() - begin) / 1_000);
    await sleep(EVERY_MS);
  }
  await Promise.all(conversations);
  await sleep(LATE_MS);
  const result = { fresh: fresh.sum(), kept: kept.sum() };
  blocked.destroy();
  for (const agent of agents) agent.destroy();
  return { stack: running.name, timeoutSeconds: TIMEOUT_SECONDS, watchedSeconds: seconds, replacedAfter, ...result };
}

/** Counts what became of requests, those without an answer included. */
class Prober {
  readonly #times: number[] = [];
  readonly #open = new Set<number>();
  #asked = 0;
  #failed = 0;

  async probe(ask: () => Promise<void>): Promise<void> {
    const begin = performance.now();
    const nr = (this.#asked += 1);
    this.#open.add(nr);
    try {
      await ask();
      this.#times.push(performance.now() - begin);
    } catch {
      if (this.#open.has(nr)) this.#failed += 1;
    }
    this.#open.delete(nr);
  }

  sum(): Probes {
    return {
      asked: this.#asked,
      answered: this.#times.length,
      late: this.#times.filter((time) => time > LATE_MS).length,
      failed: this.#failed,
      hanging: this.#open.size,
      max: Math.round(Math.max(0, ...this.#times)),
    };
  }
}

function fetchOnce({ port, path }: Running, agent: http.Agent | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: "127.0.0.1", port, path, agent: agent ?? false }, (res) => {
        res.resume();
        res.once("end", () => (res.statusCode === 200 ? resolve() : reject(new Error(String(res.statusCode)))));
        res.once("error", reject);
      })
      .once("error", reject);
  });
}
