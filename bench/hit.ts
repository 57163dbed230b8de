/**
 * What a prepared hit costs beside bare node:http with the same bytes and headers, writeHead + end(buffer).
 * One server process holds both, so that they share its state; this process is the client. Rounds alternate, and the figure is
 * the server's own CPU time per request.
 *
 *   node bench/hit.ts [requests a round, default 20000] [rounds, default 7]
 */
import { fork } from "node:child_process";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/base/clock.ts";
import { makeLogger } from "../src/base/log.ts";
import { mebibytes, after, later, minutes, ms, seconds } from "../src/base/units.ts";
import type { PreparedAnswer } from "../src/worker/app.ts";
import { createBuiltIn } from "../src/worker/builtin.ts";
import type { WorkerConfig } from "../src/worker/config.ts";
import { createTrust } from "../src/worker/gate/address.ts";
import { FurtherServers } from "../src/worker/further-servers.ts";
import { processPort } from "../src/base/port.ts";
import { Handles } from "../src/worker/handles.ts";
import { createLimitedServer } from "../src/worker/limits.ts";
import { Serving } from "../src/worker/serving.ts";
import { Tally } from "../src/worker/tally.ts";
import { silent } from "./quiet.ts";

const BODY = Buffer.alloc(10_240, "x");
const TARGET = "/api/tables/players?limit=100";
const CONNECTIONS = 50;
const REQUEST = [
  `GET ${TARGET} HTTP/1.1`,
  "Host: 127.0.0.1:8080",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
  "Accept: application/json",
  "Accept-Language: en-GB,en;q=0.9",
  "Accept-Encoding: gzip, deflate, br",
  "Connection: keep-alive",
  "",
  "",
].join("\r\n");

const config: WorkerConfig = {
  app: null,
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
  tls: null,
  underscores: "drop",
  strict: false,
  accessLog: 0,
  maxRequests: 0,
  maxRequestsJitter: 0,
  demo: false,
  dataDir: ".",
  log: { target: { fd: 1 }, level: "warn" },
  extras: {},
};

/** The bytes that drover sends for a hit, by hand: the least a node:http server can do. */
function bare(): Promise<number> {
  const head = ["Content-Type", "application/json", "Cache-Control", "no-cache", "Vary", "Accept-Encoding", "ETag", '"v1-br"'];
  const rest = [
    "Content-Length",
    String(BODY.length),
    "Content-Encoding",
    "br",
    "Age",
    "0",
    "X-Cache",
    "HIT",
    "X-Request-Id",
    "0123456789ab-zzz",
  ];
  const all = [...head, ...rest];
  const server = createServer({ keepAliveTimeout: config.keepAlive }, (_, res) => {
    res.writeHead(200, all);
    res.end(BODY);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

function drover(): Promise<number> {
  const log = makeLogger({ role: "worker" }, "warn", process.stdout);
  const handles = new Handles([]);
  const trust = createTrust([]);
  const serving = new Serving(config, {
    handles,
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
  const now = systemClock.now();
  const source = {
    version: 1,
    checkedAt: later(systemClock.wall(), ms(0)),
    freshUntil: after(now, minutes(60)),
    staleUntil: after(now, minutes(60)),
    expired() {},
  };
  const head = ["Content-Type", "application/json", "Cache-Control", "no-cache"];
  const answer: PreparedAnswer = { source, version: 1, head, etag: "v1", bodies: { identity: BODY, gzip: BODY, br: BODY } };
  builtIn.prepared.put(TARGET, answer);
  const server = createLimitedServer(
    config,
    builtIn.front((_, res) => res.writeHead(500).end()),
  );
  serving.land(server, false);
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

if (process.send !== undefined) {
  process.on("message", () => process.send?.(process.cpuUsage()));
  process.on("disconnect", () => process.exit(0));
  process.send([await bare(), await drover()]);
} else {
  await measure(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 7));
}

async function measure(requests: number, rounds: number): Promise<void> {
  const server = fork(fileURLToPath(import.meta.url));
  const heard = <T>(): Promise<T> => new Promise((resolve) => server.once("message", (message) => resolve(message as T)));
  const cpu = async (): Promise<number> => {
    server.send("cpu");
    const { user, system } = await heard<NodeJS.CpuUsage>();
    return user + system;
  };
  const [barePort, droverPort] = await heard<[number, number]>();
  const cost = async (port: number): Promise<number> => {
    const before = await cpu();
    await load(port, requests);
    return ((await cpu()) - before) / requests;
  };
  await cost(barePort);
  await cost(droverPort);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const turns = round % 2 === 0 ? [barePort, droverPort] : [droverPort, barePort];
    const first = await cost(turns[0] as number);
    const second = await cost(turns[1] as number);
    const [plain, ours] = round % 2 === 0 ? [first, second] : [second, first];
    ratios.push(ours / plain);
    console.log(
      `round ${round + 1}: bare ${plain.toFixed(2)} µs, hit ${ours.toFixed(2)} µs CPU a request, ratio ${(ours / plain).toFixed(3)}`,
    );
  }
  console.log(
    `median ratio ${median(ratios).toFixed(3)}, least ${Math.min(...ratios).toFixed(3)} (${rounds} rounds of ${requests} requests, ${CONNECTIONS} connections, body ${BODY.length} bytes)`,
  );
  server.disconnect();
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Sends one request after the other on each connection until `requests` have been answered. */
async function load(port: number, requests: number): Promise<void> {
  let left = requests;
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      let missing = 0;
      const next = (): void => {
        if (left <= 0) {
          socket.destroy();
          return resolve();
        }
        left -= 1;
        missing = -1;
        socket.write(REQUEST);
      };
      socket.on("connect", next).on("error", reject);
      socket.on("data", (chunk: Buffer) => {
        if (missing === -1) missing = chunk.indexOf("\r\n\r\n") + 4 + BODY.length;
        missing -= chunk.length;
        if (missing === 0) next();
      });
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
}
