/** promtool on the rules and the dashboard that operators load. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { needs } from "../support/needs.ts";
import { inFolder } from "../tools/emit/emitted.ts";
import { folder } from "../support/cleanup.ts";
import { changed, panelExpressions, ruleExpressions, rules } from "./prometheus-helper.ts";

const skip = needs("promtool", "prometheus");

const promtool = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
};

test("promtool: the rules are sound, and fire when they should", { skip }, (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, "prometheus-alerts.yml"), rules);
  copyFileSync("test/config/prometheus-alerts.test.yml", join(dir, "test.yml"));
  promtool("check", "rules", join(dir, "prometheus-alerts.yml"));
  promtool("test", "rules", join(dir, "test.yml"));
});

test("promtool: every panel's question can be asked", { skip }, (t) => {
  const dir = folder(t);
  const file = join(dir, "panels.json");
  const asked = panelExpressions.map((expr, i) => ({ record: `panel:${i}`, expr: expr.replaceAll("$__rate_interval", "5m") }));
  writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules: asked }] })); // JSON is YAML
  promtool("check", "rules", file);
});

test("4.10: promtool accepts the rules of changed thresholds", { skip }, (t) => {
  const dir = inFolder(t, "prometheus-rules", {}, changed);
  assert.match(promtool("check", "rules", join(dir, "prometheus-alerts.yml")), new RegExp(`${ruleExpressions.length} rules found`));
});
