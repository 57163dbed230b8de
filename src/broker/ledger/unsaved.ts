/** Which of the ledger's facts are not on disk as they are in memory. They stay unsaved until their transaction has committed. */
import { between, seconds, type Instant } from "../../base/units.ts";
import type { Session } from "../../sheets/ledger.ts";
import type { Counts } from "./counts.ts";
import { leaseFact } from "./facts.ts";
import type { Fact } from "./kept.ts";
import type { Ended, Mark, Now, Slots, SlotsChange } from "./slots.ts";

/** A lease that moved by less is not written again: after a restart every session has some grace anyway. */
const WORTH_WRITING = seconds(15);

type Parts = { readonly slots: Slots; readonly counts: Counts };

export class Unsaved {
  readonly #leases = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #marks = new Set<string>();
  /** Logins that ended an older session, which is not on disk as ended. */
  readonly #logins = new Set<string>();
  /** Windows that the last broker left in the file: they are counted here now. */
  readonly #takenWindows = new Set<string>();
  /** Until when each lease is, on disk. */
  readonly #written = new Map<string, Instant>();

  note({ leases, ended, marks, logins }: SlotsChange): void {
    for (const id of leases) this.#leases.add(id);
    for (const id of ended) this.#ended.add(id);
    for (const user of marks) this.#marks.add(user);
    for (const id of logins) this.#logins.add(id);
  }

  /** The file was read: it has these leases and windows. What is unsaved stays so. */
  loaded({ leases }: Slots, windows: readonly string[]): void {
    for (const key of windows) this.#takenWindows.add(key);
    this.#leases.clear();
    this.#written.clear();
    for (const [id, { until }] of leases) this.#written.set(id, until);
  }

  /** Every lease is to be written, however little it has moved. */
  everyLease({ leases }: Slots): void {
    this.#written.clear();
    for (const id of leases.keys()) this.#leases.add(id);
  }

  facts({ slots, counts }: Parts, at: Now): Fact[] {
    const { leases, ended, marks } = slots;
    const facts: Fact[] = [];
    for (const id of this.#leases) {
      const lease = leases.get(id);
      if (this.#hasMoved(id, lease?.until)) facts.push({ kind: "lease", key: id, value: lease && leaseFact(lease, at) });
    }
    for (const id of this.#ended) facts.push({ kind: "ended", key: id, value: ended.get(id) });
    for (const user of this.#marks) facts.push({ kind: "mark", key: user, value: marks.get(user) });
    for (const key of this.#takenWindows) facts.push({ kind: "window", key, value: undefined });
    for (const key of counts.days.unsaved()) facts.push({ kind: "day", key, value: counts.days.get(key) });
    return facts;
  }

  /** What `facts` returned is on disk. */
  saved({ slots, counts }: Parts): void {
    for (const id of this.#leases) {
      const until = slots.leases.get(id)?.until;
      if (until === undefined) this.#written.delete(id);
      else if (this.#hasMoved(id, until)) this.#written.set(id, until);
    }
    for (const set of [this.#leases, this.#ended, this.#marks, this.#logins, this.#takenWindows]) set.clear();
    counts.days.saved();
  }

  /** Sessions and marks that this ledger has ended and no file knows of. */
  endings({ ended, marks }: Slots): { readonly ended: readonly Ended[]; readonly marks: readonly Mark[] } {
    return {
      ended: [...this.#ended].flatMap((id) => ended.get(id) ?? []),
      marks: [...this.#marks].flatMap((user) => marks.get(user) ?? []),
    };
  }

  /** Whether the session was admitted by ending another one, which is not on disk as ended. */
  awaits({ id }: Session): boolean {
    return this.#logins.has(id);
  }

  #hasMoved(id: string, until: Instant | undefined): boolean {
    const before = this.#written.get(id);
    return until === undefined || before === undefined || Math.abs(between(before, until)) >= WORTH_WRITING;
  }
}
