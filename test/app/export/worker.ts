/**
 * A process that is one worker with the built-in service and a table by hand, for what concerns memory and the event loop. Forked by
 * `startWorker`; its stand-in for the master is in the process itself.
 */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ms, seconds } from "../../../src/base/units.ts";
import type { Cell, VisibleColumn } from "../../../src/sheets/snapshot.ts";
import { createTables } from "../../../src/sheets/client.ts";
import { startRig } from "../../worker/rig.ts";
import { loginServices, Sheet } from "../world.ts";

export interface WorkerWish {
  /** Rows of the table `big`, and characters of the text in each. */
  readonly rows: number;
  readonly text: number;
  readonly requestTimeout: number;
  readonly headersTimeout: number;
  readonly staticDir?: string;
}

/** What has been seen since the last one. Milliseconds and bytes. */
export interface Seen {
  /** The most, sampled every 5 ms. */
  readonly rss: number;
  readonly loopP99: number;
  readonly loopMost: number;
  /** What the worker says itself. */
  readonly connections: number;
  readonly timeouts: number;
}

const COLUMNS: readonly VisibleColumn[] = [
  { name: "id", type: "string" },
  { name: "name", type: "string" },
  { name: "team", type: "string" },
  { name: "score", type: "integer" },
  { name: "alive", type: "boolean" },
  { name: "at", type: "date" },
];

function rowsOf({ rows, text }: WorkerWish): Cell[][] {
  return Array.from({ length: rows }, (_, i) => [
    `p${i}`,
    `Haruka ${"Hayashi ".repeat(Math.ceil(text / 8))}`.slice(0, text),
    i % 7 === 0 ? "=cmd|' /C calc'!A0" : `Équipe ${i % 40}`,
    (i * 7_919) % 10_000,
    i % 3 === 0,
    `2026-07-${String((i % 31) + 1).padStart(2, "0")}T18:30:00Z`,
  ]);
}

async function serve(wish: WorkerWish): Promise<void> {
  const sheet = new Sheet();
  sheet.table("big", "public", COLUMNS, rowsOf(wish));
  sheet.table("small", "public", COLUMNS, rowsOf({ ...wish, rows: 200, text: 20 }));
  sheet.grant("small", { append: "public" });
  const rig = startRig({
    builtIn: (await import("../../../src/app/index.ts")) as unknown as Readonly<Record<string, unknown>>,
    services: {
      tables: createTables(sheet),
      site: { staticDir: wish.staticDir },
      live: { reconnect: seconds(5), mostStreams: 20 },
      ...loginServices(),
    },
    config: { requestTimeout: ms(wish.requestTimeout), headersTimeout: ms(wish.headersTimeout) },
  });
  await rig.until("ready");
  let late: number[] = [];
  let rss = 0;
  let due = performance.now() + 5;
  setInterval(() => {
    late.push(Math.max(0, performance.now() - due));
    due = performance.now() + 5;
    rss = Math.max(rss, process.memoryUsage.rss());
  }, 5);
  process.on("message", () => {
    late.sort((a, b) => a - b);
    const beat = rig.said.findLast((message) => message.type === "beat");
    const seen: Seen = {
      rss,
      loopP99: late[Math.floor(late.length * 0.99)] ?? 0,
      loopMost: late.at(-1) ?? 0,
      connections: beat?.connections ?? 0,
      timeouts: beat?.counters.timeouts ?? 0,
    };
    [late, rss] = [[], 0];
    rig.said.length = 0;
    process.send?.(seen);
  });
  process.once("disconnect", () => process.exit(0));
  process.send?.({ port: rig.port });
}

export class WorkerProcess {
  readonly url: string;
  readonly port: number;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  async seen(): Promise<Seen> {
    const answer = heard<Seen>(this.#child);
    this.#child.send("seen");
    return await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    await gone;
  }
}

const heard = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    child.once("message", resolve as (message: unknown) => void);
    child.once("exit", (code) => reject(new Error(`the worker left with ${code}`)));
  });

/** Those of a worker in the daemon (src/cli/child-env.ts). */
const FLAGS = ["--max-semi-space-size=2", "--max-old-space-size=512"];

export async function startWorker(wish: WorkerWish): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(wish)], { execArgv: FLAGS });
  return new WorkerProcess(child, (await heard<{ port: number }>(child)).port);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(JSON.parse(process.argv[2] ?? "") as WorkerWish);
