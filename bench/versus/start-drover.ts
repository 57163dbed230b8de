/** drover under measurement: the built-in service with the emulator beside it (not counted: it stands for Google), or an application. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import http from "node:http";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { end, freePort, leave, place, readyPids, run, said, until, type Place } from "./process.ts";
import type { Running, StackName, Wish } from "./stack.ts";

export const ROOT = new URL("../../", import.meta.url).pathname;
export const DROVER = join(ROOT, "bin/drover");
const NODE_APP = new URL("apps/node.cjs", import.meta.url).pathname;
/** The sample's players, all of them: about 10 KB. */
export const PATH = "/api/tables/players?limit=115";
export const CPUS = availableParallelism();

/** One table, so that everyone fetches the same. */
const tables = (ttlSeconds: number, writes: boolean): string =>
  JSON.stringify({
    tables: {
      ...(writes ? { actions: { key: "id", ttl: `${ttlSeconds}s`, append: "public" } } : {}),
      players: {
        key: "id",
        ttl: `${ttlSeconds}s`,
        read: "public",
        columns: { score: { type: "integer" }, code: { hidden: true } },
      },
    },
  });

interface Google {
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

async function google(delayMs: number): Promise<Google> {
  const at = place();
  const port = await freePort();
  const quiet = ["--emulator-latency", "none", "--emulator-quota", "off", ...(delayMs > 0 ? ["--fault", `latency=${delayMs}`] : [])];
  const child = run(at, DROVER, ["emulator", "--port", String(port), "--dir", join(at.dir, "data"), ...quiet], {});
  await until("the emulator was there", at, child, () => said(at).includes("use it"));
  const url = `http://127.0.0.1:${port}/`;
  return {
    env: {
      DROVER_SHEETS_ENDPOINT: url,
      DROVER_OAUTH_ENDPOINT: url,
      DROVER_SPREADSHEET_ID: "drover-sample-workbook",
      GOOGLE_APPLICATION_CREDENTIALS: join(at.dir, "data/key.json"),
    },
    stop: async () => {
      await end(child.pid ?? 0, "SIGTERM");
      leave(at);
    },
  };
}

export async function startDrover(name: StackName, wish: Wish): Promise<Running> {
  const at = place();
  const port = await freePort();
  const app = name === "drover-app";
  const upstream = app ? undefined : await google(wish.upstream?.delayMs ?? 0);
  const env: NodeJS.ProcessEnv = {
    DROVER_WORKERS: String(wish.workers),
    ...(wish.connections === undefined ? {} : { DROVER_WORKER_CONNECTIONS: String(wish.connections) }),
    ...(wish.timeoutSeconds === undefined ? {} : { DROVER_TIMEOUT: `${wish.timeoutSeconds}s` }),
    ...(app ? ownApp(at, port, wish) : serviceOf(at, upstream, wish)),
  };
  const begin = performance.now();
  const child = run(at, DROVER, ["serve", "--bind", `127.0.0.1:${port}`, ...(app ? [NODE_APP] : [])], env);
  const stop = async (): Promise<void> => {
    await end(child.pid ?? 0, "SIGINT");
    await upstream?.stop();
    leave(at);
  };
  try {
    await until("drover was ready", at, child, () => said(at).includes("drover is ready"));
  } catch (error) {
    await stop();
    throw error;
  }
  const startSeconds = (performance.now() - begin) / 1_000;
  return {
    name,
    port,
    path: app ? "/api/players" : PATH,
    root: child.pid ?? 0,
    dir: at.dir,
    startSeconds,
    workers: () => readyPids(at),
    upstreamCalls: async () => (await status(at)).counters.upstreamCalls,
    reload: () => reload(at),
    stop,
  };
}

function serviceOf(at: Place, upstream: Google | undefined, wish: Wish): NodeJS.ProcessEnv {
  const file = join(at.dir, "tables.json");
  writeFileSync(file, tables(wish.upstream === undefined ? 3_600 : (wish.ttlSeconds ?? 30), wish.writes === true));
  // The generator's users are one address, and limited as one (docs/limits.md).
  const open = wish.writes === true ? { DROVER_RATE_LIMIT: "off", DROVER_EXPORT_RATE: "off" } : {};
  return { ...upstream?.env, DROVER_TABLES: file, ...open };
}

const ownApp = (at: Place, port: number, wish: Wish): NodeJS.ProcessEnv => ({
  BENCH_PORT: String(port),
  BENCH_ANSWER: wish.answerFile,
  BENCH_READY: at.ready,
});

function status(at: Place): Promise<{ readonly counters: { readonly upstreamCalls: number } }> {
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath: join(at.dir, "var/run/control.sock"), path: "/status", agent: false }, (res) => {
        let text = "";
        res.on("data", (chunk: Buffer) => (text += chunk.toString()));
        res.on("end", () => resolve(JSON.parse(text) as { counters: { upstreamCalls: number } }));
      })
      .on("error", reject);
  });
}

/** `drover reload` ends when the new generation has taken over. */
function reload(at: Place): Promise<void> {
  const child = spawn(DROVER, ["reload"], { cwd: at.dir, stdio: "ignore" });
  return new Promise((resolve, reject) =>
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`drover reload ended with ${code}`)))),
  );
}
