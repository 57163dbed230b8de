/** Facts for tests of the checklist: a service of which everything is proven. */
import type { Peaks } from "../../../src/admin/peaks.ts";
import type { TimelineEvent } from "../../../src/admin/timeline.ts";
import { minutes, ms, seconds, type Ms, type Timestamp } from "../../../src/base/units.ts";
import { capacityOf } from "../../../src/base/slots.ts";
import type { Facts } from "../../../src/tools/checklist/facts.ts";
import type { Entry, NewEntry } from "../../../src/tools/checklist/records.ts";
import { NOW, statusWith } from "../../cli/statuses.ts";

export { NOW };
export const HOUR = minutes(60);
export const DAY = ms(24 * HOUR);
export const at = (ago: Ms): Timestamp => (NOW - ago) as Timestamp;
const iso = (ago: Ms): string => new Date(at(ago)).toISOString();

export const entry = (ago: Ms, what: NewEntry): Entry => ({ at: iso(ago), ...what });
export const drill = (
  ago: Ms,
  name: string,
  verdict: "pass" | "fail" = "pass",
  version = "0.1.0",
): Entry =>
  entry(ago, {
    kind: "drill",
    name,
    verdict,
    version,
    why: verdict === "pass" ? "" : "a step failed",
  });
export const load = (ago: Ms, users: number, verdict: "PASS" | "FAIL" = "PASS"): Entry =>
  entry(ago, { kind: "load", verdict, target: "http://127.0.0.1:8080/", users, version: "0.1.0" });
export const tick = (ago: Ms, item: string, note = ""): Entry =>
  entry(ago, { kind: "tick", item, by: "ops", note });
export const untick = (ago: Ms, item: string): Entry =>
  entry(ago, { kind: "untick", item, by: "ops" });

export const event = (
  ago: Ms,
  text: string,
  level: TimelineEvent["level"] = "warning",
): TimelineEvent => ({
  nr: 1,
  at: iso(ago),
  what: "ended",
  level,
  text,
});
export const delivered = (ago: Ms, sink: string, result: string): TimelineEvent => ({
  ...event(ago, `the ${sink} said ${result}`, result === "ok" ? "info" : "warning"),
  what: "delivered",
  with: { sink, result },
});
export const peaks = (ago: Ms, changes: Partial<Peaks> = {}): Peaks => ({
  from: iso(ms(ago + minutes(10))),
  at: iso(ago),
  slots: 100,
  rps: 20,
  p95: 12,
  cpu: 0.4,
  ram: 0.5,
  errors: 1,
  refused: 2,
  monitor: 0,
  ...changes,
});

/** The test alert of `factsWith`. */
export const TESTED = delivered(minutes(5), "webhook", "ok");
export const PROVEN: readonly Entry[] = [
  load(HOUR, 50),
  ...["full", "kill-worker", "reload-under-load"].map((name) => drill(HOUR, name)),
  entry(HOUR, { kind: "backup", file: "/root/drover.backup", bytes: 1_000 }),
  ...["budget", "runbook", "on-call"].map((item) => tick(HOUR, item)),
];

export const SLOTS = { used: 10, max: 200, status: "LOW" } as const;
export const STATUS = statusWith({
  slots: { ...SLOTS, reaped: 0 } as never,
  alertSinks: ["log", "webhook"],
  monitorSeen: [at(minutes(12)), at(minutes(7)), at(minutes(2))],
});

export const factsWith = (changes: Partial<Facts> = {}): Facts => ({
  now: NOW,
  version: "0.1.0",
  settings: {
    warnings: [],
    sinks: ["webhook"],
    diskLimit: 90,
    quotaLimit: 70,
    certificateEnds: at(ms(-30 * DAY)),
  },
  status: STATUS,
  page: {
    url: "http://127.0.0.1:8080",
    page: 200,
    health: 200,
    shown: capacityOf(STATUS.slots ?? SLOTS).percentUsed,
  },
  records: PROVEN,
  timeline: { events: [TESTED], peaks: [] },
  disks: [{ path: "/var/lib/drover", used: 41.6 }],
  ...changes,
});

export const SECOND = seconds(1);
