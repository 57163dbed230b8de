/** One measurement: a load, what the server's tree burnt for it, and how quiet the machine was meanwhile. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TICKS_PER_SECOND } from "../../src/master/shell/procstat.ts";
import { cpuSeconds } from "../tree.ts";
import { childrenCpu, keepAlive, oneEach, type Sent } from "./generate.ts";
import type { Running } from "./stack.ts";

export interface Load {
  readonly connections: number;
  /** Keep-alive for so long … */
  readonly seconds?: number;
  /** … or so many requests, each with a connection of its own. */
  readonly requests?: number;
}

export interface Round {
  readonly requests: number;
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly errors: number;
  /** CPU-seconds of the server's tree for 100,000 requests. */
  readonly cpu: number;
  /** The generator's, for as many. */
  readonly generatorCpu: number;
  /** CPUs that anything else on the machine took. */
  readonly others: number;
}

/** Beyond this somebody else was measured too, and it is done again. */
const DISTURBED = 0.35;
let repeats = 0;
/** In one run: on a machine that is never quiet a run must end too. */
const MOST_REPEATS = 12;
export const repeated = (): number => repeats;

export async function measure(running: Running, load: Load): Promise<Round> {
  const first = await once(running, load);
  const round = first.requests > 0 ? first : await once(running, load);
  if (round.requests === 0) throw new Error("nobody was answered in time, twice");
  if (round.others <= DISTURBED || repeats >= MOST_REPEATS) return round;
  repeats += 1;
  const again = await once(running, load);
  return again.requests > 0 && again.others < round.others ? again : round;
}

async function once({ port, path, root }: Running, load: Load): Promise<Round> {
  const before = look(root);
  const begin = performance.now();
  const sent =
    load.seconds === undefined
      ? await oneEach(port, path, load.connections, load.requests ?? 10_000)
      : await keepAlive(port, path, load.connections, load.seconds);
  const wall = (performance.now() - begin) / 1_000;
  const after = look(root);
  await sleep(SETTLE);
  return figures(sent, before, after, wall);
}

/** Until what was open is closed. */
const SETTLE = 150;

interface Look {
  readonly server: number;
  readonly generator: number;
  readonly own: number;
  readonly machine: number;
}

const look = (root: number): Look => {
  const { user, system } = process.cpuUsage();
  return { server: cpuSeconds(root), generator: childrenCpu(), own: (user + system) / 1e6, machine: cpuOfMachine() };
};

function figures(sent: Sent, before: Look, after: Look, wall: number): Round {
  const spent = (key: keyof Look): number => after[key] - before[key];
  const per100k = (seconds: number): number => (seconds / Math.max(1, sent.requests)) * 100_000;
  return {
    requests: sent.requests,
    rps: rounded(sent.requests / sent.seconds, 1),
    p50: rounded(sent.p50),
    p99: rounded(sent.p99),
    max: rounded(sent.max),
    errors: sent.errors,
    cpu: rounded(per100k(spent("server"))),
    generatorCpu: rounded(per100k(spent("generator"))),
    others: rounded(Math.max(0, spent("machine") - spent("server") - spent("generator") - spent("own")) / wall),
  };
}

/** CPU-seconds of the whole machine that were not idle: proc(5), stat. */
export function cpuOfMachine(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (readFileSync("/proc/stat", "latin1").split("\n")[0] ?? "")
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));
