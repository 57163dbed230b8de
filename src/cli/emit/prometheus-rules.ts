/** `drover emit prometheus-rules`: drover's own alerts as Prometheus' rules, with the thresholds of the settings. */
import type { AlertName } from "../../admin/alerts/model.ts";
import { rulesOf, type Thresholds } from "../../admin/alerts/rules.ts";
import type { Ms } from "../../base/units.ts";
import { fillTemplate, type Artefact } from "./artefact.ts";
import type { Values } from "./fill.ts";

export const RULES_FILE = "prometheus-alerts.yml";

export const prometheusRules: Artefact = {
  name: "prometheus-rules",
  does: "prometheus-alerts.yml: the alerts as Prometheus rules",
  files: (facts) => [{ path: RULES_FILE, text: fillTemplate(RULES_FILE, "prometheus-rules", facts, thresholds(facts.settings)) }],
  next: ([path = RULES_FILE]) =>
    `Check with: promtool check rules ${path}\nThen name it under rule_files in prometheus.yml; docs/operations.md has the scrape_configs.\n`,
};

/** Every threshold as PromQL has it: shares instead of per cent, seconds instead of milliseconds. */
function thresholds(settings: Thresholds): Values {
  const rules = new Map(rulesOf(settings).map((rule) => [rule.name, rule]));
  const first = (name: AlertName): number => rules.get(name)?.bands[0]?.from ?? 0;
  return {
    WARN: share(settings.alert_threshold),
    URGENT: share(settings.alert_urgent),
    LATENCY: String(settings.alert_latency / 1_000),
    LATENCY_FOR: promDuration(settings.alert_latency_for),
    CPU: share(settings.alert_cpu),
    RAM: share(settings.alert_ram),
    QUOTA: share(settings.alert_quota),
    RESTARTS: String(settings.alert_restarts),
    DISK: share(settings.alert_disk),
    BACKLOG: String(first("backlog")),
    JOURNAL: share(first("journal")),
    ERRORS: share(settings.alert_errors),
    ERRORS_CRITICAL: share(rules.get("errors")?.bands.at(-1)?.from ?? 0),
    REFUSALS: share(settings.alert_refusals),
    WORKER_MEMORY: settings.alert_worker_memory === 0 ? "+Inf" : String(settings.alert_worker_memory),
  };
}

/** 80 → "0.80", 97.5 → "0.975". */
export const share = (percent: number): string =>
  Number.isInteger(percent) ? (percent / 100).toFixed(2) : String(Number((percent / 100).toFixed(5)));

/** The largest unit that divides it: Prometheus takes no fractions. */
export function promDuration(time: Ms): string {
  if (time % 60_000 === 0 && time > 0) return `${time / 60_000}m`;
  return time % 1_000 === 0 ? `${time / 1_000}s` : `${time}ms`;
}
