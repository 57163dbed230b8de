/** How `drover drill` is called. Apart from the drills, which no other command loads. */

/** In the order in which `drover drill all` runs them. */
export const DRILL_NAMES = ["full", "kill-worker", "stuck", "reload-under-load"] as const;
export type DrillName = (typeof DRILL_NAMES)[number];

export const DRILL_USAGE = `${DRILL_NAMES.join("|")}|all [--allow-live] [--users FILE] [--rate N] [--json]`;
export const DRILL_HELP: readonly (readonly [string, string])[] = [
  ["--allow-live", "on a service that is no demo, too"],
  ["--users FILE", "test accounts for full, lines USER,CODE; in the demo they are the sample's players"],
  ["--rate N", "reads a second meanwhile, 1 to 1000 (40)"],
  ["--json", "the report as JSON, when it is over"],
];
