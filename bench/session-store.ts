/**
 * Sessions on a Redis of this machine beside the broker's own: a login, and a logged-in client's cached reads. Both daemons are up at once and
 * take turns. What Redis is asked for is counted by Redis itself (INFO commandstats).
 *
 *   npm run bench session-store     [ROUNDS=8] [WORKERS=2] [LOGINS=100] [REQUESTS=5000]; needs redis-server
 */
import { readFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { RedisServer } from "../test/support/redis.ts";
import { load } from "./load.ts";
import { drover, type Stack } from "./stacks.ts";
import { cpuSecondsFine } from "./tree.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 8);
const WORKERS = Number(process.env["WORKERS"] ?? 2);
const LOGINS = Number(process.env["LOGINS"] ?? 100);
const REQUESTS = Number(process.env["REQUESTS"] ?? 5_000);
/** Rounds that are not counted: until V8 has compiled what is hot. */
const WARM_UP = 2;
/** Of a login's p95, to the broker's own store. */
const GOAL = 1.2;
const QUIET = 15_000;
const players = readFileSync(new URL("../config/sample/players.csv", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split(","));

interface Figures {
  readonly logins: number[];
  readonly cpu: number[];
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function post({ port }: Stack, path: string, body: object, cookie = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", cookie };
    const req = http.request({ host: "127.0.0.1", port, path, method: "POST", agent, headers }, (res) => {
      res.resume();
      res.on("error", reject);
      res.on("end", () => {
        const set = (res.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
        if ((res.statusCode ?? 0) < 300) resolve(set);
        else reject(new Error(`${path} was answered with ${res.statusCode}`));
      });
    });
    req.on("error", reject);
    req.end(JSON.stringify(body));
  });
}

async function login(stack: Stack, nr: number): Promise<string> {
  const [, name = "", , , , secret = ""] = players[nr % players.length] ?? [];
  return await post(stack, "/api/login", { name, secret });
}

/** @returns how long each login took, ms. Each session ends before the next begins. */
async function logins(stack: Stack): Promise<number[]> {
  const took: number[] = [];
  for (let nr = 0; nr < LOGINS; nr += 1) {
    const from = performance.now();
    const cookie = await login(stack, nr);
    took.push(performance.now() - from);
    await post(stack, "/api/logout", {}, cookie);
  }
  return took;
}

/** @returns microseconds of CPU a cached read, of the whole process tree. */
async function reads(stack: Stack, cookie: string): Promise<number> {
  const before = cpuSecondsFine(stack.pid);
  const path = "/api/tables/players?limit=20";
  const { errors } = await load({ port: stack.port, path, connections: 20, requests: REQUESTS, keepAlive: true, headers: { cookie } });
  if (errors > 0) throw new Error(`${errors} of ${REQUESTS} requests failed`);
  return ((cpuSecondsFine(stack.pid) - before) / REQUESTS) * 1e6;
}

/** Scripts that Redis has run since it was started. */
async function scripts(redis: RedisServer): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.say("INFO commandstats"))?.[1] ?? 0);
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

const redis = await RedisServer.begin();
const env = { DROVER_MAX_SLOTS: "10000", DROVER_RATE_LIMIT: "off", DROVER_READ_RATE: "off" };
const stacks = [await drover(WORKERS, env), await drover(WORKERS, { ...env, SESSION_REDIS: `redis://127.0.0.1:${redis.port}` })];
const names = ["the broker's own", "Redis"];
try {
  const figures = stacks.map((): Figures => ({ logins: [], cpu: [] }));
  const cookies = await Promise.all(stacks.map((stack) => login(stack, 0)));
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const i of [...stacks.keys()].map((at) => (at + round + WARM_UP) % stacks.length)) {
      const [stack, cookie] = [stacks[i] as Stack, cookies[i] ?? ""];
      const [took, cpu] = [await logins(stack), await reads(stack, cookie)];
      if (round < 0) continue;
      figures[i]?.logins.push(...took);
      figures[i]?.cpu.push(cpu);
    }
  }
  console.log(`${ROUNDS} rounds of ${LOGINS} logins and ${REQUESTS} cached reads, ${WORKERS} workers\n`);
  console.log("| sessions in | a login p50 | p95 | p99, ms | CPU a cached read, µs |\n|---|---|---|---|---|");
  for (const [i, { logins: took, cpu }] of figures.entries())
    console.log(
      `| ${names[i]} | ${[0.5, 0.95, 0.99].map((q) => quantile(took, q).toFixed(2)).join(" | ")} | ${quantile(cpu, 0.5).toFixed(1)} |`,
    );
  const [own, shared] = figures as [Figures, Figures];
  const ratio = quantile(shared.logins, 0.95) / quantile(own.logins, 0.95);
  const cpu = quantile(shared.cpu, 0.5) / quantile(own.cpu, 0.5);

  const [stack, cookie] = [stacks[1] as Stack, cookies[1] ?? ""];
  const began = performance.now();
  const atFirst = await scripts(redis);
  let sent = 0;
  while (performance.now() - began < QUIET) {
    await reads(stack, cookie);
    sent += REQUESTS;
  }
  const [busy, span] = [(await scripts(redis)) - atFirst, performance.now() - began];
  const before = await scripts(redis);
  await sleep(QUIET);
  const idle = (await scripts(redis)) - before;
  console.log(
    `\n${sent} cached reads in ${(span / 1_000).toFixed(1)} s: ${busy} scripts; nothing for ${QUIET / 1_000} s: ${idle} scripts (two in 5 s: the batch of sessions, and that the daemon is there)`,
  );
  console.log(`CPU a cached read: ${cpu.toFixed(2)} × of the broker's own`);
  console.log(`goal: a login's p95 at most ${GOAL} × of the broker's own: ${ratio.toFixed(2)}, ${ratio <= GOAL ? "reached" : "missed"}`);
} finally {
  for (const stack of stacks) await stack.stop();
  await redis.kill();
  agent.destroy();
}
