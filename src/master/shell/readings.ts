/** What /proc says of each process of the fleet, added up by place. A figure that can't be read is unknown, never 0. */
import type { NodeFigures } from "../../base/figures.ts";
import type { ProcessMeasured } from "../../base/measured.ts";
import type { Role } from "../../base/protocol.ts";
import type { Timestamp } from "../../base/units.ts";
import type { PlaceId } from "../core/model.ts";
import { readProcSizes, readProcStat, TICKS_PER_SECOND } from "./procstat.ts";

/** What it needs of a child. */
export interface Measurable {
  readonly pid: number;
  readonly role: Role;
  readonly nr: number;
  readonly place: PlaceId;
}

/** CPU time in seconds: the last one read, since it never falls. */
interface Spent {
  readonly user: number;
  readonly system: number;
  readonly startedAt: Timestamp;
}

/** What a process has now; each undefined when it can't be read now. */
type Sizes = Pick<ProcessMeasured, "rss" | "virtual" | "data" | "files">;

interface Reading {
  readonly spent: Spent | undefined;
  readonly sizes: Sizes;
}

/** One living process. */
export interface Living {
  readonly child: Measurable;
  counts: Readonly<Record<string, number>>;
  node: NodeFigures | undefined;
  reading: Reading;
}

const UNKNOWN: Sizes = { rss: undefined, virtual: undefined, data: undefined, files: undefined };
export const UNREAD: Reading = { spent: undefined, sizes: UNKNOWN };

/** @param last what it had spent when it was read before. */
export function readingOf(pid: number, bootedAt: number, last: Spent | undefined): Reading {
  const stat = readProcStat(pid);
  if (stat === undefined) return { spent: last, sizes: UNKNOWN };
  const { cpuTicks, userTicks, rss, startTicks } = stat;
  const spent = {
    user: userTicks / TICKS_PER_SECOND,
    system: (cpuTicks - userTicks) / TICKS_PER_SECOND,
    startedAt: (bootedAt + (startTicks / TICKS_PER_SECOND) * 1_000) as Timestamp,
  };
  return { spent, sizes: { ...UNKNOWN, rss, ...readProcSizes(pid) } };
}

export const byRole = (a: ProcessMeasured, b: ProcessMeasured): number => (a.role === b.role ? a.slot - b.slot : a.role < b.role ? -1 : 1);

const NEVER = 0 as Timestamp;

export const ofMaster = ({ spent, sizes }: Reading, node: NodeFigures): ProcessMeasured => ({
  role: "master",
  slot: 0,
  startedAt: spent?.startedAt ?? NEVER,
  cpuUser: spent?.user,
  cpuSystem: spent?.system,
  ...sizes,
  node,
});

export function byPlace(living: Iterable<Living>, spent: ReadonlyMap<PlaceId, { user: number; system: number }>): ProcessMeasured[] {
  const places = new Map<PlaceId, Living[]>();
  for (const process of living) places.set(process.child.place, [...(places.get(process.child.place) ?? []), process]);
  return [...places].flatMap(([place, processes]) => {
    const known = [spent.get(place), ...processes.map(({ reading }) => reading.spent)].filter((one) => one !== undefined);
    const spentBy = (of: (one: { user: number; system: number }) => number): number | undefined =>
      known.length === 0 ? undefined : known.reduce((all, one) => all + of(one), 0);
    /** Unknown as soon as one of them is. */
    const sum = (of: (sizes: Sizes) => number | undefined): number | undefined =>
      processes.reduce<number | undefined>((all, { reading }) => {
        const one = of(reading.sizes);
        return all === undefined || one === undefined ? undefined : all + one;
      }, 0);
    const newest = processes.at(-1);
    if (newest === undefined) return [];
    return [
      {
        role: newest.child.role,
        slot: newest.child.nr,
        startedAt: newest.reading.spent?.startedAt ?? NEVER,
        cpuUser: spentBy(({ user }) => user),
        cpuSystem: spentBy(({ system }) => system),
        rss: sum((sizes) => sizes.rss),
        virtual: sum((sizes) => sizes.virtual),
        data: sum((sizes) => sizes.data),
        files: sum((sizes) => sizes.files),
        node: newest.node,
      },
    ];
  });
}
