/** How full the service was in the last 35 days: looks at it, and keeps the record on disk. */
import { observe, type UsageRecord } from "../../admin/slots/record.ts";
import type { Clock } from "../../base/clock.ts";
import { slotsForMemory, type SlotsState } from "../../base/slots.ts";
import { between, minutes, ms, type Bytes, type Instant, type Ms } from "../../base/units.ts";
import type { MachineFacts } from "../../master/snapshot.ts";
import type { SlotFiles } from "./files.ts";

export interface Usage {
  /**
   * Looks once; call it every few seconds.
   * @param steady how long the wall clock has run without a step.
   */
  look(seen: { readonly slots: SlotsState | null; readonly machine: MachineFacts | null }, steady: Ms, memory: Bytes): void;
  record(): UsageRecord;
  /** Writes the record before the process ends. */
  close(): void;
}

const SAVE_EVERY = minutes(1);

export function createUsage(clock: Clock, files: Pick<SlotFiles, "usage" | "saveUsage" | "saveUsageNow">): Usage {
  /** Undefined: the file can't be read now, and must not be replaced. */
  let record: UsageRecord | undefined;
  const read = (): void => {
    const found = files.usage();
    if (found.is !== "unreadable") record = found.is === "found" ? found.value : [];
  };
  read();
  let last: Instant | undefined;
  let savedAt = clock.now();
  let hasLooked = false;
  return {
    record: () => record ?? [],
    look({ slots, machine }, steady, memory) {
      const now = clock.now();
      const since = last === undefined ? ms(0) : between(last, now);
      last = slots === null ? undefined : now;
      if (slots === null) return;
      if (record === undefined) read();
      if (record === undefined) return;
      record = observe(record, {
        wall: clock.wall(),
        since,
        steady,
        used: slots.used,
        max: slots.max,
        comfort: slotsForMemory(memory),
        cpu: machine?.cpu ?? null,
        memory: machine?.ram ?? null,
      });
      hasLooked = true;
      if (between(savedAt, now) < SAVE_EVERY) return;
      savedAt = now;
      files.saveUsage(record);
    },
    close() {
      if (hasLooked && record !== undefined) files.saveUsageNow(record);
    },
  };
}
