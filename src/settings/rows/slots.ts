import { choice } from "../parsers.ts";
import { slotSchedule } from "../schedule.ts";
import { setting } from "../setting.ts";

export const SLOTS = [
  setting({
    name: "slot_schedule",
    group: "limits",
    codec: slotSchedule,
    default: "off",
    reload: "live",
    help: "Raises the maximum of slots day by day after a launch.",
    notes:
      "`1:50, 3:100` means 50 slots from day 1 and 100 from day 3; `j1-j14` is 50, 100, 150 and 200 on days 1, 3, 7 and 14, `weekly` 100, 150 " +
      "and 200 on days 1, 8 and 31. A step is taken after CPU, memory, latency, the write limit and the feed have been within their bounds " +
      "for 10 minutes. DROVER_MAX_SLOTS is the ceiling. `drover slots schedule` shows, holds and overrides it.",
  }),
  setting({
    name: "slot_guard",
    group: "limits",
    codec: choice(["off", "on"]),
    default: "off",
    reload: "live",
    help: "Refuses new sessions while the machine is short or answers are slow.",
    notes:
      "CPU from 90 % for 30 s until it has been below 75 % for 60 s; memory from 90 % for 30 s until below 85 % for 60 s; " +
      "the 95th percentile of a minute's answers from DROVER_ALERT_LATENCY for 30 s until 10 % below for 60 s. " +
      "Sessions that hold a slot stay in, and administrators are admitted.",
  }),
] as const;
