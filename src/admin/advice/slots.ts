import type { Ms } from "../../base/units.ts";
import { BUSY } from "../busy.ts";
import { said, UNSAID } from "../said.ts";
import type { AdviceInput, Standing } from "./advice.ts";

/** What one step adds. */
const MORE = 1.25;

/** One step more. */
export const moreSlots = (max: number): number => Math.ceil((max * MORE) / 10) * 10;

export function slotsAdvice({ snapshot: { slots, machine }, fullIn }: AdviceInput): Standing | undefined {
  if (slots === null) return undefined;
  const { used, max } = slots;
  const share = used / max;
  const soon = fullIn === null || fullIn === 0 ? UNSAID : said`, full in about ${duration(fullIn)} at this rate`;
  const reason = said`${used} of ${max} slots are taken (${Math.round(share * 100)} %${soon})`;
  const idle = machine !== null && machine.cpu <= BUSY.cpu && machine.ram <= BUSY.memory;
  const load =
    machine === null ? UNSAID : said`: CPU is at ${Math.round(machine.cpu * 100)} %, memory at ${Math.round(machine.ram * 100)} %`;
  const step = idle
    ? said`DROVER_MAX_SLOTS=${moreSlots(max)}, the machine carries more${load}`
    : said`more slots need a bigger machine first${load}`;
  return { limit: "slots", share, reason, step };
}

/** "41 min", "3 h", "20 s": for a sentence. */
export function duration(wait: Ms): string {
  const seconds = wait / 1_000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
