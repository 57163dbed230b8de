import { readFileSync } from "node:fs";
import { lendReserve, requireDescriptors, withReserve } from "../../base/descriptors.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";

/** The machine, or the part of it that the cgroup grants, as last sampled. Ratios 0…1. */
export interface MachineSample {
  readonly cpu: number;
  readonly ram: number;
  readonly ramUsed: number;
  readonly ramTotal: number;
}

export interface Thresholds {
  /** Warn from here on (the source documents' 80 %), clear 5 points below. */
  readonly cpu: number;
  readonly ram: number;
  /** From here on no second process is started beside the first, and none is recycled. */
  readonly ramShort: number;
}

export const THRESHOLDS: Thresholds = { cpu: 0.8, ram: 0.8, ramShort: 0.85 };
const HYSTERESIS = 0.05;

export interface MachineWatch {
  /** Takes a sample in the background; what it finds arrives by `onSample`. Never overlaps itself. */
  sample(): void;
  /** undefined: not sampled yet, or it can't be read now. */
  last(): MachineSample | undefined;
}

/** For a shell with its pipes, and for files. */
const DESCRIPTORS = 10;

/** Reads CPU and RAM through systeminformation (loaded at the first sample), memory through the cgroup where it limits us. */
export function createMachineWatch(log: Logger, onSample: (sample: MachineSample) => void): MachineWatch {
  let last: MachineSample | undefined;
  let busy = false;
  let unread = false;
  const take = async (): Promise<void> => {
    const { currentLoad, mem } = await import("systeminformation");
    const [load, memory] = await withDescriptors(() => Promise.all([currentLoad(), mem()]));
    const limited = cgroupMemory();
    const total = limited === undefined ? memory.total : Math.min(limited.limit, memory.total);
    const used = limited === undefined || limited.limit >= memory.total ? memory.active : limited.used;
    last = { cpu: load.currentLoad / 100, ram: total > 0 ? used / total : 0, ramUsed: used, ramTotal: total };
    if (unread) log.info("CPU and RAM can be read again");
    unread = false;
    onSample(last);
  };
  return {
    last: () => last,
    sample() {
      if (busy) return;
      busy = true;
      take()
        .catch((error: unknown) => {
          last = undefined;
          if (!unread) log.warn({ err: error }, `CPU and RAM can't be read and are unknown until they can: ${messageOf(error)}`);
          unread = true;
        })
        .finally(() => {
          busy = false;
        });
    },
  };
}

/** Without descriptors systeminformation answers with figures of its own making instead of an error. @throws Error EMFILE or ENFILE. */
async function withDescriptors<T>(sample: () => Promise<T>): Promise<T> {
  const giveBack = lendReserve();
  try {
    requireDescriptors(DESCRIPTORS);
    return await sample();
  } finally {
    giveBack();
  }
}

/** Whether a level is crossed, with hysteresis: it clears 5 points below where it was raised. */
export const raised = (was: boolean, value: number, threshold: number): boolean => value >= (was ? threshold - HYSTERESIS : threshold);

/** The memory controller's limit and use of our own cgroup: v2 first, then v1. The page cache that can be dropped is not use. */
export function cgroupMemory(): { limit: number; used: number } | undefined {
  const groups = readOr("/proc/self/cgroup")
    .split("\n")
    .map((line) => line.split(":"));
  const v2 = groups.find(([id]) => id === "0")?.[2];
  const v1 = groups.find(([, controllers]) => controllers?.split(",").includes("memory"))?.[2];
  const tries = [
    { dir: `/sys/fs/cgroup${v2 ?? ""}`, limit: "memory.max", used: "memory.current", cache: "inactive_file" },
    { dir: "/sys/fs/cgroup", limit: "memory.max", used: "memory.current", cache: "inactive_file" },
    {
      dir: `/sys/fs/cgroup/memory${v1 ?? ""}`,
      limit: "memory.limit_in_bytes",
      used: "memory.usage_in_bytes",
      cache: "total_inactive_file",
    },
    { dir: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: "total_inactive_file" },
  ];
  for (const { dir, limit, used, cache } of tries) {
    const most = Number(readOr(`${dir}/${limit}`).trim() || Number.NaN);
    const now = Number(readOr(`${dir}/${used}`).trim() || Number.NaN);
    if (!Number.isFinite(most) || !Number.isFinite(now) || most > 2 ** 60) continue;
    const droppable = Number(new RegExp(`^${cache} (\\d+)$`, "m").exec(readOr(`${dir}/memory.stat`))?.[1] ?? 0);
    return { limit: most, used: Math.max(0, now - droppable) };
  }
  return undefined;
}

function readOr(file: string): string {
  try {
    return withReserve(() => readFileSync(file, "utf8"));
  } catch {
    return "";
  }
}
