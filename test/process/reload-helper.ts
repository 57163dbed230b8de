/** Reloads of an application that the test spoils, under clients. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestContext } from "node:test";
import { folder } from "../support/cleanup.ts";
import { cleanEnv, DROVER, get, start, type Daemon } from "./harness.ts";

export const WORKERS = 3;
/** Line of the .env file: how long a new worker must live before the roll goes on. */
export const SETTLE = "DROVER_ROLL_SETTLE=300ms\n";

/** An application by what it does when it starts, and its answer to a probe. */
export const application = (atStart = "", probe = 200): string => `
  import http from "node:http";
  ${atStart}
  http.createServer((req, res) => {
    if (req.url === "/probe") res.statusCode = ${probe};
    res.end(String(process.pid));
  }).listen(3000);`;

export interface Situation {
  readonly daemon: Daemon;
  write(file: string, text: string): void;
  /** The processes in the workers' places. */
  pids(): Promise<number[]>;
}

export async function begin(t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<Situation> {
  const dir = folder(t);
  const write = (file: string, text: string): void => writeFileSync(join(dir, file), text);
  write("app.mjs", application());
  write(".env", SETTLE);
  const daemon = await start(t, {
    cwd: dir,
    args: [join(dir, "app.mjs")],
    env: { DROVER_WORKERS: String(WORKERS), DROVER_ROLL_SETTLE: undefined, ...env },
  });
  const pids = async (): Promise<number[]> =>
    (await daemon.status()).places.filter((p) => p.role === "worker").map((p) => p.child?.pid ?? 0);
  return { daemon, write, pids };
}

/** `drover reload`, as the operator runs it. */
export function reload({ daemon }: Situation): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(DROVER, ["reload"], { cwd: daemon.dir, env: cleanEnv(), stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

/** Clients that send requests until they are stopped, each on a connection of its own. */
export function clients(daemon: Daemon, count: number): () => Promise<{ served: number; failures: string[] }> {
  const asking = { on: true };
  let served = 0;
  const failures: string[] = [];
  const one = async (): Promise<void> => {
    while (asking.on) {
      await get(daemon.url).then(
        ({ status }) => void (status === 200 ? (served += 1) : failures.push(`status ${status}`)),
        (error: Error) => failures.push(error.message),
      );
      await sleep(10);
    }
  };
  const all = Array.from({ length: count }, one);
  return async () => {
    asking.on = false;
    await Promise.all(all);
    return { served, failures };
  };
}

export interface Case {
  readonly name: string;
  spoil(s: Situation): void;
  /** What happens while the reload is under way. */
  during?(s: Situation): Promise<void>;
  /** Default: the application as it was. */
  fix?(s: Situation): void;
  readonly why: RegExp;
  /** Requests that may fail: those that a worker was answering when its own code ended it. */
  readonly lost?: number;
}

export const ASKING = 2;

/** One reload that fails, and one that succeeds: the old generation serves meanwhile, no request is lost, the reason is reported. */
export async function fails(s: Situation, { spoil, during, why, lost = 0, fix }: Case): Promise<void> {
  const before = await s.pids();
  const lines = s.daemon.log().length;
  const asked = clients(s.daemon, ASKING);
  spoil(s);
  const reloading = reload(s);
  await during?.(s);
  const failed = await reloading;
  const { served, failures } = await asked();
  assert.equal(failed.code, 1, `${failed.out}${failed.err}`);
  assert.match(failed.err, why);
  assert.deepEqual(await s.pids(), before, "the old generation is untouched");
  assert.ok(failures.length <= lost && served > 0, `${served} served, lost: ${failures.join(", ")}`);
  const { lastRoll, refusedReload } = await s.daemon.status();
  assert.match(refusedReload ?? (lastRoll?.is === "rolledBack" ? lastRoll.why : ""), why);
  const said = s.daemon
    .log()
    .slice(lines)
    .filter((line) => line["alert"] === undefined && /rolled back|refused/.test(String(line["msg"]))); // an alert quotes it
  assert.equal(said.length, 1, JSON.stringify(said));
  assert.match(String(said[0]?.["msg"]), why);

  if (fix === undefined) s.write("app.mjs", application());
  else fix(s);
  const good = await reload(s);
  assert.deepEqual([good.code, good.err], [0, ""], good.out);
  assert.match(good.out, /generation \d+ serves/);
  const after = await s.pids();
  assert.ok(after.length === WORKERS && after.every((pid) => !before.includes(pid)));
  assert.equal((await s.daemon.status()).refusedReload, null);
}
