/**
 * Sessions on a Redis of this machine beside the broker's own: a login, and a logged-in client's cached reads. Both daemons are up at once and
 * take turns. What Redis is asked for is counted by Redis itself (INFO commandstats). Then with a second daemon on that Redis: how soon a
 * session that ends on one has ended on the other, and how soon both take logins again when Redis is back.
 *
 *   npm run bench session-store     [ROUNDS=8] [WORKERS=2] [LOGINS=100] [REQUESTS=5000] [OUTAGES=5]; needs redis-server
 */
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RedisServer } from "../test/support/redis.ts";
import { load } from "./load.ts";
import { drover, type Stack } from "./stacks.ts";
import { cpuSecondsFine } from "./tree.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 8);
const WORKERS = Number(process.env["WORKERS"] ?? 2);
const LOGINS = Number(process.env["LOGINS"] ?? 100);
const REQUESTS = Number(process.env["REQUESTS"] ?? 5_000);
const OUTAGES = Number(process.env["OUTAGES"] ?? 5);
/** Rounds that are not counted: until V8 has compiled what is hot. */
const WARM_UP = 2;
/** Of a login's p95, to the broker's own store. */
const GOAL = 1.2;
const QUIET = 15_000;
/** Longer than a step may take, so that the daemons give up on a Redis that is paused. */
const PAUSED = 5_000;
/** ms: a session's end reaches the other daemons; logins are taken again. */
const ENDS_WITHIN = 1_000;
const BACK_WITHIN = 2_000;
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

interface Answer {
  readonly status: number;
  readonly cookie: string;
}

/** A POST, if there is a body. */
function ask(target: Pick<Stack, "port"> | { readonly socketPath: string }, path: string, cookie: string, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { cookie, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const to = "port" in target ? { host: "127.0.0.1", port: target.port, agent } : { ...target, agent: false };
    const req = http.request({ ...to, path, method: body === undefined ? "GET" : "POST", headers }, (res) => {
      res.resume();
      res.on("error", reject);
      res.on("end", () => {
        const set = (res.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
        resolve({ status: res.statusCode ?? 0, cookie: set });
      });
    });
    req.on("error", reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function post(target: Parameters<typeof ask>[0], path: string, body: object, cookie = ""): Promise<string> {
  const { status, cookie: set } = await ask(target, path, cookie, body);
  if (status >= 300) throw new Error(`${path} was answered with ${status}`);
  return set;
}

const credentials = (nr: number): object => {
  const [, name = "", , , , secret = ""] = players[nr % players.length] ?? [];
  return { name, secret };
};

const login = (stack: Stack, nr: number): Promise<string> => post(stack, "/api/login", credentials(nr));

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

/** @returns ms until `path` is answered with `status`. */
async function until(
  stack: Stack,
  path: string,
  status: number,
  { cookie = "", body }: { cookie?: string; body?: object },
): Promise<number> {
  const from = performance.now();
  while ((await ask(stack, path, cookie, body)).status !== status) await sleep(1); // oxlint-disable-line no-await-in-loop -- one after the other
  return performance.now() - from;
}

/** @returns ms from the answer to a logout on `a`, and to an operator's `slots end` there, until `b` no longer knows the session. */
async function ends(a: Stack, b: Stack): Promise<Record<"logout" | "operator", number[]>> {
  const took = { logout: [] as number[], operator: [] as number[] };
  for (let nr = 0; nr < LOGINS; nr += 1) {
    const cookie = await login(a, nr);
    await until(b, "/api/me", 200, { cookie });
    if (nr % 2 === 0) await post(a, "/api/logout", {}, cookie);
    else
      await post({ socketPath: join(a.cwd, "var/run/control.sock") }, "/slots", {
        do: "end",
        who: (credentials(nr) as { name: string }).name,
      });
    took[nr % 2 === 0 ? "logout" : "operator"].push(await until(b, "/api/me", 401, { cookie }));
  }
  return took;
}

/** @returns ms from the moment that Redis answers again until each daemon has taken a login. */
async function recoveries(stacks: readonly Stack[], away: () => Promise<void>, back: () => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  const all = (status: number): Promise<number[]> =>
    Promise.all(stacks.map((stack, nr) => until(stack, "/api/login", status, { body: credentials(nr) })));
  for (let i = 0; i < OUTAGES; i += 1) {
    await all(200);
    await away();
    await all(503);
    await back();
    took.push(...(await all(200)));
  }
  return took;
}

/** Scripts that Redis has run since it was started. */
async function scripts(redis: RedisServer): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.say("INFO commandstats"))?.[1] ?? 0);
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

const redis = await RedisServer.begin();
const env = { DROVER_MAX_SLOTS: "10000", DROVER_RATE_LIMIT: "off", DROVER_READ_RATE: "off" };
const shared = {
  ...env,
  SESSION_REDIS: `redis://127.0.0.1:${redis.port}`,
  DROVER_SESSION_KEY: "a-key-of-two-daemons-that-share-their-sessions",
};
const stacks = [await drover(WORKERS, env), await drover(WORKERS, shared)];
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
  const [embedded, onRedis] = figures as [Figures, Figures];
  const ratio = quantile(onRedis.logins, 0.95) / quantile(embedded.logins, 0.95);
  const cpu = quantile(onRedis.cpu, 0.5) / quantile(embedded.cpu, 0.5);

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
  console.log(`goal: a login's p95 at most ${GOAL} × of the broker's own: ${ratio.toFixed(2)}, ${ratio <= GOAL ? "reached" : "missed"}\n`);

  const second = await drover(WORKERS, shared);
  stacks.push(second);
  const pair = [stack, second];
  const report = (what: string, took: readonly number[], goal: number): void => {
    const [p50, most] = [quantile(took, 0.5), Math.max(...took)];
    console.log(
      `${what}: ${took.length} times, p50 ${p50.toFixed(0)} ms, at most ${most.toFixed(0)}; goal ${goal}: ${most <= goal ? "reached" : "missed"}`,
    );
  };
  const ended = await ends(stack, second);
  report("a logout has ended the session on the other daemon", ended.logout, ENDS_WITHIN);
  report("an operator's end has", ended.operator, ENDS_WITHIN);
  const killed = await recoveries(
    pair,
    () => redis.kill(),
    () => redis.start(),
  );
  report("both take logins after Redis was killed and started", killed, BACK_WITHIN);
  const stop = async (): Promise<void> => {
    redis.signal("SIGSTOP");
    await sleep(PAUSED);
  };
  const paused = await recoveries(pair, stop, () => Promise.resolve(redis.signal("SIGCONT")));
  report(`both take logins after Redis was paused for ${PAUSED / 1_000} s`, paused, BACK_WITHIN);
} finally {
  for (const stack of stacks) await stack.stop();
  await redis.kill();
  agent.destroy();
}
