/**
 * What a session costs: a cached read of somebody who is logged in beside the same read of a stranger, in the server's own CPU time;
 * and how long logins take while others read. One server process: the whole application behind the worker's own front.
 *
 *   node bench/session.ts [requests a round, default 10000] [rounds, default 7]
 */
import { fork } from "node:child_process";
import { connect, type AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Fastify from "fastify";
import application, { options } from "../src/app/index.ts";
import { systemClock } from "../src/base/clock.ts";
import { makeLogger } from "../src/base/log.ts";
import { installRuntime, type Services } from "../src/base/runtime.ts";
import { mebibytes, seconds } from "../src/base/units.ts";
import { hashPassword } from "../src/cli/hash.ts";
import { createTables } from "../src/sheets/client.ts";
import { createBuiltIn } from "../src/worker/builtin.ts";
import type { WorkerConfig } from "../src/worker/config.ts";
import { createTrust } from "../src/worker/gate/address.ts";
import { FurtherServers } from "../src/worker/further-servers.ts";
import { processPort } from "../src/base/port.ts";
import { Handles } from "../src/worker/handles.ts";
import { createLimitedServer } from "../src/worker/limits.ts";
import { Serving } from "../src/worker/serving.ts";
import { Tally } from "../src/worker/tally.ts";
import { createStreams } from "../src/worker/streams.ts";
import { createThreads } from "../src/worker/threads.ts";
import { HEALTHY, loginServices, PLAYERS, players, Sheet } from "../test/app/world.ts";
import { silent } from "./quiet.ts";

const CONNECTIONS = 50;
const PEOPLE = 100;
const CODE = "K7M2-9QXR-4T3W";
const PASSWORD = "correct horse";
const name = (nr: number): string => `Person ${nr}`;

const config: WorkerConfig = {
  app: null,
  tls: null,
  probePath: null,
  connections: 1_000,
  backlog: 511,
  priority: 0,
  timeout: seconds(30),
  bootTimeout: seconds(60),
  requestTimeout: seconds(120),
  bodyLimit: mebibytes(100),
  headersTimeout: seconds(10),
  keepAlive: seconds(75),
  drainIdle: seconds(2),
  gracefulTimeout: seconds(30),
  trustedProxies: [],
  underscores: "drop",
  strict: false,
  accessLog: 0,
  maxRequests: 0,
  maxRequestsJitter: 0,
  demo: false,
  dataDir: ".",
  log: { target: { fd: 1 }, level: "error" },
  extras: {},
};

async function serve(): Promise<number> {
  const log = makeLogger({ role: "worker" }, "error", process.stdout);
  const sheet = new Sheet();
  sheet.table("players", "public", PLAYERS, players(100));
  sheet.table("members", "signed-in", PLAYERS, players(100));
  const verifier = hashPassword(PASSWORD);
  const people = Array.from({ length: PEOPLE }, (_, nr) => nr);
  sheet.users([...people.map((nr) => [name(nr), CODE] as const), ...people.map((nr) => [`Slow ${nr}`, verifier] as const)]);
  const trust = createTrust([]);
  const serving = new Serving(config, {
    handles: new Handles([]),
    further: new FurtherServers(processPort()),
    clock: systemClock,
    log,
    trust,
    access: silent,
    tally: new Tally(),
    alive() {},
    closed() {},
    holds() {},
  });
  const builtIn = createBuiltIn({ serving, trust, clock: systemClock, demo: false, connections: 1_000, underscores: config.underscores });
  const services: Partial<Services> = {
    tables: createTables(sheet),
    prepared: builtIn.prepared,
    threads: createThreads(),
    clients: trust,
    streams: createStreams(serving.inFlight),
    ...loginServices(),
    site: { staticDir: undefined },
    live: { reconnect: seconds(5), mostStreams: 100 },
  };
  const service = <K extends keyof Services>(which: K): Services[K] => services[which] as Services[K];
  installRuntime({ slot: 0, generation: 1, addresses: [], log, draining: new AbortController().signal, health: () => HEALTHY, service });
  const fastify = Fastify({ ...options, logger: false });
  await fastify.register(application);
  await fastify.ready();
  const server = createLimitedServer(
    config,
    builtIn.front((req, res) => fastify.routing(req, res)),
  );
  serving.land(server, false);
  return await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

if (process.send !== undefined) {
  process.on("message", () => process.send?.(process.cpuUsage()));
  process.on("disconnect", () => process.exit(0));
  process.send(await serve());
} else {
  await measure(Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 7));
}

async function measure(requests: number, rounds: number): Promise<void> {
  const server = fork(fileURLToPath(import.meta.url));
  const heard = <T>(): Promise<T> => new Promise((resolve) => server.once("message", (message) => resolve(message as T)));
  const port = await heard<number>();
  const cpu = async (): Promise<number> => {
    server.send("cpu");
    const { user, system } = await heard<NodeJS.CpuUsage>();
    return user + system;
  };
  const cookies = await codes(port);
  const cost = async (path: string, cookie: string | undefined): Promise<number> => {
    const before = await cpu();
    await load(port, path, cookie, requests);
    return ((await cpu()) - before) / requests;
  };
  const cookie = cookies[0] ?? "";
  const stranger = (): Promise<number> => cost("/api/tables/players", undefined);
  const member = (): Promise<number> => cost("/api/tables/members", cookie);
  await stranger();
  await member();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [first, second] = round % 2 === 0 ? [stranger, member] : [member, stranger];
    const [one, two] = [await first(), await second()];
    const [plain, ours] = round % 2 === 0 ? [one, two] : [two, one];
    ratios.push(plain / ours);
    console.log(
      `round ${round + 1}: stranger ${plain.toFixed(2)} µs, member ${ours.toFixed(2)} µs CPU a cached read, ${(plain / ours).toFixed(3)} × requests per CPU-second`,
    );
  }
  const median = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN;
  console.log(`a member's cached read: ${median.toFixed(3)} × a stranger's requests per CPU-second (goal 0.8)`);
  await passwords(port, cpu);
  server.disconnect();
}

/** 100 logins by code at once. @returns their cookies. */
async function codes(port: number): Promise<string[]> {
  await login(port, name(0), CODE);
  const from = performance.now();
  const all = await Promise.all(Array.from({ length: PEOPLE }, (_, nr) => login(port, name(nr), CODE)));
  console.log(
    `${PEOPLE} logins by code at once: ${spread(all.map(({ took }) => took))}, all in after ${(performance.now() - from).toFixed(0)} ms (goal: p95 < 500 ms)`,
  );
  return all.map(({ cookie }) => cookie);
}

/** 100 logins by password at once, and what others wait meanwhile. */
async function passwords(port: number, cpu: () => Promise<number>): Promise<void> {
  const single: number[] = [];
  const alone = await cpu();
  for (let nr = 0; nr < 5; nr += 1) single.push((await login(port, "Slow 0", PASSWORD)).took);
  const each = ((await cpu()) - alone) / 5_000;
  const hash = Math.min(...single);
  const end = new AbortController();
  const waits: number[] = [];
  const others = (async () => {
    while (!end.signal.aborted) {
      const from = performance.now();
      await (await fetch(`http://127.0.0.1:${port}/api/tables/players?limit=${1 + (waits.length % 100)}`)).arrayBuffer();
      waits.push(performance.now() - from);
      await sleep(20);
    }
  })();
  const from = performance.now();
  const before = await cpu();
  const all = await Promise.all(Array.from({ length: PEOPLE }, (_, nr) => login(port, `Slow ${nr}`, PASSWORD)));
  const spent = ((await cpu()) - before) / 1_000;
  const took = performance.now() - from;
  end.abort();
  await others;
  console.log(
    `${PEOPLE} logins by password at once, one thread, ${hash.toFixed(0)} ms a hash: all ${all.length} in after ${took.toFixed(0)} ms, ` +
      `${(took / (PEOPLE * hash)).toFixed(2)} × what the hashes take (goal 1.3), ${(spent / (PEOPLE * each)).toFixed(2)} × in CPU time; ` +
      `others meanwhile: ${spread(waits)} (goal: p95 < 100 ms)`,
  );
}

function spread(took: readonly number[]): string {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms`;
}

async function login(port: number, user: string, secret: string): Promise<{ readonly took: number; readonly cookie: string }> {
  const from = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/api/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: user, secret }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${user}: ${response.status} ${text}`);
  return { took: performance.now() - from, cookie: response.headers.getSetCookie()[0]?.split(";")[0] ?? "" };
}

/** Sends one request after the other on each connection until `requests` have been answered. */
async function load(port: number, path: string, cookie: string | undefined, requests: number): Promise<void> {
  const request = [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1:8080",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
    "Accept: application/json",
    "Accept-Encoding: gzip, deflate, br",
    ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
    "",
    "",
  ].join("\r\n");
  let left = requests;
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      let missing = -1;
      const next = (): void => {
        if (left <= 0) {
          socket.destroy();
          return resolve();
        }
        left -= 1;
        missing = -1;
        socket.write(request);
      };
      socket.on("connect", next).on("error", reject);
      socket.on("data", (chunk: Buffer) => {
        if (missing === -1) {
          const head = chunk.subarray(0, chunk.indexOf("\r\n\r\n")).toString("latin1");
          if (!head.startsWith("HTTP/1.1 200")) return reject(new Error(head));
          missing = head.length + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1]);
        }
        missing -= chunk.length;
        if (missing === 0) next();
      });
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
}
