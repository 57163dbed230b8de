/** Every item's state, from the facts. Pure. */
import { elapsed, minutes, ms } from "../../base/units.ts";
import * as before from "./before.ts";
import type { Facts } from "./facts.ts";
import { ago, timeOf, type Finding, type State } from "./finding.ts";
import { ITEMS, PHASES, type Item, type MachineId, type Phase } from "./items.ts";
import { adjust, calm, operated, peaks, REPEATED, ticksOf } from "./launch.ts";

export interface ItemView {
  readonly id: string;
  readonly phase: Phase;
  readonly title: string;
  readonly state: State;
  /** Who says so. */
  readonly by: "machine" | "operator";
  readonly why: string;
  readonly prove: string;
}

const CHECKS: Readonly<Record<MachineId, (facts: Facts) => Finding>> = {
  settings: before.settings,
  service: before.service,
  "ten-users": before.tenUsers,
  page: before.page,
  "max-plus-one": before.drilled("full"),
  "lost-worker": before.drilled("kill-worker"),
  rollback: before.drilled("reload-under-load"),
  monitor: before.monitor,
  alerts: before.alerts,
  load: before.loadTest,
  quota: before.quota,
  cache: before.cache,
  backup: before.backup,
  certificate: before.certificate,
  disk: before.disk,
  peaks,
  calm,
  adjust,
};

/** How long an operator's word counts before the launch. */
const TICK_FOR = ms(30 * 24 * minutes(60));

export const evaluate = (facts: Facts): readonly ItemView[] => ITEMS.map((item) => viewOf(item, facts));

/** The command that proves an item of this very service: with its address, and what a drill of a service that is no demo needs. */
function proofOf({ prove }: Item, facts: Facts): string {
  const isLive = facts.status.is === "seen" && !facts.status.value.demo;
  const command = isLive && prove.startsWith("drover drill ") ? `${prove} --allow-live` : prove;
  return command.replace(/\bURL\b/, () => urlOf(facts));
}

const urlOf = ({ status }: Facts): string =>
  (status.is === "seen" ? status.value.urls.find((url) => url.startsWith("http"))?.replace(/\/$/, "") : undefined) ?? "URL";

function viewOf(item: Item, facts: Facts): ItemView {
  const { id, phase, title } = item;
  const view = { id, phase, title, prove: proofOf(item, facts) };
  if (item.by === "operator") {
    const found = REPEATED[id]?.(facts) ?? operated(facts, item, phase === "before" ? TICK_FOR : undefined);
    return { ...view, state: found.is, by: "operator", why: found.why };
  }
  const found = CHECKS[id as MachineId](facts);
  const word = found.is === "open" || found.is === "failed" ? tickOver(id, found, facts) : undefined;
  return {
    ...view,
    state: word === undefined ? found.is : "done",
    by: word === undefined ? "machine" : "operator",
    why: word ?? found.why,
  };
}

/** The operator's word on what drover can't see, or sees otherwise; what was found after it counts more. */
function tickOver(id: string, found: Finding, { records, now }: Facts): string | undefined {
  const tick = records.is === "seen" ? ticksOf(records.value, id).at(-1) : undefined;
  if (tick === undefined) return undefined;
  const at = timeOf(tick);
  if (elapsed(at, now) > TICK_FOR || (found.at !== undefined && found.at > at)) return undefined;
  return `ticked by ${tick.by}, ${ago(at, now)}: ${tick.note} (drover: ${found.why})`;
}

export const isOpen = ({ state }: ItemView): boolean => state === "open" || state === "failed";

export const inPhases = (items: readonly ItemView[]): readonly { readonly phase: Phase; readonly items: readonly ItemView[] }[] =>
  PHASES.map((phase) => ({ phase, items: items.filter((item) => item.phase === phase) })).filter(({ items: own }) => own.length > 0);
