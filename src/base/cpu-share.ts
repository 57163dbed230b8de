/** How busy the CPU is, and how much of that is drover's own doing: other processes of the machine must not be blamed on it. */

/** What was measured over the same time. */
export interface CpuUse {
  /** Of all CPUs of the machine, by every process: 0…1. */
  readonly load: number;
  /** CPUs that drover may use: affinity and cgroup quota counted; 0.5 is half a CPU. */
  readonly granted: number;
  /** CPUs that drover's processes use; undefined: not known yet. */
  readonly own: number | undefined;
}

/** Ratios 0…1, of the machine or of the part of it that the cgroup grants. */
export interface CpuShares {
  readonly cpu: number;
  /** drover's own part of `cpu`; absent: not known. */
  readonly ownCpu?: number;
}

/** Where a quota or an affinity leaves less than the machine has, the part that is granted counts. */
export function cpuShares({ load, granted, own }: CpuUse): CpuShares {
  if (own === undefined) return { cpu: load };
  const ownCpu = Math.min(1, own / granted);
  return { cpu: Math.max(load, ownCpu), ownCpu };
}

/** Part of the machine that drover can get from other processes: the scheduler is fair. */
const FAIR = 0.5;

/** How much of the CPU that drover can get it uses: 0…1. */
export function cpuPressure({ cpu, ownCpu }: CpuShares): number {
  return ownCpu === undefined ? cpu : Math.min(1, ownCpu / Math.max(1 - (cpu - ownCpu), FAIR));
}

/** Whether drover itself is short of CPU. */
export const bindsCpu = (shares: CpuShares, threshold: number): boolean => cpuPressure(shares) >= threshold;

/** Whether the part of other processes is large enough to be named. */
export const othersShow = ({ cpu, ownCpu }: CpuShares): boolean => ownCpu !== undefined && cpu - ownCpu >= 0.2;
