/**
 * What readers cost Google: 8 workers, the sample's six tables with TTLs of 30, 30, 60, 60, 120 and 120 s, requests at random phases on
 * many connections. Upstream calls a minute are counted by the daemon; per-worker caches would make 8 × (2+2+1+1+0.5+0.5) = 56.
 *
 *   npm run bench upstream          [MINUTES=3]
 */
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { drover } from "./stacks.ts";

const MINUTES = Number(process.env["MINUTES"] ?? 3);
const TABLES = ["players", "actions", "teams", "schedule", "announcements", "zones"];
const READERS = 32;

const stack = await drover(8);
const get = (path: string): Promise<number> =>
  new Promise((resolve) => {
    const req = http.get({ port: stack.port, host: "127.0.0.1", path, agent: false }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode ?? 0));
    });
    req.on("error", () => resolve(0));
  });
const calls = async (): Promise<{ calls: number; hits: number; stale: number; misses: number }> => {
  const { cwd } = stack;
  const body = await new Promise<string>((resolve, reject) => {
    http
      .get({ socketPath: `${cwd}/var/run/control.sock`, path: "/status", agent: false }, (res) => {
        let text = "";
        res.on("data", (chunk: Buffer) => (text += chunk.toString()));
        res.on("end", () => resolve(text));
      })
      .on("error", reject);
  });
  const { counters } = JSON.parse(body) as { counters: { upstreamCalls: number; hits: number; stale: number; misses: number } };
  return { calls: counters.upstreamCalls, hits: counters.hits, stale: counters.stale, misses: counters.misses };
};

const statuses = new Map<number, number>();
const end = performance.now() + MINUTES * 60_000;
const reader = async (): Promise<void> => {
  while (performance.now() < end) {
    const table = TABLES[Math.floor(Math.random() * TABLES.length)] ?? "players";
    const status = await get(`/api/tables/${table}?limit=100`);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    await sleep(Math.random() * 400);
  }
};
console.log(`8 workers, six tables (TTL 30, 30, 60, 60, 120, 120 s), ${READERS} readers at random phases, ${MINUTES} minutes`);
const readers = Array.from({ length: READERS }, reader);
let last = 0;
for (let minute = 1; minute <= MINUTES; minute += 1) {
  await sleep(60_000);
  const now = await calls();
  console.log(`minute ${minute}: ${now.calls - last} upstream calls`);
  last = now.calls;
}
await Promise.all(readers);
await sleep(1_500);
const total = await calls();
const asked = total.hits + total.stale + total.misses;
console.log(
  `in all: ${asked} reads, ${(((total.hits + total.stale) / asked) * 100).toFixed(2)} % without waiting for Google, ${total.stale} of them stale while a refresh ran;`,
);
console.log(
  `statuses ${JSON.stringify(Object.fromEntries(statuses))}; ${(total.calls / MINUTES).toFixed(2)} upstream calls a minute (goal: 3 or fewer; per-worker caches: 56)`,
);
await stack.stop();
