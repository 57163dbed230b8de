/** The items of the checklist, in their order: before, during and after the launch. */
export const PHASES = ["before", "during", "after"] as const;
export type Phase = (typeof PHASES)[number];

/** `machine`: drover looks for itself. `operator`: only a tick closes it. */
interface ItemRow {
  readonly id: string;
  readonly phase: Phase;
  readonly by: "machine" | "operator";
  readonly title: string;
  /** What proves it. */
  readonly prove: string;
}

const tick = (id: string, note = ""): string => `drover checklist tick ${id}${note === "" ? "" : ` --note ${JSON.stringify(note)}`}`;

export const ITEMS = [
  { id: "settings", phase: "before", by: "machine", title: "the settings are valid, without warnings", prove: "drover check" },
  { id: "service", phase: "before", by: "machine", title: "the service runs, and all workers are ready", prove: "drover status" },
  {
    id: "ten-users",
    phase: "before",
    by: "machine",
    title: "10 users at once are served",
    prove: "drover load URL --users 10 --hold 30s",
  },
  {
    id: "page",
    phase: "before",
    by: "machine",
    title: "the page answers, and shows the right numbers",
    prove: "curl URL/api/admin/health; drover slots",
  },
  { id: "max-plus-one", phase: "before", by: "machine", title: "MAX + 1 is refused", prove: "drover drill full" },
  { id: "lost-worker", phase: "before", by: "machine", title: "a killed worker is replaced", prove: "drover drill kill-worker" },
  {
    id: "rollback",
    phase: "before",
    by: "machine",
    title: "a release can be changed, and changed back, under load",
    prove: "drover drill reload-under-load",
  },
  {
    id: "monitor",
    phase: "before",
    by: "machine",
    title: "an external monitor asks /api/admin/health",
    prove: "add a monitor such as UptimeRobot for URL/api/admin/health, every 5 minutes",
  },
  { id: "alerts", phase: "before", by: "machine", title: "alerts arrive", prove: "drover alerts test" },
  { id: "load", phase: "before", by: "machine", title: "the load test passed", prove: "drover load URL --users EXPECTED" },
  { id: "quota", phase: "before", by: "machine", title: "Google answers within the quota", prove: "drover status" },
  { id: "cache", phase: "before", by: "machine", title: "the cache is on, and serves reads", prove: "drover status" },
  { id: "backup", phase: "before", by: "machine", title: "a backup was made in the last 24 hours", prove: "drover backup FILE" },
  { id: "certificate", phase: "before", by: "machine", title: "the TLS certificate lasts for 14 days", prove: "drover check" },
  { id: "disk", phase: "before", by: "machine", title: "the disk has room", prove: "df -h" },
  {
    id: "budget",
    phase: "before",
    by: "operator",
    title: "the cost has a budget, and an alarm",
    prove: tick("budget", "40 a month, alarm at 50"),
  },
  {
    id: "runbook",
    phase: "before",
    by: "operator",
    title: "the runbook was read",
    prove: tick("runbook", "docs/operations.md"),
  },
  {
    id: "on-call",
    phase: "before",
    by: "operator",
    title: "an operator is on call and reachable",
    prove: tick("on-call", "NAME, PHONE"),
  },
  { id: "launch", phase: "during", by: "operator", title: "the launch has begun", prove: tick("launch") },
  { id: "hourly", phase: "during", by: "operator", title: "the service is checked every hour", prove: tick("hourly", "what was seen") },
  { id: "peaks", phase: "during", by: "machine", title: "the peaks are noted", prove: "drover status" },
  { id: "calm", phase: "during", by: "machine", title: "no unacknowledged alert fires", prove: "drover alerts" },
  { id: "adjust", phase: "during", by: "machine", title: "limits are adjusted: the advice asks for nothing", prove: "drover status" },
  { id: "end", phase: "after", by: "operator", title: "the launch is over", prove: tick("end") },
  { id: "daily", phase: "after", by: "operator", title: "the service is checked on 7 days", prove: tick("daily", "what was seen") },
  {
    id: "patterns",
    phase: "after",
    by: "operator",
    title: "patterns of use are noted, and limits fit them",
    prove: tick("patterns", "peak at 18:00, 180 of 200"),
  },
  {
    id: "incidents",
    phase: "after",
    by: "operator",
    title: "every incident was reviewed",
    prove: tick("incidents", "causes and changes"),
  },
] as const satisfies readonly ItemRow[];

export type Item = ItemRow & { readonly id: ItemId };
export type ItemId = (typeof ITEMS)[number]["id"];
export type MachineId = Extract<(typeof ITEMS)[number], { by: "machine" }>["id"];

export const itemOf = (id: string): Item | undefined => ITEMS.find((item) => item.id === id);
