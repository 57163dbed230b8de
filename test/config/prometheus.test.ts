/** The rules and the dashboard that operators load: they name metrics and labels that exist (prometheus.full.ts runs promtool). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { ALERT_NAMES } from "../../src/admin/alerts/model.ts";
import { METRICS } from "../../src/admin/metrics/table.ts";
import { installed, textOf } from "../tools/emit/emitted.ts";
import { CHANGED, changed, dashboard, panelExpressions, ruleExpressions, rules } from "./prometheus-helper.ts";

test("rules and panels ask for metrics and labels that there are", () => {
  assert.ok(ruleExpressions.length > 15 && panelExpressions.length > 35);
  const known = new Map(METRICS.flatMap((metric) => names(metric).map((name) => [name, new Set(metric.labels)] as const)));
  for (const expr of [...ruleExpressions, ...panelExpressions]) {
    const found = [...expr.matchAll(/\b((?:drover|process|nodejs|http)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)];
    assert.ok(found.length > 0, expr);
    for (const [, name = "", selector = ""] of found) {
      const labels = known.get(name);
      assert.ok(labels, `${name} is no metric: ${expr}`);
      for (const [, label = ""] of selector.matchAll(/([a-z_]+)(?:=|!)/g))
        assert.ok(label === "instance" || labels.has(label), `${name} has no ${label}: ${expr}`);
    }
  }
});

/** A histogram's series have names of their own. */
const names = ({ name, type }: (typeof METRICS)[number]): string[] =>
  type === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => `${name}${suffix}`) : [name];

test("panels have ids of their own, and none lies over another", () => {
  const { panels } = dashboard;
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const [i, { gridPos: a, title }] of panels.entries()) {
    assert.ok(a.x + a.w <= 24);
    for (const { gridPos: b, title: other } of panels.slice(i + 1))
      assert.ok(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y, `${title} and ${other}`);
  }
});

test("the runbook has a chapter for every alert, drover's and Prometheus'", () => {
  const chapters = new Set([...readFileSync("docs/operations.md", "utf8").matchAll(/^### `([\w-]+)`/gm)].map(([, name = ""]) => name));
  for (const name of ALERT_NAMES) assert.ok(chapters.has(name), name);
  for (const [, name = ""] of rules.matchAll(/operations\.md#([\w-]+)/g)) assert.ok(chapters.has(name), name);
});

test("2.10: one table has each alert's metric, statistic, period, threshold and number of periods", () => {
  const table = /\n\| alert \| metric \| statistic \| period \| threshold[^|]*\| periods \|\n\|[-| ]+\|\n((?:\|.+\|\n)+)/.exec(
    readFileSync("docs/operations.md", "utf8"),
  )?.[1];
  const rows = (table ?? "").trim().split("\n").map((row) => row.slice(1, -1).split("|").map((cell) => cell.trim())); // prettier-ignore
  assert.deepEqual(rows.map(([name = ""]) => /`([\w-]+)`/.exec(name)?.[1] ?? "").toSorted(), [...ALERT_NAMES].toSorted());
  for (const row of rows) assert.ok(row.length === 6 && row.every((cell) => cell !== ""), row.join(" | "));
  for (const name of Object.keys(CHANGED)) assert.ok(table?.includes(`\`DROVER_${name.toUpperCase()}\``), name);
});

test("2.10: the dashboard of the repository is what emit writes for default settings", () => {
  assert.equal(readFileSync("config/grafana-dashboard.json", "utf8"), textOf("grafana", {}, { given: installed() }));
});

test("4.10: every threshold of the settings gets into the rules", () => {
  const text = textOf("prometheus-rules", {}, { given: changed });
  const exprs = [...text.matchAll(/^ +expr: (.+)$/gm)].map(([, expr = ""]) => expr);
  for (const part of [
    "drover_slots_limit >= 0.70 and drover_slots_used / drover_slots_limit < 0.975",
    "drover_slots_limit >= 0.975 and drover_slots_used / drover_slots_limit < 1",
    "drover_slots_used >= drover_slots_limit",
    "> 1.2",
    "drover_machine_cpu_ratio >= 0.60",
    "drover_machine_memory_limit_bytes >= 0.75",
    "[5m])) > 7",
    "drover_upstream_quota_limit >= 0.50",
    "drover_disk_size_bytes >= 0.85",
    '{cause="error"}[1m])) / (sum by (instance) (increase(drover_http_responses_total[1m])) >= 20) >= 0.02',
    '{cause="error"}[1m])) / (sum by (instance) (increase(drover_http_responses_total[1m])) >= 20) >= 0.10',
    '{cause="refusal"}[1m])) / (sum by (instance) (increase(drover_http_responses_total[1m])) >= 20) >= 0.075',
    'process_resident_memory_bytes{role="worker"} >= 536870912',
  ])
    assert.ok(
      exprs.some((expr) => expr.includes(part)),
      part,
    );
  assert.match(text, /> 1\.2\n +for: 90s/);
  assert.equal(exprs.length, ruleExpressions.length);
});

test("3.8: the dashboard's gauges change colour at the thresholds of the settings", () => {
  const text = textOf("grafana", {}, { given: changed });
  const { panels } = JSON.parse(text) as {
    panels: { title: string; fieldConfig?: { defaults: { thresholds?: { steps: { value: number | null }[] } } } }[];
  };
  const stepsOf = (title: string) =>
    panels.find((panel) => panel.title === title)?.fieldConfig?.defaults.thresholds?.steps.map(({ value }) => value);
  assert.deepEqual(stepsOf("Slots taken"), [null, 0.7, 0.975, 1]);
  assert.deepEqual(stepsOf("95th percentile"), [null, 1.2]);
});
