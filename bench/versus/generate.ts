/**
 * Who asks: wrk and ab where they are installed, because a request costs them the least; otherwise the benches' own generator in a
 * process of its own. None of their CPU is counted to the server.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { TICKS_PER_SECOND } from "../../src/master/shell/procstat.ts";
import type { LoadResult } from "../load.ts";
import { find } from "./tools.ts";

const exec = promisify(execFile);
const LUA = new URL("wrk.lua", import.meta.url).pathname;
const OWN = new URL("own-generator.ts", import.meta.url).pathname;

export interface Sent {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly errors: number;
}

/** Keep-alive, for a time; every connection asks again as soon as it is answered. */
export async function keepAlive(port: number, path: string, connections: number, seconds: number): Promise<Sent> {
  const wrk = find("wrk");
  if (wrk === undefined) return own(port, path, connections, { seconds }, true);
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "30s", "-s", LUA, `http://127.0.0.1:${port}${path}`];
  return readWrk((await exec(wrk, args, { maxBuffer: 1e7 })).stdout);
}

/** The same until `done` settles. wrk tells what it has on SIGINT; the own generator is asked for two seconds again and again. */
export async function keepAliveUntil(port: number, path: string, connections: number, done: Promise<unknown>): Promise<Sent> {
  const wrk = find("wrk");
  if (wrk === undefined) return again(() => own(port, path, connections, { seconds: 2 }, true), done);
  const args = ["-t1", `-c${connections}`, "-d600s", "--timeout", "30s", "-s", LUA, `http://127.0.0.1:${port}${path}`];
  const running = exec(wrk, args, { maxBuffer: 1e7 });
  const end = (): void => void running.child.kill("SIGINT");
  done.then(end, end);
  return readWrk((await running).stdout);
}

/** Runs `one` until `done` settles, at least once, and puts the counts together; there are no percentiles of them all. */
export async function again(one: () => Promise<Sent>, done: Promise<unknown>): Promise<Sent> {
  const over = new AbortController();
  const end = (): void => over.abort();
  done.then(end, end);
  let sum: Sent = { requests: 0, seconds: 0, p50: Number.NaN, p99: Number.NaN, max: 0, errors: 0 };
  do {
    const sent = await one();
    sum = {
      ...sum,
      requests: sum.requests + sent.requests,
      seconds: sum.seconds + sent.seconds,
      max: Math.max(sum.max, sent.max),
      errors: sum.errors + sent.errors,
    };
  } while (!over.signal.aborted);
  return sum;
}

/** A connection for every request, as `ab -n REQUESTS -c CONNECTIONS`. */
export async function oneEach(port: number, path: string, connections: number, requests: number): Promise<Sent> {
  const ab = find("ab");
  if (ab === undefined) return own(port, path, connections, { requests }, false);
  const args = [
    "-q",
    "-r",
    "-s",
    String(PATIENCE_SECONDS),
    "-n",
    String(requests),
    "-c",
    String(connections),
    `http://127.0.0.1:${port}${path}`,
  ];
  const begin = performance.now();
  try {
    return readAb((await exec(ab, args, { maxBuffer: 1e7 })).stdout);
  } catch (error) {
    if (!String((error as { stderr?: string }).stderr).includes("timeout specified has expired")) throw error;
    return hung((performance.now() - begin) / 1_000);
  }
}

/** ab gives everything up, its counts too, once a connection has been silent for so long. */
const PATIENCE_SECONDS = 30;
const hung = (seconds: number): Sent => {
  const ms = PATIENCE_SECONDS * 1_000;
  return { requests: 0, seconds, p50: ms, p99: ms, max: ms, errors: 1 };
};

export function readWrk(text: string): Sent {
  const [, json] = /^RESULT (\{.*\})$/m.exec(text) ?? [];
  if (json === undefined) throw new Error(`wrk told nothing: ${text.slice(0, 500)}`);
  return JSON.parse(json) as Sent;
}

export function readAb(text: string): Sent {
  const of = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  const done = of(/^Complete requests:\s+(\d+)/m);
  if (Number.isNaN(done)) throw new Error(`ab told nothing: ${text.slice(0, 500)}`);
  // A connection that is lost is counted as up to three of these.
  const [, ...failures] = /\(Connect: (\d+), Receive: (\d+), Length: (\d+), Exceptions: (\d+)\)/.exec(text) ?? [];
  const refused = of(/^Non-2xx responses:\s+(\d+)/m);
  return {
    requests: done,
    seconds: of(/^Time taken for tests:\s+([\d.]+)/m),
    p50: of(/^\s+50%\s+(\d+)/m),
    p99: of(/^\s+99%\s+(\d+)/m),
    max: of(/^\s+100%\s+(\d+)/m),
    errors: Math.max(0, ...failures.map(Number)) + (Number.isNaN(refused) ? 0 : refused),
  };
}

async function own(
  port: number,
  path: string,
  connections: number,
  limit: { seconds: number } | { requests: number },
  keep: boolean,
): Promise<Sent> {
  const order = JSON.stringify({ port, path, connections, keepAlive: keep, ...limit });
  const { done, seconds, p50, p99, max, errors } = JSON.parse((await exec(process.execPath, [OWN, order])).stdout) as LoadResult;
  return { requests: done, seconds, p50, p99, max, errors };
}

/** CPU-seconds of all children of this process that have ended and been waited for: proc(5), cutime and cstime. */
export function childrenCpu(): number {
  const text = readFileSync("/proc/self/stat", "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}
