/** The rules and the dashboard of this repository, and settings that change every threshold. */
import { readFileSync } from "node:fs";
import { installed, textOf } from "../tools/emit/emitted.ts";

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}
export const dashboard = JSON.parse(readFileSync("config/grafana-dashboard.json", "utf8")) as {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
};
export const rules = textOf("prometheus-rules", {}, { given: installed() });
export const ruleExpressions = [...rules.matchAll(/^ +expr: (.+)$/gm)].map(([, expr = ""]) => expr);
export const panelExpressions = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
];

/** Every threshold differs from its default. */
export const CHANGED = {
  alert_threshold: "70%",
  alert_urgent: "97.5%",
  alert_latency: "1200ms",
  alert_latency_for: "90s",
  alert_cpu: "60%",
  alert_ram: "75%",
  alert_quota: "50%",
  alert_restarts: "7",
  alert_disk: "85%",
  alert_errors: "2%",
  alert_refusals: "7.5%",
  alert_worker_memory: "512m",
};
export const changed = installed(CHANGED);
