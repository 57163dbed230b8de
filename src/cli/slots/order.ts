/** `drover slots schedule`, as the control socket hears it. */
import { SLOT_BOUNDS } from "../../admin/api.ts";
import type { ControlAnswer } from "../../master/shell/control.ts";
import type { SlotKeeper } from "./keeper.ts";

export function scheduleOrder(keeper: Pick<SlotKeeper, "order" | "schedule">, body: Readonly<Record<string, unknown>>): ControlAnswer {
  const { order, max } = body;
  if (order === "hold" || order === "resume") return keeper.order({ do: order });
  if (order === "max") {
    const { least, most } = SLOT_BOUNDS;
    if (typeof max === "number" && Number.isSafeInteger(max) && max >= least && max <= most) return keeper.order({ do: "max", max });
    return { ok: false, message: `max needs a number of slots from ${least} to ${most}, not ${JSON.stringify(max)}` };
  }
  if (order !== "show") return { ok: false, message: `there is no order ${JSON.stringify(order)}: show, hold, resume or max` };
  const view = keeper.schedule();
  if (view === null) return { ok: false, message: "there is no launch schedule: DROVER_SLOT_SCHEDULE is off" };
  const next = view.next === null ? "" : `\nnext: ${view.next.max} slots on day ${view.next.day} (${view.next.on})`;
  return { ok: true, message: `${view.text}\nstep ${view.step} of ${view.steps}: ${view.scheduled} slots${next}` };
}
