/** Adds up what children tell in their beats and what /proc tells of them. Nobody is asked when it is read: a child that hangs keeps its last figures. */
import { statfs } from "node:fs/promises";
import { sinceBoot } from "../../base/boot.ts";
import { mostDescriptors } from "../../base/descriptors.ts";
import { COUNT_FAMILIES, SPANS, watchNode, type NodeWatch, type SpanName } from "../../base/figures.ts";
import { Histogram } from "../../base/histogram.ts";
import { watchLoop } from "../../base/loopdelay.ts";
import type { DiskMeasured, Measured } from "../../base/measured.ts";
import type { Beat, Role } from "../../base/protocol.ts";
import { ms, type Ms } from "../../base/units.ts";
import type { PlaceId } from "../core/model.ts";
import { byPlace, byRole, ofMaster, readingOf, UNREAD, type Living, type Measurable } from "./readings.ts";

export interface Measures {
  /** Takes a beat in. */
  add(child: Measurable, beat: Beat): void;
  /** A child is gone; what it has used stays. */
  forget(pid: number): void;
  /** Looks at every process, at the disks, and turns the minute's window on; call it every few seconds. */
  sample(children: Iterable<Measurable>): void;
  read(journalSize: number): Measured;
  /** Of the last minute's answers; undefined: there were none. */
  minuteP95(): Ms | undefined;
  /** The counts alone, which `read` has too. */
  counts(): Measured["counts"];
}

/** Names of one family. What comes after is counted as its "other". */
const MOST_OF_A_FAMILY = 64;
/** Samples that make a minute. */
const SLICES = 12;

/** @param directories by what they are for: whose file systems may fill up. */
export function createMeasures(directories: readonly { readonly name: DiskMeasured["directory"]; readonly path: string }[]): Measures {
  const sums = new Sums();
  const living = new Map<number, Living>();
  const spent = new Map<PlaceId, { user: number; system: number }>();
  const latency = new Histogram();
  const minute = Array.from({ length: SLICES }, () => new Histogram());
  const own = watchOwn();
  let disks: readonly DiskMeasured[] = [];
  const bootedAt = Date.now() - sinceBoot(); // once: a start must not move with the clock
  let master = readingOf(process.pid, bootedAt, undefined);
  let ownFigures = own.node.figures();

  const known = (child: Measurable): Living => {
    const found = living.get(child.pid) ?? { child, counts: {}, node: undefined, reading: UNREAD };
    living.set(child.pid, found);
    return found;
  };

  const lookAtDisks = (): void => {
    void Promise.all(directories.map(diskOf)).then((found) => (disks = found.filter((disk) => disk !== undefined)));
  };

  const minuteP95 = (): Ms | undefined => {
    const last = new Histogram();
    for (const slice of minute) last.absorb(slice);
    const p95 = last.quantile(0.95);
    return p95 === undefined ? undefined : ms(p95);
  };

  return {
    add(child, beat) {
      if (child.role !== "emulator") {
        latency.merge(beat.latency); // the emulator is Google here: its requests are not ours
        minute[0]?.merge(beat.latency);
      }
      const { figures } = beat;
      if (figures === undefined) return;
      const one = known(child);
      sums.add(child.role, figures.spans);
      sums.count(figures.counts, one.counts);
      one.counts = figures.counts;
      one.node = figures.node ?? one.node;
    },
    forget(pid) {
      const gone = living.get(pid);
      if (gone === undefined) return;
      living.delete(pid);
      const { place } = gone.child;
      const before = spent.get(place) ?? { user: 0, system: 0 };
      spent.set(place, { user: before.user + (gone.reading.spent?.user ?? 0), system: before.system + (gone.reading.spent?.system ?? 0) });
    },
    sample(children) {
      for (const child of children) {
        const one = known(child);
        one.reading = readingOf(child.pid, bootedAt, one.reading.spent);
      }
      master = readingOf(process.pid, bootedAt, master.spent);
      ownFigures = own.node.figures();
      sums.add("master", own.node.pauses());
      const oldest = minute.pop();
      oldest?.reset();
      if (oldest !== undefined) minute.unshift(oldest);
      lookAtDisks();
    },
    minuteP95,
    counts: () => sums.counts(),
    read(journalSize) {
      return {
        ...sums.read(),
        latency: latency.counts(),
        processes: [ofMaster(master, ownFigures), ...byPlace(living.values(), spent).toSorted(byRole)],
        mostFiles: own.mostFiles,
        disks,
        minuteP95: minuteP95(),
        journalSize,
      };
    },
  };
}

/** The sums that no death may make fall. */
class Sums {
  readonly #counts = new Map<string, number>();
  readonly #names = new Map<string, number>();
  readonly #spans = new Map<SpanName, Histogram>();
  readonly #pauses = new Map<string, { readonly role: Role | "master"; readonly kind: string; readonly times: Histogram }>();

  add(role: Role | "master", spans: Partial<Record<SpanName, Parameters<Histogram["merge"]>[0]>>): void {
    for (const name of SPANS) {
      const delta = spans[name];
      if (delta === undefined || delta.length === 0) continue;
      const times = name.startsWith("gc.") ? this.#pausesOf(role, name.slice(3)) : this.#spanOf(name);
      times.merge(delta);
    }
  }

  /** What grew since the child's last beat. A count that fell (a broken child) adds nothing. */
  count(now: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>): void {
    for (const [name, n] of Object.entries(now)) {
      const grown = n - (before[name] ?? 0);
      if (grown <= 0) continue;
      const kept = this.#kept(name);
      this.#counts.set(kept, (this.#counts.get(kept) ?? 0) + grown);
    }
  }

  counts(): Measured["counts"] {
    return Object.fromEntries(this.#counts);
  }

  read(): Pick<Measured, "counts" | "spans" | "pauses"> {
    return {
      counts: this.counts(),
      spans: Object.fromEntries([...this.#spans].map(([name, times]) => [name, times.counts()])),
      pauses: [...this.#pauses.values()].map(({ role, kind, times }) => ({ role, kind, times: times.counts() })),
    };
  }

  #kept(name: string): string {
    if (this.#counts.has(name)) return name;
    const family = name.slice(0, name.indexOf("."));
    if (!COUNT_FAMILIES.some((known) => known === family)) return "shed.other";
    const names = this.#names.get(family) ?? 0;
    if (names >= MOST_OF_A_FAMILY) return `${family}.other`;
    this.#names.set(family, names + 1);
    return name;
  }

  #spanOf(name: SpanName): Histogram {
    const span = this.#spans.get(name) ?? new Histogram();
    this.#spans.set(name, span);
    return span;
  }

  #pausesOf(role: Role | "master", kind: string): Histogram {
    const key = `${role} ${kind}`;
    const pauses = this.#pauses.get(key) ?? { role, kind, times: new Histogram() };
    this.#pauses.set(key, pauses);
    return pauses.times;
  }
}

function watchOwn(): { readonly node: NodeWatch; readonly mostFiles: number | undefined } {
  return { node: watchNode(watchLoop()), mostFiles: mostDescriptors() };
}

async function diskOf({
  name,
  path,
}: {
  readonly name: DiskMeasured["directory"];
  readonly path: string;
}): Promise<DiskMeasured | undefined> {
  try {
    const { blocks, bavail, bsize, files, ffree } = await statfs(path);
    const inodes = files === 0 ? {} : { inodes: { total: files, free: ffree } };
    return blocks === 0 ? undefined : { directory: name, size: blocks * bsize, free: bavail * bsize, ...inodes };
  } catch {
    return undefined; // not there yet, or gone: nothing is said of it
  }
}
