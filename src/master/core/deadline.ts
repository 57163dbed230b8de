import { impossible } from "../../base/never.ts";
import type { Instant } from "../../base/units.ts";
import type { Master, Slot } from "./model.ts";

/** When a slot's state ends by itself. Every state with a process has one. */
export function deadlineOf(slot: Slot): Instant | undefined {
  switch (slot.is) {
    case "vacant":
    case "spawning":
      return undefined;
    case "waiting":
      return slot.until;
    case "starting":
      return slot.readyBy;
    case "trial":
      return Math.min(slot.beatBy, slot.probeBy ?? slot.settleBy) as Instant;
    case "ready":
      return slot.beatBy;
    case "examined":
      return slot.examineBy;
    case "draining":
      return slot.exitBy;
    case "killed":
      return slot.reapBy;
    default:
      return impossible(slot);
  }
}

/**
 * When the shell's one timer must fire next: the least deadline of all slots and of the head start, or undefined when nothing is awaited. A stop
 * needs no more: whoever it waits for drains, and has a deadline of its own.
 */
export function nextDeadline(master: Master): Instant | undefined {
  let least: Instant | undefined = master.mode.is === "running" ? master.ahead : undefined;
  for (const { incumbent, successor, leaving } of master.places.values())
    for (const slot of [incumbent, successor, ...leaving]) {
      for (const due of [deadlineOf(slot), slot.is === "starting" ? slot.crowdsUntil : undefined])
        if (due !== undefined && (least === undefined || due < least)) least = due;
    }
  return least;
}
