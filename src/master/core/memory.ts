import { say } from "./say.ts";
import { unchanged } from "./steps.ts";
import type { Decision, Master } from "./model.ts";

/** While memory is short nothing is started beside what it would replace: a roll waits, recycling is refused. */
export function memory(master: Master, short: boolean): Decision {
  if (short === master.memoryShort) return unchanged(master);
  const roll = master.roll === undefined ? "" : short ? "; the reload waits" : "; the reload goes on";
  const text = short ? `memory is short: no child is started beside another${roll}` : `memory is no longer short${roll}`;
  return [{ ...master, memoryShort: short }, [say(short ? "warn" : "info", text)]];
}
