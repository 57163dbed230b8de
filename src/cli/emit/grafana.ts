/** `drover emit grafana`: the dashboard, with the thresholds of the settings. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Thresholds } from "../../admin/alerts/rules.ts";
import { DroverError } from "../../base/errors.ts";
import { ownPath } from "../../base/place.ts";
import { writtenBy, type Artefact, type Facts } from "./artefact.ts";

export const DASHBOARD_FILE = "grafana-dashboard.json";
/** The text for default settings, and the source for all others. */
const DEFAULTS = join("config", DASHBOARD_FILE);

interface Step {
  readonly color: string;
  value: number | null;
}
interface Dashboard {
  description: string;
  readonly panels: readonly {
    readonly title: string;
    readonly fieldConfig?: { readonly defaults?: { readonly thresholds?: { readonly steps: readonly Step[] } } };
  }[];
}

/** The panels that show a setting: its thresholds in ascending order, after the panel's base colour. */
const PANELS: Readonly<Record<string, (settings: Thresholds) => readonly number[]>> = {
  "Slots taken": ({ alert_threshold, alert_urgent }) => [alert_threshold / 100, alert_urgent / 100, 1],
  "95th percentile": ({ alert_latency }) => [alert_latency / 1_000],
};

export const grafana: Artefact = {
  name: "grafana",
  does: "grafana-dashboard.json: a dashboard for Grafana",
  files: (facts) => [{ path: DASHBOARD_FILE, text: dashboardText(facts) }],
  next: ([path = DASHBOARD_FILE]) => `In Grafana: Dashboards, New, Import, ${path}; choose the Prometheus that scrapes drover.\n`,
};

function dashboardText(facts: Facts): string {
  const { settings } = facts;
  const dashboard = JSON.parse(readFileSync(join(ownPath(""), DEFAULTS), "utf8")) as Dashboard;
  dashboard.description = `${writtenBy("grafana", facts)} A drover service: people, requests, Google, processes. docs/METRICS.md describes every metric.`;
  for (const [title, values] of Object.entries(PANELS)) {
    const steps = dashboard.panels.find((panel) => panel.title === title)?.fieldConfig?.defaults?.thresholds?.steps.slice(1);
    if (steps?.length !== values(settings).length)
      throw new DroverError("DROVER_E_BUG", `${DEFAULTS}: the panel "${title}" needs ${values(settings).length} thresholds`);
    for (const [i, value] of values(settings).entries()) (steps[i] as Step).value = value;
  }
  return `${JSON.stringify(dashboard, undefined, 1)}\n`;
}
