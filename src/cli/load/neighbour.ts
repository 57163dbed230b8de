/** Another program on this machine: its processes are found by the port that they listen on, and seen in /proc (proc(5), Linux alone). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { endianness } from "node:os";
import { hears } from "../../load/address.ts";
import type { Server } from "../../load/server.ts";
import { readProcStat, TICKS_PER_SECOND } from "../../master/shell/procstat.ts";
import type { Machine } from "../../settings/machine.ts";
import type { Target } from "../../load/target.ts";

/** What processes burn and hold, counted up from the first look on. */
export interface Use {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** CPUs that the busiest of them took since the look before, 0 to 1 for one that has one thread. */
  readonly busiest: number;
}

/**
 * Of processes that come and go: what one burnt between two looks, from its first look on. What is `others` than before counts from now on: it may
 * have lived for hours.
 */
export function cpuCounter(): (pids: readonly number[], others?: boolean) => Use {
  let before: ReadonlyMap<string, number> = new Map();
  let ticks = 0;
  let lookedAt: number | undefined;
  return (pids, others = false) => {
    const now = performance.now();
    const isFirst = others || lookedAt === undefined;
    const elapsed = lookedAt === undefined ? Infinity : Math.max(1, now - lookedAt) / 1_000;
    const seen = new Map<string, number>();
    let [rssBytes, most] = [0, 0];
    for (const pid of pids) {
      const stat = readProcStat(pid);
      if (stat === undefined) continue;
      rssBytes += stat.rss;
      const name = `${pid} ${stat.startTicks}`;
      const burnt = stat.cpuTicks - (before.get(name) ?? (isFirst ? stat.cpuTicks : 0));
      ticks += burnt;
      most = Math.max(most, burnt);
      seen.set(name, stat.cpuTicks);
    }
    before = seen;
    lookedAt = now;
    return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes, busiest: Math.min(1, most / TICKS_PER_SECOND / elapsed) };
  };
}

/** Looks, a second apart: one who drains beside his successor is alive as long as he likes. */
const AGAIN = 5;

/** @returns undefined when no process that we may look into listens there. Whoever listens there after a restart is looked for again. */
export function neighbour(target: Pick<Target, "address" | "port">, machine: Machine): Server | undefined {
  let roots = listeners(target);
  if (roots.length === 0) return undefined;
  const use = cpuCounter();
  let looks = 0;
  const nothing = { hits: 0, stale: 0, misses: 0, upstreamCalls: 0, quota: undefined, full: false, deaths: 0, machineCpu: undefined };
  return {
    machine: { cpus: machine.cpus, memoryBytes: machine.memory },
    about: undefined,
    sample: async () => {
      looks += 1;
      const others = roots.length === 0 || !roots.every(isAlive) || looks % AGAIN === 0;
      if (others) roots = listeners(target);
      if (roots.length === 0) return undefined;
      const { busiest, ...seen } = use(withChildren(roots.map(({ pid }) => pid)), others);
      return { ...nothing, ...seen, at: performance.now(), elu: busiest, workers: 0 };
    },
  };
}

/** A pid alone may be another's later. */
interface Root {
  readonly pid: number;
  readonly startTicks: number;
}
const ENDED = /^[ZXx]$/;
function isAlive({ pid, startTicks }: Root): boolean {
  const stat = readProcStat(pid);
  return stat?.startTicks === startTicks && !ENDED.test(stat.state);
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // it has gone, or is not ours to see
  }
}

const LISTEN = "0A";
const PIDS = (): number[] => {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return []; // no /proc: no Linux
  }
};

/** The processes that hold a socket which listens there. */
function listeners({ address, port }: Pick<Target, "address" | "port">): Root[] {
  const lines = `${read("/proc/net/tcp")}\n${read("/proc/net/tcp6")}`.split("\n").map((line) => line.trim().split(/\s+/));
  const inodes = new Set(
    lines.flatMap(([, local = "", , state, , , , , , inode]) => {
      const [host = "", at = ""] = local.split(":");
      return state === LISTEN && Number.parseInt(at, 16) === port && hears(addressOf(host), address) ? [`socket:[${inode}]`] : [];
    }),
  );
  if (inodes.size === 0) return [];
  return PIDS().flatMap((pid) => {
    const startTicks = descriptors(pid).some((link) => inodes.has(link)) ? readProcStat(pid)?.startTicks : undefined;
    return startTicks === undefined ? [] : [{ pid, startTicks }];
  });
}

/** As the kernel prints it: words of 32 bits, each in the order of this machine's bytes. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  if (endianness() === "LE") bytes.swap32();
  if (bytes.length === 4) return bytes.join(".");
  return Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(":");
}

function descriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return []; // another user's, or gone meanwhile
  }
}

/** A master that listens and workers that answer are one server. */
function withChildren(roots: readonly number[]): number[] {
  const parents = PIDS().map((pid) => [pid, readProcStat(pid)?.ppid] as const);
  const found = new Set(roots);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (parent !== undefined && found.has(parent)) found.add(pid);
  }
  return [...found];
}
