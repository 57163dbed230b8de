/** The others, each run as its documentation says. */
import { execFile, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { bytes } from "../../src/base/units.ts";
import { nodeFlags } from "../../src/cli/child-env.ts";
import { accepts, end, freePort, leave, place, readyPids, run, until, type Place } from "./process.ts";
import type { Running, StackName, Wish } from "./stack.ts";
import { CPUS } from "./start-drover.ts";
import { find } from "./tools.ts";

const exec = promisify(execFile);
const app = (name: string): string => new URL(`apps/${name}`, import.meta.url).pathname;
const BARE = new URL("../bare.ts", import.meta.url).pathname;
const GUNICORN_CONNECTIONS = 2_000;

interface Launched {
  readonly child?: ChildProcess;
  readonly root?: () => number;
  readonly stopSignal?: NodeJS.Signals;
  readonly stop?: () => Promise<void>;
  readonly reload?: () => Promise<void>;
  /** How it is known that all its workers serve: their files, its own word, or that something accepts. */
  readonly ready: "files" | "log" | "port";
}
type Launch = (at: Place, wish: Wish, port: number, env: NodeJS.ProcessEnv) => Launched | Promise<Launched>;

const program = (name: Parameters<typeof find>[0]): string => {
  const path = find(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
};

const hangUp =
  (child: ChildProcess, signal: NodeJS.Signals): (() => Promise<void>) =>
  () =>
    Promise.resolve(void child.kill(signal));

/** Same kind of held handle, same number of workers and same V8 flags as drover's, and no library. */
const bare =
  (mode: "held" | "spread"): Launch =>
  (at, wish, _port, env) => {
    const flags = nodeFlags("worker", { memory: bytes(totalmem()), workers: wish.workers, autopsy: false, ownCode: true });
    const args = [...flags, BARE, mode, String(wish.workers), wish.answerFile]; // its workers inherit the flags
    return { child: run(at, process.execPath, args, env), stopSignal: "SIGINT", ready: "log" };
  };

const clustered =
  (file: string): Launch =>
  (at, wish, _port, env) => ({
    child: run(at, process.execPath, [app("cluster.cjs"), String(wish.workers), app(file)], env),
    ready: "files",
  });

const pm2: Launch = async (at, wish, _port, env) => {
  const home = join(at.dir, "pm2");
  const own = { ...process.env, ...env, PM2_HOME: home, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` };
  const ask = (...args: string[]): Promise<unknown> =>
    exec(process.execPath, [program("pm2"), ...args], { cwd: at.dir, env: own, maxBuffer: 1e7 });
  await ask("start", app("node.cjs"), "-i", String(wish.workers), "--name", "game");
  return {
    root: () => Number(readFileSync(join(home, "pm2.pid"), "utf8")),
    stop: async () => void (await ask("kill")),
    reload: async () => void (await ask("reload", "game")),
    ready: "files",
  };
};

const gunicorn =
  (worker: "gevent" | "sync", asBytes: boolean): Launch =>
  (at, wish, port, env) => {
    const size = worker === "gevent" ? ["--worker-connections", String(wish.connections ?? GUNICORN_CONNECTIONS)] : [];
    const timeout = ["--timeout", String(wish.timeoutSeconds ?? 120), "--graceful-timeout", "30"];
    const args = ["-k", worker, "-w", String(wish.workers), ...size, ...timeout, "-b", `127.0.0.1:${port}`, "game:app"];
    const child = run(at, program("gunicorn"), ["--chdir", dirname(app("game.py")), ...args], {
      ...env,
      PYTHONDONTWRITEBYTECODE: "1",
      ...(asBytes ? { BENCH_BYTES: "1" } : {}),
    });
    return { child, stopSignal: "SIGTERM", reload: hangUp(child, "SIGHUP"), ready: "files" };
  };

const puma: Launch = (at, _wish, _port, env) => {
  const child = run(at, program("puma"), ["-C", app("puma.rb")], { ...env, RACK_ENV: "production" });
  return { child, stopSignal: "SIGTERM", reload: hangUp(child, "SIGUSR1"), ready: "files" };
};

const nginx: Launch = (at, wish, port) => {
  const conf = join(at.dir, "nginx.conf");
  writeFileSync(
    conf,
    `${process.getuid?.() === 0 ? "user root; " : ""}daemon off; worker_processes ${CPUS}; pid ${at.dir}/nginx.pid; error_log ${at.dir}/error.log;
events { worker_connections 20000; }
http { access_log off; keepalive_requests 100000000; sendfile on; tcp_nopush on; open_file_cache max=10;
  client_body_temp_path ${at.dir}/t1; proxy_temp_path ${at.dir}/t2; fastcgi_temp_path ${at.dir}/t3; uwsgi_temp_path ${at.dir}/t4; scgi_temp_path ${at.dir}/t5;
  server { listen 127.0.0.1:${port} reuseport backlog=2048;
    location = /api/players { default_type application/json; alias ${join(dirname(wish.answerFile), "players.json")}; } } }\n`,
  );
  const child = run(at, program("nginx"), ["-c", conf, "-p", at.dir, "-e", join(at.dir, "error.log")], {});
  return { child, stopSignal: "SIGTERM", reload: hangUp(child, "SIGHUP"), ready: "port" };
};

const haproxy: Launch = (at, wish, port) => {
  const conf = join(at.dir, "haproxy.cfg");
  writeFileSync(
    conf,
    `global
  maxconn 12000
  no strict-limits
  nbthread ${CPUS}
defaults
  mode http
  timeout client 75s
  timeout connect 5s
  timeout server 75s
frontend game
  bind 127.0.0.1:${port} backlog 2048
  http-request return status 200 content-type application/json file ${join(dirname(wish.answerFile), "players.json")}\n`,
  );
  return { child: run(at, program("haproxy"), ["-db", "-f", conf], {}), stopSignal: "SIGINT", ready: "port" };
};

const LAUNCH: Readonly<Record<Exclude<StackName, "drover" | "drover-app">, Launch>> = {
  held: bare("held"),
  spread: bare("spread"),
  cluster: clustered("node.cjs"),
  fastify: clustered("fastify.mjs"),
  pm2,
  puma,
  gunicorn: gunicorn("gevent", false),
  "gunicorn-bytes": gunicorn("gevent", true),
  "gunicorn-sync": gunicorn("sync", false),
  nginx,
  haproxy,
};

export async function startPeer(name: keyof typeof LAUNCH, wish: Wish): Promise<Running> {
  const at = place();
  const wanted = await freePort();
  const begin = performance.now();
  const launched = await LAUNCH[name](at, wish, wanted, environment(at, wish, wanted));
  const root = (): number => launched.root?.() ?? launched.child?.pid ?? 0;
  const stop = async (): Promise<void> => {
    const pid = root();
    await launched.stop?.();
    await end(pid, launched.stopSignal ?? "SIGTERM");
    leave(at);
  };
  const port = (): number => (name === "held" || name === "spread" ? portSaid(at) : wanted);
  try {
    await serving(name, at, launched, wish.workers, wanted);
    const startSeconds = (performance.now() - begin) / 1_000;
    return {
      name,
      port: port(),
      path: "/api/players",
      root: root(),
      dir: at.dir,
      startSeconds,
      workers: () => readyPids(at),
      upstreamCalls: () => Promise.resolve(wish.upstream?.calls() ?? 0),
      reload: launched.reload,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function serving(name: string, at: Place, { ready, child }: Launched, workers: number, port: number): Promise<void> {
  const watching = new AbortController();
  let open = false;
  if (ready === "port") void watch(port, watching.signal).then(() => (open = true));
  const checks = { files: () => readyPids(at).length >= workers, log: () => portSaid(at) > 0, port: () => open };
  try {
    await until(`all workers of ${name} served`, at, child, checks[ready]);
  } finally {
    watching.abort();
  }
}

const environment = (at: Place, wish: Wish, port: number): NodeJS.ProcessEnv => ({
  BENCH_PORT: String(port),
  BENCH_WORKERS: String(wish.workers),
  BENCH_ANSWER: wish.answerFile,
  BENCH_READY: at.ready,
  ...(wish.upstream === undefined ? {} : { BENCH_UPSTREAM: wish.upstream.url, BENCH_TTL: String(wish.ttlSeconds ?? 30) }),
  ...(wish.timeoutSeconds === undefined ? {} : { BENCH_TIMEOUT: String(wish.timeoutSeconds + 1) }), // Puma's least is above its check interval of 5 s
});

const portSaid = (at: Place): number => Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(at.log, "utf8"))?.[1]);

async function watch(port: number, until: AbortSignal): Promise<void> {
  while (!until.aborted && !(await accepts(port))) await sleep(5);
}
