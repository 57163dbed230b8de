/** The items of the checklist in order, and their evaluation. */
import { elapsed } from "../../base/units.ts";
import * as checks from "./checks.ts";
import type { Facts } from "./facts.ts";
import { ago, timeOf, type Check, type Finding } from "./finding.ts";
import * as launch from "./launch.ts";

export const PHASES = ["before", "during", "after"] as const;
export type Phase = (typeof PHASES)[number];

export interface Item {
  readonly phase: Phase;
  readonly id: string;
  readonly title: string;
  /** The command that proves it. */
  readonly prove: string;
  readonly check: Check;
  /** A tick closes it, or is part of its check. A tick of another item needs a note that says why. */
  readonly byOperator?: true;
}

type Row = readonly [id: string, title: string, prove: string, check: Check];
const automatic = (phase: Phase, rows: readonly Row[]): readonly Item[] =>
  rows.map(([id, title, prove, check]) => ({ phase, id, title, prove, check }));

function manual(phase: Phase, id: string, title: string, note = "", check?: Check): Item {
  const text = note === "" ? "" : ` --note ${JSON.stringify(note)}`;
  const prove = `drover checklist tick ${id}${text}`;
  const closed = check ?? launch.ticked(id, phase === "before");
  return { phase, id, title, prove, check: closed, byOperator: true };
}

const { drilled, loaded } = checks;
const reload = drilled("reload-under-load");
const MONITOR = "add a monitor such as UptimeRobot for URL/api/admin/health, every 5 minutes";

export const ITEMS: readonly Item[] = [
  ...automatic("before", [
    ["settings", "the settings are valid, without warnings", "drover check", checks.settings],
    ["service", "the service runs, and all workers are ready", "drover status", checks.service],
    [
      "ten-users",
      "10 users at once are served",
      "drover load URL --users 10 --hold 30s",
      loaded(10),
    ],
    [
      "page",
      "the page shows the right numbers",
      "curl URL/api/admin/health; drover slots",
      checks.page,
    ],
    ["max-plus-one", "MAX + 1 is refused", "drover drill full", drilled("full")],
    [
      "lost-worker",
      "a killed worker is replaced",
      "drover drill kill-worker",
      drilled("kill-worker"),
    ],
    [
      "rollback",
      "a release can be changed back under load",
      "drover drill reload-under-load",
      reload,
    ],
    ["monitor", "an external monitor asks /api/admin/health", MONITOR, checks.monitor],
    ["alerts", "alerts arrive", "drover alerts test", checks.alerts],
    ["load", "the load test passed", "drover load URL --users EXPECTED", loaded(0)],
    ["quota", "Google answers within the quota", "drover status", checks.quota],
    ["cache", "the cache is on, and serves reads", "drover status", checks.cache],
    ["backup", "a backup was made in the last 24 hours", "drover backup FILE", checks.backup],
    ["certificate", "the TLS certificate lasts for 14 days", "drover check", checks.certificate],
    ["disk", "the disk has room", "df -h", checks.disk],
  ]),
  manual("before", "budget", "the cost has a budget, and an alarm", "40 a month, alarm at 50"),
  manual("before", "runbook", "the runbook was read", "docs/operations.md"),
  manual("before", "on-call", "an operator is on call and reachable", "NAME, PHONE"),
  manual("during", "launch", "the launch has begun"),
  manual("during", "hourly", "the service is checked every hour", "what was seen", launch.hourly),
  ...automatic("during", [
    ["peaks", "the peaks are noted", "drover status", launch.peaks],
    ["calm", "no unacknowledged alert fires", "drover alerts", launch.calm],
    ["adjust", "limits are adjusted: the advice asks for nothing", "drover status", launch.adjust],
  ]),
  manual("after", "end", "the launch is over"),
  manual("after", "daily", "the service is checked on 7 days", "what was seen", launch.daily),
  manual(
    "after",
    "patterns",
    "patterns of use are noted, and limits fit",
    "peak at 18:00, 180 of 200",
  ),
  manual(
    "after",
    "incidents",
    "each incident was reviewed",
    "causes and changes",
    launch.incidents,
  ),
];

export interface ItemView extends Pick<Item, "phase" | "id" | "title" | "prove">, Finding {}

export const isOpen = ({ state }: Finding): boolean => state === "open" || state === "failed";

export const evaluate = (facts: Facts): readonly ItemView[] =>
  ITEMS.map((item) => {
    const { phase, id, title } = item;
    const found = item.check(facts);
    const override =
      isOpen(found) && item.byOperator !== true ? overridden(id, found, facts) : undefined;
    return { phase, id, title, prove: proofOf(item, facts), ...(override ?? found) };
  });

/** A tick closes an item that drover can't see or finds open, until drover finds otherwise later. */
function overridden(id: string, found: Finding, { records, now }: Facts): Finding | undefined {
  const tick = typeof records === "string" ? undefined : launch.ticksOf(records, id).at(-1);
  if (tick === undefined) return undefined;
  const at = timeOf(tick);
  if (elapsed(at, now) > launch.TICK_FOR || (found.at !== undefined && found.at > at))
    return undefined;
  const why = `ticked by ${tick.by}, ${ago(at, now)}: ${tick.note} (drover: ${found.why})`;
  return { state: "done", why };
}

/** With the address of this service; a drill on a service that is not a demo needs a flag. */
function proofOf({ prove }: Item, { status }: Facts): string {
  if (typeof status === "string") return prove;
  const url = status.urls.find((one) => one.startsWith("http"))?.replace(/\/$/, "") ?? "URL";
  const isLive = !status.demo && prove.startsWith("drover drill ");
  return `${prove}${isLive ? " --allow-live" : ""}`.replace(/\bURL\b/, () => url);
}
