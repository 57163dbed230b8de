/** The input of a page of metrics. */
import type { MetricsInput } from "../../../src/admin/metrics/lines.ts";
import { ms } from "../../../src/base/units.ts";
import { NOW, place, statusWith } from "../../cli/statuses.ts";
import { measured, upstream } from "../given.ts";

/** Everything that there may be. */
export const whole = (changes: Partial<MetricsInput> = {}): MetricsInput => ({
  snapshot: statusWith({
    slots: { used: 164, max: 200, status: "WARNING" },
    upstream: upstream(),
    deaths: { stuck: 2, "signal:SIGSEGV": 1, rolled: 4 },
    places: [place(0), place(1, { restarts: 3 }), place(0, { role: "broker" })],
  }),
  measured: measured(),
  node: "26.10.0",
  limit: "slots",
  fullIn: ms(2_460_000),
  above80: { "1d": ms(4_200_000), "7d": ms(9_000_000) },
  schedule: { state: "blocked", day: 3, step: 1, steps: 4, max: 50, scheduled: 50, next: null, text: "" },
  alerts: [{ name: "capacity", level: "warning", since: NOW, value: 82, peak: 82, threshold: 80, text: "164 of 200", acked: null }],
  raised: { capacity: 1 },
  delivered: [{ sink: "webhook", result: "ok", n: 1 }],
  ...changes,
});
