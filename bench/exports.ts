/**
 * Ten exports at once of a large table, in one worker: what they cost its memory and its event loop, and what other readers notice.
 *
 *   node bench/exports.ts [rows, default 50000]
 */
import http from "node:http";
import { startWorker, type WorkerProcess } from "../test/app/export/worker.ts";

const rows = Number(process.argv[2] ?? 50_000);
const MiB = 1_048_576;
const show = (value: number): string => value.toFixed(1);

/** @returns bytes and milliseconds to the first and last of them. */
function take(url: string, agent: http.Agent | false = false): Promise<{ bytes: number; first: number; last: number }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent }, (res) => {
        let [bytes, first] = [0, 0];
        res.on("data", (chunk: Buffer) => {
          first ||= performance.now() - began;
          bytes += chunk.length;
        });
        res.on("end", () =>
          res.statusCode === 200
            ? resolve({ bytes, first, last: performance.now() - began })
            : reject(new Error(`${url}: ${res.statusCode}`)),
        );
        res.on("error", reject);
      })
      .on("error", reject);
  });
}

/** A reader that asks for a list that stands ready and for one that is made anew, every 10 ms, until it is told to stop. */
async function read({ url }: WorkerProcess, until: Promise<unknown>): Promise<{ hits: number[]; misses: number[] }> {
  const agent = new http.Agent({ keepAlive: true });
  const times = { hits: [] as number[], misses: [] as number[] };
  const state = { over: false };
  void until.finally(() => (state.over = true));
  for (let i = 0; !state.over; i += 1) {
    times.hits.push((await take(`${url}/api/tables/small?limit=100`, agent)).last);
    times.misses.push((await take(`${url}/api/tables/small?limit=100&filter[score][ne]=${Date.now() % 1e6}${i}&sort=-score`, agent)).last);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  agent.destroy();
  return times;
}
const p95 = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? NaN;

await using worker = await startWorker({ rows, text: 24, requestTimeout: 120_000, headersTimeout: 10_000 });
await read(worker, take(`${worker.url}/api/tables/big/export?format=csv&limit=1`)); // the thread is there
await worker.seen();
const alone = await read(worker, new Promise((resolve) => setTimeout(resolve, 3_000)));
const idle = await worker.seen();
console.log(
  `${rows} rows; idle: RSS ${show(idle.rss / MiB)} MiB, loop delay p99 ${show(idle.loopP99)} ms; ` +
    `reads p95 ${show(p95(alone.hits))} ms ready, ${show(p95(alone.misses))} ms made`,
);
for (const query of ["format=csv", "format=xlsx", "format=json", "format=xlsx&sort=-score&filter[alive]=true"]) {
  const began = performance.now();
  const all = Promise.all(Array.from({ length: 10 }, () => take(`${worker.url}/api/tables/big/export?${query}`)));
  const [times, taken] = await Promise.all([read(worker, all), all]);
  const seen = await worker.seen();
  console.log(
    `10 × ${query}: ${show((performance.now() - began) / 1_000)} s, ${show((taken[0]?.bytes ?? 0) / MiB)} MiB each, first byte ≤ ${show(Math.max(...taken.map((t) => t.first)))} ms; ` +
      `RSS +${show((seen.rss - idle.rss) / MiB)} MiB; loop delay p99 ${show(seen.loopP99)} ms (most ${show(seen.loopMost)}); ` +
      `reads p95 ${show(p95(times.hits))} ms ready, ${show(p95(times.misses))} ms made`,
  );
}
